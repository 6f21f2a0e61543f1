"""Makes Tests/Fixtures/models: tiny random models, and what transformers computes with them.

    python3 -m venv venv && venv/bin/pip install torch==2.13.0+cpu transformers==5.23.0 safetensors==0.8.0 numpy==2.4.6
    venv/bin/python Tests/Fixtures/make_models.py

Each folder holds config.json, model.safetensors (float32) and expected.safetensors: `tokens` [T] and the `logits` [T, V]
of every position, in float32 with eager attention. rope holds full-size configurations and their rotary frequencies,
cosines and sines.
"""
import json
import shutil
from pathlib import Path

import torch
from safetensors.torch import load_file, save_file
from transformers import (
    DeepseekV2Config, DeepseekV2ForCausalLM, Gemma3ForCausalLM, Gemma3TextConfig, LlamaConfig, LlamaForCausalLM)
from transformers.modeling_rope_utils import ROPE_INIT_FUNCTIONS

OUT = Path(__file__).parent / "models"

# Common to all: configurations say only what differs. Widths that are no multiples of 16 or 64 are on purpose.
LLAMA = dict(
    model_type="llama", hidden_size=48, intermediate_size=56, num_hidden_layers=2, num_attention_heads=4,
    num_key_value_heads=4, vocab_size=80, max_position_embeddings=512, rms_norm_eps=1e-5, hidden_act="silu",
    rope_theta=10000.0, tie_word_embeddings=False, attention_bias=False, mlp_bias=False)
GEMMA = dict(
    model_type="gemma3_text", hidden_size=48, intermediate_size=40, num_hidden_layers=3, num_attention_heads=4,
    num_key_value_heads=2, head_dim=20, vocab_size=80, max_position_embeddings=512, rms_norm_eps=1e-6,
    hidden_activation="gelu_pytorch_tanh", query_pre_attn_scalar=20, sliding_window=8)
DEEPSEEK = dict(
    model_type="deepseek_v2", hidden_size=48, intermediate_size=40, moe_intermediate_size=24, num_hidden_layers=2,
    num_attention_heads=4, num_key_value_heads=4, vocab_size=80, max_position_embeddings=512, rms_norm_eps=1e-6,
    hidden_act="silu", kv_lora_rank=24, q_lora_rank=None, qk_nope_head_dim=16, qk_rope_head_dim=8, v_head_dim=20,
    n_routed_experts=6, n_shared_experts=1, num_experts_per_tok=2, first_k_dense_replace=1, topk_method="greedy",
    norm_topk_prob=False, routed_scaling_factor=1.0, rope_theta=10000.0, tie_word_embeddings=False)
YARN = dict(type="yarn", factor=4.0, original_max_position_embeddings=16)

# name: (common part, changes, tokens, config.json as given or as transformers saves it)
MODELS = {
    "llama-plain": (LLAMA, {}, 44, "given"),
    "llama-6-2-llama3": (LLAMA, dict(
        num_attention_heads=6, num_key_value_heads=2, head_dim=20, tie_word_embeddings=True,
        rope_theta=500000.0, rope_scaling=dict(
            rope_type="llama3", factor=8.0, low_freq_factor=1.0, high_freq_factor=4.0,
            original_max_position_embeddings=64)), 300, "given"),
    "llama-3-1-linear": (LLAMA, dict(
        num_attention_heads=3, num_key_value_heads=1, head_dim=36,
        rope_scaling=dict(type="linear", factor=3.0)), 44, "given"),
    "llama-yarn": (LLAMA, dict(num_key_value_heads=2, head_dim=32, rope_scaling=YARN), 44, "saved"),
    "llama-yarn-mscale": (LLAMA, dict(
        head_dim=32, rope_theta=5000.0, rope_scaling=YARN | dict(
            mscale=0.8, mscale_all_dim=0.5, beta_fast=8, beta_slow=2, truncate=False)), 44, "saved"),
    "llama-yarn-attention-factor": (LLAMA, dict(
        num_attention_heads=2, num_key_value_heads=1, rope_scaling=YARN | dict(attention_factor=1.25)), 44, "given"),
    "llama-whole-groups": (LLAMA, dict(
        hidden_size=64, intermediate_size=64, num_attention_heads=2, num_key_value_heads=1, head_dim=64,
        rope_parameters=dict(
            rope_type="llama3", rope_theta=100000.0, factor=4.0, low_freq_factor=1.0, high_freq_factor=4.0,
            original_max_position_embeddings=64)), 44, "saved"),

    "gemma-layer-types": (GEMMA, dict(
        num_attention_heads=6,
        layer_types=["sliding_attention", "full_attention", "sliding_attention"],
        rope_parameters=dict(
            sliding_attention=dict(rope_type="default", rope_theta=10000.0),
            full_attention=dict(rope_type="linear", rope_theta=1000000.0, factor=8.0))), 44, "saved"),
    "gemma-pattern-2": (GEMMA, dict(
        sliding_window_pattern=2, rope_theta=50000.0, rope_local_base_freq=5000.0,
        rope_scaling=dict(rope_type="linear", factor=2.0)), 300, "given"),
    "gemma-nested": (GEMMA, dict(
        num_key_value_heads=1, head_dim=28, sliding_window=5, sliding_window_pattern=3), 44, "nested"),
    "gemma-softcap": (GEMMA, dict(
        num_hidden_layers=2, final_logit_softcapping=2.0, attn_logit_softcapping=3.0, query_pre_attn_scalar=60,
        sliding_window_pattern=2), 44, "saved"),
    "gemma-3-1-yarn": (GEMMA, dict(
        num_hidden_layers=2, num_attention_heads=3, num_key_value_heads=1, head_dim=32, sliding_window=1,
        layer_types=["full_attention", "sliding_attention"], rope_parameters=dict(
            sliding_attention=dict(rope_type="linear", rope_theta=10000.0, factor=2.0),
            full_attention=dict(
                rope_type="yarn", rope_theta=100000.0, factor=4.0, original_max_position_embeddings=16))), 44, "saved"),
    "gemma-untied": (GEMMA, dict(
        num_hidden_layers=2, num_attention_heads=2, head_dim=40, tie_word_embeddings=False, sliding_window=16,
        sliding_window_pattern=2,
        rope_scaling=dict(
            rope_type="llama3", factor=8.0, low_freq_factor=1.0, high_freq_factor=4.0,
            original_max_position_embeddings=64)), 44, "given"),
    "gemma-whole-groups": (GEMMA, dict(
        hidden_size=64, intermediate_size=64, num_hidden_layers=2, num_attention_heads=2, num_key_value_heads=1,
        head_dim=64, query_pre_attn_scalar=64, sliding_window=24, sliding_window_pattern=2), 44, "saved"),

    "deepseek-dense": (DEEPSEEK, dict(first_k_dense_replace=2), 44, "given"),
    "deepseek-lite": (DEEPSEEK, dict(rope_scaling=YARN | dict(
        beta_fast=32, beta_slow=1, mscale=0.707, mscale_all_dim=0.707)), 300, "given"),
    "deepseek-groups": (DEEPSEEK, dict(
        q_lora_rank=28, n_routed_experts=8, num_experts_per_tok=3, topk_method="group_limited_greedy", n_group=4,
        topk_group=2, routed_scaling_factor=2.5, n_shared_experts=2), 44, "saved"),
    "deepseek-epsilon": (DEEPSEEK, dict(
        q_lora_rank=20, rms_norm_eps=0.01, norm_topk_prob=True, first_k_dense_replace=0,
        rope_scaling=YARN | dict(mscale=1.0, mscale_all_dim=0.4)), 44, "saved"),
    "deepseek-3-heads": (DEEPSEEK, dict(
        num_attention_heads=3, num_key_value_heads=3, kv_lora_rank=40,
        v_head_dim=12, qk_rope_head_dim=12, tie_word_embeddings=True,
        rope_scaling=dict(type="linear", factor=2.0)), 44, "given"),
    "deepseek-most-experts": (DEEPSEEK, dict(
        q_lora_rank=32, n_routed_experts=5, num_experts_per_tok=5, routed_scaling_factor=0.5,
        rope_scaling=YARN | dict(mscale=0.0, mscale_all_dim=0.9, truncate=False)), 44, "given"),
    "deepseek-whole-groups": (DEEPSEEK, dict(
        hidden_size=64, intermediate_size=64, moe_intermediate_size=64, num_attention_heads=2, num_key_value_heads=2,
        kv_lora_rank=64, qk_nope_head_dim=64, qk_rope_head_dim=64, v_head_dim=64, n_routed_experts=3,
        rope_scaling=YARN | dict(mscale=0.707, mscale_all_dim=0.707)), 44, "saved"),
}
CLASSES = {
    "llama": (LlamaConfig, LlamaForCausalLM), "gemma3_text": (Gemma3TextConfig, Gemma3ForCausalLM),
    "deepseek_v2": (DeepseekV2Config, DeepseekV2ForCausalLM)}


def randomize(model, generator):
    """Weights that keep a product's variance, norms that are not neutral, and embeddings of size 1."""
    for name, parameter in model.named_parameters():
        noise = torch.randn(parameter.shape, generator=generator)
        if parameter.dim() == 1:
            gemma = "Gemma" in type(model).__name__
            parameter.data = (0.0 if gemma else 1.0) + 0.2 * noise
        elif "embed_tokens" in name:
            parameter.data = noise * (0.1 if "Gemma" in type(model).__name__ else 1.0)
        elif name.endswith("gate.weight"):
            parameter.data = noise * 2 / parameter.shape[-1] ** 0.5
        else:
            parameter.data = noise / parameter.shape[-1] ** 0.5


def make(name, common, changes, tokens, form, seed):
    given = common | changes
    if "rope_parameters" in given:
        given.pop("rope_theta", None)
    configuration, architecture = CLASSES[given["model_type"]]
    config = configuration(**json.loads(json.dumps({k: v for k, v in given.items() if k != "model_type"})))
    config._attn_implementation = "eager"
    generator = torch.Generator().manual_seed(seed)
    model = architecture(config).to(torch.float32).eval()
    randomize(model, generator)
    model.tie_weights()

    folder = OUT / name
    model.save_pretrained(folder)
    (folder / "generation_config.json").unlink(missing_ok=True)
    (folder / "model.safetensors").chmod(0o644)
    if form == "given":
        (folder / "config.json").write_text(json.dumps(given, indent=2) + "\n")
    elif form == "nested":
        # As the multimodal model's files have it: the text model in an object, and a prefix on its weights.
        outer = dict(model_type="gemma3", text_config=given)
        (folder / "config.json").write_text(json.dumps(outer, indent=2) + "\n")
        weights = load_file(folder / "model.safetensors")
        save_file(
            {f"language_model.{key}": value for key, value in weights.items()}, folder / "model.safetensors",
            metadata={"format": "pt"})

    ids = torch.randint(1, given["vocab_size"], (1, tokens), generator=generator)
    with torch.no_grad():
        logits = model(ids, use_cache=False).logits[0]
    assert model.config._attn_implementation == "eager" and logits.dtype == torch.float32
    save_file({"tokens": ids[0].to(torch.int32), "logits": logits.contiguous()}, folder / "expected.safetensors")


# Rotary frequencies of full-size heads.
ROPE = {
    "default": (128, {}),
    "linear": (256, dict(rope_type="linear", factor=8.0, rope_theta=1000000.0)),
    "llama3.1": (128, dict(
        rope_type="llama3", factor=8.0, low_freq_factor=1.0, high_freq_factor=4.0,
        original_max_position_embeddings=8192, rope_theta=500000.0)),
    "llama3.2": (64, dict(
        rope_type="llama3", factor=32.0, low_freq_factor=1.0, high_freq_factor=4.0,
        original_max_position_embeddings=8192, rope_theta=500000.0)),
    "deepseek": (64, dict(
        rope_type="yarn", factor=40.0, beta_fast=32, beta_slow=1, mscale=0.707, mscale_all_dim=0.707,
        original_max_position_embeddings=4096, rope_theta=10000.0)),
    "yarn": (128, dict(rope_type="yarn", factor=4.0, original_max_position_embeddings=32768, rope_theta=1000000.0)),
    "yarn-not-truncated": (128, dict(
        rope_type="yarn", factor=32.0, original_max_position_embeddings=4096, truncate=False, rope_theta=150000.0)),
    "yarn-narrow": (4, dict(rope_type="yarn", factor=16.0, original_max_position_embeddings=8, rope_theta=10000.0)),
    "yarn-original-from-context": (64, dict(rope_type="yarn", factor=2.0, rope_theta=10000.0, mscale=1.0)),
}
POSITIONS = [0, 1, 777, 8191, 131071]


def make_rope():
    folder = OUT / "rope"
    folder.mkdir()
    tensors = {"positions": torch.tensor(POSITIONS, dtype=torch.int32)}
    for name, (width, parameters) in ROPE.items():
        given = dict(
            model_type="llama", hidden_size=width * 2, intermediate_size=64, num_hidden_layers=1, num_attention_heads=2,
            vocab_size=80, head_dim=width, max_position_embeddings=131072)
        if parameters:
            given["rope_parameters"] = dict(parameters)
        (folder / f"{name}.json").write_text(json.dumps(given, indent=2) + "\n")
        config = LlamaConfig(**{k: v for k, v in given.items() if k != "model_type"})
        kind = config.rope_parameters["rope_type"]
        if kind == "default":
            frequencies = LlamaForCausalLM(config).model.rotary_emb.inv_freq
            factor = 1.0
        else:
            frequencies, factor = ROPE_INIT_FUNCTIONS[kind](config)
        angles = torch.tensor(POSITIONS)[:, None].float() * frequencies
        tensors |= {
            f"{name}.frequencies": frequencies.contiguous(), f"{name}.factor": torch.tensor([factor]),
            f"{name}.cosines": angles.cos() * factor, f"{name}.sines": angles.sin() * factor}
    save_file(tensors, folder / "expected.safetensors")


def main():
    shutil.rmtree(OUT, ignore_errors=True)
    OUT.mkdir()
    torch.set_num_threads(1)
    for seed, (name, arguments) in enumerate(MODELS.items()):
        make(name, *arguments, seed=seed)
        print(name)
    make_rope()


if __name__ == "__main__":
    main()
