"""KIVI with 2 bits: keys per channel over 32 tokens, values per token over 32 channels, the newest 128 rows in fp16.

  kvlab compare --model llama-mini --schemes 'kivi-2, python:examples/python/kivi2.py'

Source: arXiv 2402.02750. Stores what kvlab's own `kivi-2` stores, and so the two must give the same numbers.
"""

import numpy as np

GROUP = 32
TILE_TOKENS = {"keys": GROUP, "values": 1}
RESIDUAL_TOKENS = 128
RESIDUAL_RULE = {"keys": "whole", "values": "rolling"}


def tile_bytes(width, kind):
    """Codes of 2 bits; a scale and a zero of 16 bits for each group of 32."""
    tokens = TILE_TOKENS[kind]
    return tokens * width // 4 + 4 * (tokens * width // GROUP)


def half(x):
    """Rounds to 16-bit floats, as KIVI does after every operation."""
    return x.astype(np.float16).astype(np.float32)


def groups(rows, kind):
    """[tiles, groups, 32, ...]: the axis to quantize over is the third."""
    width = rows.shape[1]
    if kind == "keys":
        return rows.reshape(-1, 1, GROUP, width)
    return rows.reshape(len(rows), width // GROUP, GROUP, 1)


def encode(rows, kind):
    """rows: float32 [tokens, width] -> uint8 [tiles, tile_bytes]"""
    x = groups(half(rows), kind)
    zero = x.min(2, keepdims=True)
    scale = half(half(x.max(2, keepdims=True) - zero) / 3)
    codes = half(half(x - zero) / np.where(scale > 0, scale, 1))
    codes = np.rint(codes.clip(0, 3)).astype(np.uint8).reshape(len(x), -1, 4)
    packed = codes[..., 0] | codes[..., 1] << 2 | codes[..., 2] << 4 | codes[..., 3] << 6
    numbers = np.concatenate([scale.reshape(len(x), -1), zero.reshape(len(x), -1)], 1).astype(np.float16)
    return np.concatenate([packed, numbers.view(np.uint8)], 1)


# The four codes of every byte.
CODES = (np.arange(256)[:, None] >> np.array([0, 2, 4, 6]) & 3).astype(np.float32)


def decode(data, width, kind):
    """data: uint8 [tiles, tile_bytes] -> float32 [tokens, width]"""
    split = TILE_TOKENS[kind] * width // 4
    numbers = np.ascontiguousarray(data[:, split:]).view(np.float16).astype(np.float32)
    scale, zero = numbers.reshape(len(data), 2, -1, 1).transpose(1, 0, 2, 3)
    if kind == "keys":
        scale, zero = scale.reshape(-1, 1, 1, width), zero.reshape(-1, 1, 1, width)
    else:
        scale, zero = scale[..., None], zero[..., None]
    x = groups(CODES[data[:, :split]].reshape(-1, width), kind)
    return (x * scale + zero).reshape(-1, width)
