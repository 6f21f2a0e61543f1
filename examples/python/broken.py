"""Broken on purpose: 4 bits that are really more, for the scales do not go through the bytes.

  kvlab compare --model llama-mini --schemes 'q4_0, python:examples/python/broken.py'

It keeps the rows' scales in a list, where `decode` would find them if the two ran in one process. They do not: the row of the
table says so, and the other schemes finish.
"""

import numpy as np

scales = []


def tile_bytes(width, kind):
    return width // 2


def encode(rows, kind):
    scale = np.abs(rows).max(1, keepdims=True) / 7
    scales.extend(scale)
    codes = (np.rint(rows / np.where(scale > 0, scale, 1)) + 8).astype(np.uint8)
    return codes[:, 0::2] | codes[:, 1::2] << 4


def decode(data, width, kind):
    codes = np.stack([data & 15, data >> 4], 2).reshape(len(data), width).astype(np.float32) - 8
    return codes * np.array([scales[row] for row in range(len(data))])
