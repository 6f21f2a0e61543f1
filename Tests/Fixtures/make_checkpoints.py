"""Makes Tests/Fixtures/checkpoints: tiny models in every format that kvlab reads, and what their tensors must read as.

    python3.11 -m venv venv
    venv/bin/pip install torch==2.13.0+cpu transformers==5.23.0 safetensors==0.8.0 gguf==0.19.0 \
        "mlx[cpu]==0.32.4" mlx-lm==0.32.2 numpy==2.4.6
    venv/bin/python make_checkpoints.py checkpoints

Weights are random with a fixed seed. transformers writes the HuggingFace folders, mlx-lm the MLX ones, gguf's writer and
quantizers the GGUF files; what llama.cpp's converter does to tensors and metadata (it is not in a package) is done here
as its source says: conversion/llama.py, gemma.py, deepseek.py and base.py of https://github.com/ggml-org/llama.cpp.

golden.json holds, per checkpoint and HuggingFace tensor name, SHA-256 of the tensor as little-endian f32, row by row: the
HuggingFace weights themselves, mx.dequantize with f32 scales and biases, gguf.quants.dequantize; and the logits of
transformers in f32.
"""

import hashlib
import json
import shutil
import sys
from pathlib import Path

import gguf
import mlx.core as mx
import numpy as np
import torch
from gguf import GGMLQuantizationType as Q
from mlx_lm import utils as mlx_utils
from safetensors.numpy import save_file
from safetensors.torch import load_file
from transformers import (
    DeepseekV2Config,
    DeepseekV2ForCausalLM,
    Gemma3ForCausalLM,
    Gemma3TextConfig,
    LlamaConfig,
    LlamaForCausalLM,
)

OUT = Path(sys.argv[1])
GOLDEN: dict[str, dict] = {}
TOKENS = [3, 14, 15, 9, 2, 6, 5, 35]

LLAMA = LlamaConfig(
    vocab_size=80, hidden_size=64, intermediate_size=128, num_hidden_layers=2, num_attention_heads=2,
    num_key_value_heads=1, head_dim=32, max_position_embeddings=32768, tie_word_embeddings=False,
    rms_norm_eps=1e-5, initializer_range=0.15,
    rope_parameters={
        "rope_type": "llama3", "rope_theta": 500000.0, "factor": 8.0, "low_freq_factor": 1.0, "high_freq_factor": 4.0,
        "original_max_position_embeddings": 8192,
    },
)
GEMMA = Gemma3TextConfig(
    vocab_size=80, hidden_size=64, intermediate_size=128, num_hidden_layers=3, num_attention_heads=2,
    num_key_value_heads=1, head_dim=32, max_position_embeddings=4096, sliding_window=16, query_pre_attn_scalar=32,
    initializer_range=0.15,
    rope_parameters={
        "full_attention": {"rope_type": "linear", "rope_theta": 1000000.0, "factor": 8.0},
        "sliding_attention": {"rope_type": "default", "rope_theta": 10000.0},
    },
    layer_types=["sliding_attention", "sliding_attention", "full_attention"],
)
DEEPSEEK = DeepseekV2Config(
    vocab_size=80, hidden_size=64, intermediate_size=128, moe_intermediate_size=64, num_hidden_layers=2,
    num_attention_heads=2, num_key_value_heads=2, kv_lora_rank=64, q_lora_rank=None, qk_nope_head_dim=32,
    qk_rope_head_dim=16, v_head_dim=32, n_routed_experts=4, n_shared_experts=1, num_experts_per_tok=2,
    first_k_dense_replace=1, routed_scaling_factor=1.0, norm_topk_prob=False, max_position_embeddings=4096,
    topk_method="greedy", initializer_range=0.15, rms_norm_eps=1e-6,
    rope_parameters={
        "rope_type": "yarn", "rope_theta": 10000.0, "factor": 40.0, "beta_fast": 32.0, "beta_slow": 1.0, "mscale": 0.707,
        "mscale_all_dim": 0.707, "original_max_position_embeddings": 128,
    },
)


def sha(array) -> str:
    return hashlib.sha256(np.ascontiguousarray(array, dtype="<f4").tobytes()).hexdigest()


def golden(checkpoint: str, tensors: dict[str, np.ndarray]):
    GOLDEN.setdefault("tensors", {})[checkpoint] = {name: sha(value) for name, value in sorted(tensors.items())}


def build(model_class, config):
    """A model in f32 whose weights are bf16 numbers, so that every 16-bit form is close and bf16 is exact."""
    torch.manual_seed(7)
    model = model_class(config).float().eval()
    generator = torch.Generator().manual_seed(11)
    with torch.no_grad():
        for name, parameter in model.named_parameters():
            if "norm" in name:
                parameter.copy_(0.3 * torch.randn(parameter.shape, generator=generator) + (0 if config is GEMMA else 1))
            elif parameter.dim() > 1:
                parameter.copy_(0.15 * torch.randn(parameter.shape, generator=generator))
            parameter.copy_(parameter.bfloat16().float())
    return model


def save(model, name: str, dtype, **options) -> dict[str, np.ndarray]:
    """A HuggingFace folder; returns its tensors as f32, under the names it has in the files."""
    folder = OUT / name
    model.to(dtype).save_pretrained(folder, **options)
    model.float()
    (folder / "generation_config.json").unlink(missing_ok=True)
    tensors = {}
    for file in sorted(folder.glob("*.safetensors")):
        tensors |= {key: value.float().numpy() for key, value in load_file(file).items()}
    golden(name, tensors)
    return tensors


def logits(name: str, model):
    with torch.no_grad():
        rows = model(torch.tensor([TOKENS])).logits[0]
    GOLDEN["tokens"] = TOKENS
    GOLDEN.setdefault("logits", {})[name] = [[round(float(x), 6) for x in row] for row in rows]


def mlx(source: str, name: str, bits: int, predicate=None):
    """The folder as mlx-lm quantizes it; it wants the older keys for rotary embeddings."""
    rope = json.loads((OUT / source / "config.json").read_text())["rope_parameters"]
    model, config = mlx_utils.load_model(
        OUT / source, lazy=False,
        model_config={"rope_theta": rope["rope_theta"], "rope_scaling": {"type": rope["rope_type"], **rope}})
    model, config = mlx_utils.quantize_model(model, config, 64, bits, quant_predicate=predicate)
    mlx_utils.save_model(OUT / name, model)
    mlx_utils.save_config(config, OUT / name / "config.json")
    (OUT / name / "model.safetensors.index.json").unlink()
    stored = mx.load(str(OUT / name / "model.safetensors"))
    tensors = {}
    for key, value in stored.items():
        if key.endswith((".scales", ".biases")):
            continue
        module = key.removesuffix(".weight")
        if module + ".scales" not in stored:
            tensors[key] = np.array(value.astype(mx.float32))
            continue
        scales, biases = (stored[f"{module}.{kind}"].astype(mx.float32) for kind in ("scales", "biases"))
        wide = value.shape[-1] * 32 // (scales.shape[-1] * 64)
        dense = np.array(mx.dequantize(value, scales, biases, group_size=64, bits=wide))
        if dense.ndim == 3:
            for expert, part in enumerate(dense):
                tensors[key.replace("switch_mlp", f"experts.{expert}")] = part
        else:
            tensors[key] = dense
    golden(name, tensors)


def permute(weights: np.ndarray, heads: int) -> np.ndarray:
    """Rows of each head so that rotated pairs lie side by side; conversion/llama.py, permute."""
    return weights.reshape(heads, 2, weights.shape[0] // heads // 2, *weights.shape[1:]).swapaxes(1, 2).reshape(weights.shape)


def unpermute(weights: np.ndarray, heads: int) -> np.ndarray:
    return weights.reshape(heads, weights.shape[0] // heads // 2, 2, *weights.shape[1:]).swapaxes(1, 2).reshape(weights.shape)


class GGUF:
    """A GGUF file that is being written, and what its tensors read as."""

    def __init__(self, name: str, arch, layers: int):
        self.name = name
        self.writer = gguf.GGUFWriter(OUT / f"{name}.gguf", gguf.MODEL_ARCH_NAMES[arch])
        self.map = gguf.get_tensor_name_map(arch, layers)
        self.tensors: dict[str, np.ndarray] = {}

    def add(self, name: str, values: np.ndarray, type: Q) -> np.ndarray:
        """Writes `values` under gguf's name for `name`; returns them as they read back."""
        stored = self.map.get_name(name, try_suffixes=(".weight",)) or name
        values = np.ascontiguousarray(values, dtype=np.float32)
        if type in (Q.Q4_K, Q.Q5_K, Q.Q6_K, Q.IQ4_NL):
            raw = random_blocks(type, values.shape)
        else:
            raw = gguf.quants.quantize(values, type)
        self.writer.add_tensor(stored, raw, raw_dtype=type)
        return gguf.quants.dequantize(raw, type).reshape(values.shape)

    def common(self, config, *, kv_heads: int):
        w = self.writer
        w.add_name(self.name)
        w.add_block_count(config.num_hidden_layers)
        w.add_context_length(config.max_position_embeddings)
        w.add_embedding_length(config.hidden_size)
        w.add_feed_forward_length(config.intermediate_size)
        w.add_head_count(config.num_attention_heads)
        w.add_head_count_kv(kv_heads)
        w.add_layer_norm_rms_eps(config.rms_norm_eps)
        w.add_vocab_size(config.vocab_size)

    def close(self):
        self.writer.write_header_to_file()
        self.writer.write_kv_data_to_file()
        self.writer.write_tensors_to_file()
        self.writer.close()
        golden(self.name, self.tensors)


RANDOM = np.random.default_rng(5)


def random_blocks(type: Q, shape) -> np.ndarray:
    """Blocks of types that gguf cannot quantize to: any bits, with scales that are small finite numbers."""
    elements, size = gguf.GGML_QUANT_SIZES[type]
    blocks = RANDOM.integers(0, 256, (int(np.prod(shape)) // elements, size), dtype=np.uint8)
    halves = (RANDOM.uniform(0.0005, 0.01, (len(blocks), 2)) * RANDOM.choice([-1, 1], (len(blocks), 2))).astype(np.float16)
    if type == Q.Q6_K:
        blocks[:, -2:] = halves[:, :1].view(np.uint8)
    elif type == Q.IQ4_NL:
        blocks[:, :2] = halves[:, :1].view(np.uint8)
    else:
        blocks[:, :4] = halves.view(np.uint8)
    return blocks.reshape(*shape[:-1], -1)


def gguf_llama(tensors, name: str, types: list[Q]):
    g = GGUF(name, gguf.MODEL_ARCH.LLAMA, LLAMA.num_hidden_layers)
    g.common(LLAMA, kv_heads=LLAMA.num_key_value_heads)
    w = g.writer
    w.add_rope_dimension_count(32)
    w.add_key_length(32)
    w.add_value_length(32)
    w.add_rope_freq_base(500000.0)
    w.add_tokenizer_model("gpt2")
    w.add_tokenizer_pre("llama-bpe")
    w.add_token_list([*"t0123456789Ġ"] + [f"t{i}" for i in range(67)] + ["é"])
    w.add_token_types([1] * 78 + [3, 3])
    w.add_token_merges(["t 0", "t 1"])
    w.add_bos_token_id(78)
    w.add_eos_token_id(79)
    w.add_unk_token_id(0)
    w.add_add_bos_token(True)
    w.add_chat_template("{{ messages }}")
    count = 0
    for key, value in tensors.items():
        type = Q.F32
        if value.ndim > 1:
            type = types[count % len(types)]
            count += 1
        heads = {"q_proj": 2, "k_proj": 1}.get(key.split(".")[-2])
        if heads:
            g.tensors[key] = unpermute(g.add(key, permute(value, heads), type), heads)
        else:
            g.tensors[key] = g.add(key, value, type)
    # conversion/llama.py, generate_extra_tensors
    freqs = 1.0 / (500000.0 ** (torch.arange(0, 32, 2, dtype=torch.float32) / 32))
    factors = []
    for freq in freqs:
        wavelength = 2 * np.pi / freq
        if wavelength < 8192 / 4:
            factors.append(1)
        elif wavelength > 8192:
            factors.append(8.0)
        else:
            smooth = (8192 / wavelength - 1) / 3
            factors.append(1 / ((1 - smooth) / 8.0 + smooth))
    g.writer.add_tensor("rope_freqs.weight", np.array(factors, dtype=np.float32))
    g.close()


def gguf_gemma(tensors, name: str):
    g = GGUF(name, gguf.MODEL_ARCH.GEMMA3, GEMMA.num_hidden_layers)
    g.common(GEMMA, kv_heads=1)
    w = g.writer
    w.add_key_length(32)
    w.add_value_length(32)
    w.add_rope_freq_base(1000000.0)
    w.add_rope_scaling_type(gguf.RopeScalingType.LINEAR)
    w.add_rope_scaling_factor(8.0)
    w.add_sliding_window(16)
    w.add_array("gemma3.attention.sliding_window_pattern", [True, True, False])
    w.add_tokenizer_model("llama")
    w.add_token_list([f"▁t{i}" for i in range(80)])
    w.add_token_scores([-float(i) for i in range(80)])
    w.add_token_types([2, 3, 3] + [1] * 77)
    w.add_add_space_prefix(False)
    for key, value in tensors.items():
        if key.endswith("norm.weight"):
            g.tensors[key] = g.add(key, value + 1, Q.F32) - 1
        else:
            g.tensors[key] = g.add(key, value, Q.Q8_0)
    g.close()


def gguf_deepseek(tensors, name: str, *, split: bool):
    """`split`: the newer form with k_b and v_b, whose metadata describes attention over the latent."""
    g = GGUF(name, gguf.MODEL_ARCH.DEEPSEEK2, DEEPSEEK.num_hidden_layers)
    g.common(DEEPSEEK, kv_heads=1 if split else 2)
    w = g.writer
    w.add_leading_dense_block_count(1)
    w.add_kv_lora_rank(64)
    if split:
        w.add_key_length(64 + 16)
        w.add_value_length(64)
        w.add_key_length_mla(48)
        w.add_value_length_mla(32)
    else:
        w.add_key_length(48)
        w.add_value_length(32)
    w.add_rope_dimension_count(16)
    w.add_rope_freq_base(10000.0)
    w.add_rope_scaling_type(gguf.RopeScalingType.YARN)
    w.add_rope_scaling_factor(40.0)
    w.add_rope_scaling_orig_ctx_len(128)
    w.add_rope_scaling_yarn_log_mul(0.1 * 0.707)
    w.add_expert_feed_forward_length(64)
    w.add_expert_count(4)
    w.add_expert_used_count(2)
    w.add_expert_shared_count(1)
    w.add_expert_weights_scale(1.0)
    experts: dict[str, list] = {}
    for key, value in tensors.items():
        if ".experts." in key:
            head, tail = key.split(".experts.")
            experts.setdefault(f"{head}.experts.{tail.split('.', 1)[1]}", []).append((key, value))
        elif key.endswith("kv_b_proj.weight") and split:
            both = value.reshape(2, 32 + 32, 64)
            keys = g.add(key.replace("kv_b", "k_b"), both[:, :32].transpose(0, 2, 1), Q.Q8_0)
            values = g.add(key.replace("kv_b", "v_b"), both[:, 32:], Q.Q8_0)
            g.tensors[key] = np.concatenate([keys.transpose(0, 2, 1), values], axis=1).reshape(128, 64)
        else:
            g.tensors[key] = g.add(key, value, Q.F32 if value.ndim == 1 or key.endswith("mlp.gate.weight") else Q.Q8_0)
    for key, parts in experts.items():
        read = g.add(key, np.stack([value for _, value in parts]), Q.Q8_0)
        for (name, _), value in zip(parts, read):
            g.tensors[name] = value
    g.close()


def gguf_types(name: str):
    """One tensor of each type, and no model; beside it what they read as."""
    g = GGUF(name, gguf.MODEL_ARCH.LLAMA, 1)
    for type in [Q.F32, Q.F16, Q.BF16, Q.Q8_0, Q.Q4_0, Q.Q4_1, Q.Q5_0, Q.Q5_1, Q.Q4_K, Q.Q5_K, Q.Q6_K, Q.IQ4_NL]:
        values = RANDOM.normal(0, 0.1, (3, 256)).astype(np.float32)
        # Numbers below the normal range of f16, zeros, and a block of zeros.
        values[1, :40] *= 1e-5
        values[2, 64:96] = 0
        g.tensors[type.name] = g.add(type.name, values, type)
    g.close()
    save_file(g.tensors, OUT / f"{name}.safetensors")


def main():
    OUT.mkdir(parents=True, exist_ok=True)
    for path in OUT.iterdir():
        if path.is_dir():
            shutil.rmtree(path)
        elif path.name != "README.md":
            path.unlink()
    llama = build(LlamaForCausalLM, LLAMA)
    logits("llama", llama)
    tensors = save(llama, "llama-bf16", torch.bfloat16)
    save(llama, "llama-f16-sharded", torch.float16, max_shard_size="60KB")
    mlx("llama-bf16", "llama-mlx-q4", 4)
    mlx("llama-bf16", "llama-mlx-q8", 8)
    mlx("llama-f16-sharded", "llama-mlx-mixed", 4,
        lambda path, module: {"group_size": 64, "bits": 8} if path.endswith(("layers.1.mlp.down_proj", "v_proj")) else True)
    gguf_llama(tensors, "llama-f32", [Q.F32])
    gguf_llama(tensors, "llama-mixed", [Q.Q8_0, Q.F16, Q.Q4_0, Q.BF16, Q.Q4_1, Q.Q5_0, Q.Q5_1])
    gemma = build(Gemma3ForCausalLM, GEMMA)
    logits("gemma", gemma)
    gguf_gemma(save(gemma, "gemma-f32", torch.float32), "gemma-q8_0")
    deepseek = build(DeepseekV2ForCausalLM, DEEPSEEK)
    logits("deepseek", deepseek)
    tensors = save(deepseek, "deepseek-bf16", torch.bfloat16)
    mlx("deepseek-bf16", "deepseek-mlx-q4", 4)
    gguf_deepseek(tensors, "deepseek-split", split=True)
    gguf_deepseek(tensors, "deepseek-whole", split=False)
    gguf_types("types")
    (OUT / "golden.json").write_text(json.dumps(GOLDEN, indent=None, sort_keys=True) + "\n")


main()
