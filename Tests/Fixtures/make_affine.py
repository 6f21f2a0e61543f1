"""Writes the golden files of the affine quantizer: what MLX's `mx.quantize` makes of eight rows. `make oracle` writes
others with more rows.

    python -m venv venv && venv/bin/pip install "mlx[cpu]==0.32.4" numpy
    venv/bin/python Tests/Fixtures/make_affine.py

Layout of affine/f16.bin and affine/bf16.bin, little-endian, no header:
the input, [rows, 128] 16-bit floats of the named type; then for each width of a code in 2, 3, 4, 5, 6, 8 bits and each
group of 32, 64, 128: codes [rows, 128 * bits / 8] bytes, scales [rows, 128 / group] and biases [rows, 128 / group] of
the type.
"""

import pathlib

import mlx.core as mx
import numpy as np

WIDTH = 128


def rows(count: int = 8, seed: int = 20260101) -> np.ndarray:
    random = np.random.default_rng(seed)
    x = random.standard_normal((count, WIDTH)).astype(np.float32)
    x[1] = np.abs(x[1]) + 3  # far from zero
    x[2] = np.round(x[2] * 4)  # ties
    x[3] = 0
    x[3, [5, 77]] = [2.5, -2.5]  # equal ends
    x[4] *= 1e-7  # about the smallest scale
    x[5] = np.clip(x[5] * random.lognormal(0, 3, WIDTH), -60000, 60000)
    x[6] = 0.1  # one value
    x[7] = 0
    x[8:] *= random.lognormal(0, 3, (count - 8, 1))
    return np.clip(x, -60000, 60000)


def write(folder: pathlib.Path, values: np.ndarray) -> None:
    mx.set_default_device(mx.cpu)
    folder.mkdir(exist_ok=True)
    for name, dtype in (("f16", mx.float16), ("bf16", mx.bfloat16)):
        x = mx.array(values).astype(dtype)
        parts = [np.array(x.view(mx.uint16))]
        for bits in (2, 3, 4, 5, 6, 8):
            for group in (32, 64, 128):
                codes, scales, biases = mx.quantize(x, group_size=group, bits=bits, mode="affine")
                parts += [np.array(codes), np.array(scales.view(mx.uint16)), np.array(biases.view(mx.uint16))]
        (folder / f"{name}.bin").write_bytes(b"".join(part.tobytes() for part in parts))


if __name__ == "__main__":
    write(pathlib.Path(__file__).parent / "affine", rows())
