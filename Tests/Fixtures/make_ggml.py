"""Writes the golden file of the GGML blocks: what PyPI `gguf` makes of 48 rows, and for iq4_nl the algorithm below.
`make oracle` writes another with more rows.

    python -m venv venv && venv/bin/pip install gguf==0.19.0 numpy
    venv/bin/python Tests/Fixtures/make_ggml.py

Layout of ggml/blocks.bin, little-endian, no header: the input, [rows, 64] f32; then the blocks [rows, 2] of q8_0, q5_1,
q5_0, q4_1, q4_0 and iq4_nl, of 34, 24, 22, 20, 18 and 18 bytes; then what `gguf` reads from the blocks of the first
eight rows of each, [6, 8, 64] f32.
"""

import pathlib

import gguf
import numpy as np
from gguf.quants import dequantize, quantize

WIDTH = 64
LEVELS = [-127, -104, -83, -65, -49, -35, -22, -10, 1, 13, 25, 38, 53, 69, 89, 113]


def rows(count: int = 48, seed: int = 20260102) -> np.ndarray:
    random = np.random.default_rng(seed)
    x = random.standard_normal((count, WIDTH)).astype(np.float32)
    x[8:16] *= random.lognormal(0, 2, (8, WIDTH)).astype(np.float32)  # outliers
    x[16:20] += np.float32(5)  # far from zero
    x[20] = 0
    x[21] = 1.5
    x[22] = -0.1
    x[23] = 0
    x[23, [5, 40]] = [1000, -1000]
    x[24] = 0.01
    x[24, [3, 33]] = [1000, 60000]
    x[25] *= 1e-6  # scales below the least normal f16
    x[26] *= 1e-9  # scales that are 0 as f16
    x[27] *= 1e-16
    x[28] *= np.float32(2.0**-118)
    x[29] = np.arange(WIDTH) * np.float32(2.0**-122)
    x[29, 1:4] = [2.0**-149, 2.0**-130, -(2.0**-127)]  # below the least normal f32
    x[30] *= 1e6  # scales about the largest f16, and past it
    x[31] = np.where(np.arange(WIDTH) % 3 == 0, 65504, -65504)
    # Ties: halves of steps of 1, and of 2^-7.
    halves = np.arange(WIDTH) / 2
    x[32] = halves * 4 - 63.5
    x[32, [0, 32]] = [127, -127]
    x[33] = halves + 0.5
    x[33, [31, 63]] = [127, 127]
    x[34] = -x[33]
    x[35] = halves % 8.5
    x[35, [0, 32]] = [-8, 8]
    x[36] = halves % 16.5
    x[36, [0, 32]] = [-16, 16]
    x[37] = halves % 15.5
    x[37, [0, 32]] = [15, 0]
    x[38] = halves % 31.5
    x[38, [1, 33]] = [31, 31]
    middles = (np.array(LEVELS[:-1]) + np.array(LEVELS[1:])) / 2
    x[39] = np.resize(middles, WIDTH)
    x[39, [0, 32]] = [-127, 127]
    x[40:44] = x[[32, 35, 36, 39]] * np.float32(2.0**-7)
    x[44] = np.resize([2, -2], WIDTH)  # equal ends
    x[45] = np.resize([-3, 3, 1], WIDTH)
    x[46] = 0
    x[46, [31, 32]] = [-7, 7]  # one value beside zeros
    x[47] = np.round(x[47] * 4) / 4
    x[48:] *= random.lognormal(0, 2, (count - 48, 1)).astype(np.float32)
    return x


def iq4_nl(row: np.ndarray) -> bytes:
    """GGML's quantize_row_iq4_nl_ref, which `gguf` leaves out: blocks of 32 without a search, f32 without fusing."""
    out = b""
    for block in row.astype(np.float32).reshape(-1, 32):
        extreme, codes, d = np.float32(0), [0] * 32, np.float32(0)
        for x in block:
            if abs(x) > abs(extreme):
                extreme = x
        if abs(extreme) >= np.float32(1e-15):
            inverse = np.float32(1) / (extreme / np.float32(LEVELS[0]))
            qx = qq = np.float32(0)
            for i, x in enumerate(block):
                steps = inverse * x
                # The nearest level, of two as near the upper.
                codes[i] = min(range(16), key=lambda level: (abs(float(steps) - LEVELS[level]), -level))
                q = np.float32(LEVELS[codes[i]])
                weight = x * x
                qx += weight * q * x
                qq += weight * q * q
            d = qx / qq
        out += np.float16(d).tobytes() + bytes(codes[i] | codes[16 + i] << 4 for i in range(16))
    return out


def write(folder: pathlib.Path, x: np.ndarray) -> None:
    np.seterr(over="ignore")
    folder.mkdir(exist_ok=True)
    types = gguf.GGMLQuantizationType
    kinds = (types.Q8_0, types.Q5_1, types.Q5_0, types.Q4_1, types.Q4_0)
    blocks = {kind: quantize(x, kind) for kind in kinds}
    blocks[types.IQ4_NL] = np.frombuffer(b"".join(iq4_nl(row) for row in x), np.uint8).reshape(len(x), -1)
    values = [dequantize(rows[:8], kind) for kind, rows in blocks.items()]
    assert all(np.abs(back - x[:8]).max() < 0.6 for back in values), "blocks do not come back"
    (folder / "blocks.bin").write_bytes(b"".join(part.tobytes() for part in [x, *blocks.values(), *values]))


if __name__ == "__main__":
    write(pathlib.Path(__file__).parent / "ggml", rows())
