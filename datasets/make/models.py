"""The three small models: the classes of `transformers`, sized for a cache study.

Head width 64 everywhere a cache is quantized in groups of 64; Gemma's windowed layers see 256 tokens.
"""

import torch
import transformers

COMMON = dict(
    vocab_size=4096, hidden_size=256, max_position_embeddings=4096, bos_token_id=0, eos_token_id=0,
)


def llama_mini():
    return transformers.LlamaForCausalLM(transformers.LlamaConfig(
        **COMMON, tie_word_embeddings=False, intermediate_size=704, num_hidden_layers=6, num_attention_heads=4,
        num_key_value_heads=2, head_dim=64))


def gemma3_mini():
    return transformers.Gemma3ForCausalLM(transformers.Gemma3TextConfig(
        **COMMON, tie_word_embeddings=True, intermediate_size=704, num_hidden_layers=6, num_attention_heads=4,
        num_key_value_heads=2, head_dim=64, query_pre_attn_scalar=64, sliding_window=256, pad_token_id=1,
        layer_types=["sliding_attention"] * 5 + ["full_attention"],
        rope_parameters={
            "sliding_attention": {"rope_type": "default", "rope_theta": 10_000.0},
            "full_attention": {"rope_type": "default", "rope_theta": 100_000.0}}))


def deepseek_mini():
    return transformers.DeepseekV2ForCausalLM(transformers.DeepseekV2Config(
        **COMMON, tie_word_embeddings=False, intermediate_size=704, moe_intermediate_size=160, num_hidden_layers=6,
        num_attention_heads=4, num_key_value_heads=4, q_lora_rank=None, kv_lora_rank=128, qk_nope_head_dim=32,
        qk_rope_head_dim=32, v_head_dim=64, first_k_dense_replace=1, n_routed_experts=8, num_experts_per_tok=2, n_shared_experts=1,
        routed_scaling_factor=1.0, topk_method="greedy", norm_topk_prob=False))


MODELS = {"llama-mini": llama_mini, "gemma3-mini": gemma3_mini, "deepseek-mini": deepseek_mini}

# Without norms after its blocks, as Gemma has them, a model soon adds so much to its embeddings that later layers cannot tell
# the tokens apart: these start with large embeddings, and with a head of their own.
EMBEDDING_DEVIATION = {"llama-mini": 1.0, "deepseek-mini": 1.0}


def build(name, seed):
    torch.manual_seed(seed)
    model = MODELS[name]()
    if name in EMBEDDING_DEVIATION:
        torch.nn.init.normal_(model.get_input_embeddings().weight, std=EMBEDDING_DEVIATION[name])
    return model


def is_matrix(key, weight):
    """Whether Muon trains this parameter: linear maps, and experts stacked as [experts, rows, columns]."""
    return weight.ndim >= 2 and "embed" not in key and "lm_head" not in key and ".gate.weight" not in key
