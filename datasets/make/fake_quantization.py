"""KL divergence of affine caches, measured with transformers alone: a second opinion on `kvlab run experiments/kld.yaml`.

  python fake_quantization.py ../checkpoints/llama-mini ../articles --window 1024 --stride 512 --windows 3

Keys after their rotation, and values, are rounded to affine groups of 64 at every position before attention reads them, own
position included; the base rounds them to float16. Latent attention is measured in its expanded form.
"""

import argparse
import pathlib

import numpy as np
import torch
import transformers
from transformers.modeling_utils import ALL_ATTENTION_FUNCTIONS

BITS = 16


def quantize(x, group=64):
    """MLX's affine mode: the end of a group that is larger in magnitude is exact; scale and bias are kept in bfloat16."""
    if BITS == 16:
        return x.half().float()
    g = x.reshape(*x.shape[:-1], -1, group)
    low, high = g.amin(-1, keepdim=True), g.amax(-1, keepdim=True)
    steps = 2 ** BITS - 1
    scale = ((high - low) / steps).clamp(min=1e-7)
    flip = low.abs() > high.abs()
    scale = torch.where(flip, scale, -scale)
    edge = torch.where(flip, low, high)
    q0 = (edge / scale).round()
    scale = torch.where(q0 != 0, edge / q0, scale)
    bias = torch.where(q0 != 0, edge, torch.zeros_like(edge))
    q = ((g - bias) / scale).round().clamp(0, steps)
    stored = [t.to(torch.bfloat16).float() for t in (scale, bias)]
    return (q * stored[0] + stored[1]).reshape(x.shape)


def attention(module, query, key, value, mask, **options):
    return INNER(module, query, quantize(key), quantize(value), mask, **options)


INNER = ALL_ATTENTION_FUNCTIONS["sdpa"]


def main():
    global BITS
    p = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    p.add_argument("checkpoint")
    p.add_argument("texts", help="a .md or .txt file, or a folder of such")
    p.add_argument("--window", type=int, default=1024)
    p.add_argument("--stride", type=int, default=512)
    p.add_argument("--windows", type=int, default=1, help="windows of each text at most")
    p.add_argument("--bits", type=int, nargs="+", default=[8, 5, 4, 3, 2])
    a = p.parse_args()
    ALL_ATTENTION_FUNCTIONS.register("quantized", attention)
    transformers.masking_utils.ALL_MASK_ATTENTION_FUNCTIONS.register(
        "quantized", transformers.masking_utils.ALL_MASK_ATTENTION_FUNCTIONS["sdpa"])
    model = transformers.AutoModelForCausalLM.from_pretrained(
        a.checkpoint, dtype=torch.float32, attn_implementation="quantized").eval()
    tokenizer = transformers.AutoTokenizer.from_pretrained(a.checkpoint)
    path = pathlib.Path(a.texts)
    texts = sorted(f for f in path.iterdir() if f.suffix in (".md", ".txt") and f.name != "README.md") if path.is_dir() else [path]
    sums, loss, count = {b: [] for b in a.bits}, {b: 0.0 for b in a.bits + [16]}, 0
    for text in texts:
        ids = tokenizer(text.read_text())["input_ids"]
        for number, start in enumerate(list(range(0, len(ids) - a.window + 1, a.stride))[:a.windows]):
            window = torch.tensor([ids[start:start + a.window]])
            first = 1 if number == 0 else a.window - a.stride
            log_p = {}
            for BITS in [16] + a.bits:
                with torch.no_grad():
                    log_p[BITS] = model(window, use_cache=False).logits[0, first - 1:-1].double().log_softmax(-1)
                loss[BITS] -= log_p[BITS].gather(1, window[0, first:, None]).sum().item()
            for bits in a.bits:
                divergence = (log_p[16].exp() * (log_p[16] - log_p[bits])).sum(-1)
                sums[bits].append((divergence.sum().item(), (log_p[16].argmax(-1) == log_p[bits].argmax(-1)).sum().item()))
            count += len(log_p[16])
    print(f"{count} tokens, base perplexity {np.exp(loss[16] / count):.4f}")
    for bits in a.bits:
        kld, same = np.array(sums[bits]).sum(0) / count
        print(f"affine-q{bits}-g64: KLD {kld:.6f}, same top token {same:.5f}, perplexity {np.exp(loss[bits] / count):.4f}")


if __name__ == "__main__":
    main()
