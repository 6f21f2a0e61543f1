#!/usr/bin/env python3
"""Opens what `kvlab cache export` wrote with safetensors and with mlx-lm, and compares the two.

    pip install 'mlx[cpu]' mlx-lm==0.32.2 safetensors numpy
    kvlab cache export anna --cache-dir caches --form decoded --out decoded.safetensors
    kvlab cache export anna --cache-dir caches --form safetensors --out planes.safetensors
    kvlab cache export anna --cache-dir caches --form mlx --out mlx.safetensors
    python scripts/check-cache-exports.py decoded.safetensors planes.safetensors mlx.safetensors
"""
import sys

import mlx.core as mx
import numpy as np
from mlx_lm.models.cache import load_prompt_cache
from safetensors import safe_open

decoded_path, planes_path, mlx_path = sys.argv[1:]
with safe_open(decoded_path, framework="np") as file:
    decoded = {name: file.get_tensor(name) for name in file.keys()}
with safe_open(planes_path, framework="np") as file:
    metadata = file.metadata()
    planes = {name: file.get_tensor(name) for name in file.keys()}
assert metadata["format"] == "kvlab-export", metadata
assert (planes["tokens"] == decoded["tokens"]).all()
count = len(decoded["tokens"])

cache, facts = load_prompt_cache(mlx_path, return_metadata=True)
for layer, object in enumerate(cache):
    assert object.offset == count, (layer, object.offset)
    for kind, stored in (("keys", object.keys), ("values", object.values)):
        rows = decoded[f"layers.{layer}.{kind}"]
        if isinstance(stored, (tuple, list)):
            stored = mx.dequantize(*stored, group_size=object.group_size, bits=object.bits)
        stored = np.array(stored.astype(mx.float32))
        rows = rows[:, :, rows.shape[2] - stored.shape[2]:]
        worst = np.abs(stored - rows).max() / max(1e-9, np.abs(rows).max())
        assert worst < 1e-2, (layer, kind, worst)
    # It takes more tokens.
    heads, width = decoded[f"layers.{layer}.keys"].shape[1], decoded[f"layers.{layer}.keys"].shape[3]
    more = mx.zeros((1, heads, 1, width), dtype=mx.float16)
    object.update_and_fetch(more, mx.zeros((1, heads, 1, decoded[f"layers.{layer}.values"].shape[3]), dtype=mx.float16))
    assert object.offset == count + 1
print(f"{len(cache)} layers, {count} tokens of {facts['agent']}: ok ({', '.join(sorted({type(c).__name__ for c in cache}))})")
