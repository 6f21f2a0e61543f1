"""Draws configurations of small models, of each class and different in everything that a configuration decides.

A configuration says only what its class needs, in the key names of transformers 4 or 5. Every second one has widths of
whole groups of 64, which can be quantized; the others have odd widths.
"""

import math
import random


def spread(rng: random.Random, values: list, index: int):
    """All of `values` by turns, so that a few models have all of them, and then any."""
    return values[index % len(values)] if index < len(values) else rng.choice(values)


def rope(rng: random.Random, kind: str) -> dict:
    """Parameters of a RoPE scaling, without its base."""
    if kind == "default":
        return {}
    if kind == "linear":
        return dict(rope_type="linear", factor=rng.choice([1.5, 3.0, 8.0]))
    original = rng.choice([16, 32, 64])
    if kind == "llama3":
        low = rng.choice([1.0, 1.5])
        return dict(rope_type="llama3", factor=rng.choice([2.0, 8.0, 32.0]), low_freq_factor=low,
                    high_freq_factor=low * rng.choice([2.0, 4.0]), original_max_position_embeddings=original)
    yarn = dict(rope_type="yarn", factor=rng.choice([2.0, 4.0, 40.0]), original_max_position_embeddings=original)
    if rng.random() < 0.5:
        yarn |= dict(beta_fast=rng.choice([8, 32]), beta_slow=rng.choice([1, 2]))
    if rng.random() < 0.3:
        yarn["truncate"] = False
    extra = rng.randrange(3)
    if extra == 1:
        yarn |= dict(mscale=rng.choice([0.707, 1.0]), mscale_all_dim=rng.choice([0.4, 0.707]))
    elif extra == 2:
        yarn["attention_factor"] = rng.choice([0.8, 1.25])
    return yarn


def common(rng: random.Random, index: int) -> dict:
    """Widths and the like."""
    whole = index % 2 == 0
    width = (lambda: 64 * rng.randrange(1, 4)) if whole else (lambda: 4 * rng.randrange(5, 25))
    return dict(intermediate_size=width(), vocab_size=rng.randrange(50, 200),
                max_position_embeddings=rng.choice([256, 512, 1024]), rms_norm_eps=rng.choice([1e-5, 1e-6, 1e-3]),
                tie_word_embeddings=rng.random() < 0.5)


def hidden(rng: random.Random, index: int, heads: int) -> int:
    """A hidden size that goes with so many heads: transformers wants whole quotients, though the width of a head is
    another."""
    step = math.lcm(heads, 64 if index % 2 == 0 else 4)
    return step * rng.randrange(1, 2 + 128 // step)


def heads(rng: random.Random, index: int) -> dict:
    """Grouped queries of any ratio, heads whose width is not hidden ÷ heads, and a hidden size that goes with them."""
    ratio = spread(rng, [3, 1, 2, 5, 7, 4], index)
    keys = rng.choice([keys for keys in (1, 2, 3) if keys * ratio <= 7])
    width = 64 if index % 2 == 0 else rng.choice([8, 20, 28, 32, 36])
    return dict(num_key_value_heads=keys, num_attention_heads=keys * ratio, head_dim=width,
                hidden_size=hidden(rng, index, keys * ratio))


def llama(rng: random.Random, index: int) -> dict:
    config = common(rng, index) | heads(rng, index)
    config |= dict(model_type="llama", num_hidden_layers=rng.randrange(1, 4), hidden_act="silu",
                   attention_bias=False, mlp_bias=False)
    base = rng.choice([5000.0, 10000.0, 500000.0])
    scaling = rope(rng, spread(rng, ["llama3", "yarn", "default", "linear"], index))
    if rng.random() < 0.5:
        return config | dict(rope_parameters=dict(rope_type="default") | scaling | dict(rope_theta=base))
    return config | dict(rope_theta=base) | (dict(rope_scaling=scaling) if scaling else {})


def gemma(rng: random.Random, index: int) -> dict:
    layers = rng.randrange(2, 8)
    config = common(rng, index) | heads(rng, index)
    config |= dict(model_type="gemma3_text", num_hidden_layers=layers, hidden_activation="gelu_pytorch_tanh",
                   sliding_window=spread(rng, [8, 1, 5, 31, 64], index),
                   query_pre_attn_scalar=rng.choice([16, config["head_dim"], 200]))
    if rng.random() < 0.3:
        config["final_logit_softcapping"] = rng.choice([2.0, 30.0])
    scaling = rope(rng, spread(rng, ["linear", "default", "llama3", "yarn"], index))
    base, local = rng.choice([100000.0, 1000000.0]), rng.choice([5000.0, 10000.0])
    if index % 2:
        config["sliding_window_pattern"] = rng.randrange(2, 4)
        config |= dict(rope_theta=base, rope_local_base_freq=local)
        return config | (dict(rope_scaling=scaling) if scaling else {})
    config["layer_types"] = [rng.choice(["sliding_attention", "full_attention"]) for _ in range(layers)]
    return config | dict(rope_parameters=dict(
        full_attention=dict(rope_type="default") | scaling | dict(rope_theta=base),
        sliding_attention=dict(rope_type="default", rope_theta=local)))


def deepseek(rng: random.Random, index: int) -> dict:
    config = common(rng, index)
    whole = index % 2 == 0
    width = (lambda: 64 * rng.randrange(1, 3)) if whole else (lambda: 4 * rng.randrange(3, 12))
    count = rng.choice([4, 6, 8, 12])
    heads = rng.choice([1, 2, 3, 5])
    config |= dict(
        model_type="deepseek_v2", hidden_size=hidden(rng, index, heads), num_hidden_layers=rng.randrange(1, 4), hidden_act="silu",
        num_attention_heads=heads, num_key_value_heads=heads, q_lora_rank=spread(rng, [None, width()], index // 2),
        kv_lora_rank=width(), qk_nope_head_dim=width(), v_head_dim=64 if whole else rng.choice([12, 20, 36]),
        qk_rope_head_dim=64 if whole else rng.choice([4, 8, 12]), first_k_dense_replace=rng.randrange(0, 3),
        n_routed_experts=count, num_experts_per_tok=rng.randrange(1, 4), n_shared_experts=rng.randrange(1, 3),
        moe_intermediate_size=width(), routed_scaling_factor=rng.choice([0.5, 1.0, 2.5]),
        norm_topk_prob=rng.random() < 0.5, topk_method=spread(rng, ["greedy", "group_limited_greedy"], index // 4))
    if config["topk_method"] == "group_limited_greedy":
        groups = 2 if count < 8 else 4
        config |= dict(n_group=groups, topk_group=2)
        config["num_experts_per_tok"] = min(config["num_experts_per_tok"], 2 * count // groups)
    scaling = rope(rng, spread(rng, ["yarn", "default", "linear", "yarn"], index))
    return config | dict(rope_theta=10000.0) | (dict(rope_scaling=scaling) if scaling else {})


CLASSES = {"llama": llama, "gemma3": gemma, "deepseek2": deepseek}
