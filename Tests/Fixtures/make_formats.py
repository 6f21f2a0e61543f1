"""Writes the golden file of the small floats: FP8, MXFP4 and NVFP4 by their published algorithms, with the types of
`ml_dtypes`. `make oracle` writes another with more rows.

    python -m venv venv && venv/bin/pip install ml_dtypes==0.6.0 numpy
    venv/bin/python Tests/Fixtures/make_formats.py

Layout of formats/rows.bin, little-endian, no header: the input, [rows, 64] f32; then for each of fp8-e4m3, fp8-e5m2, mxfp4,
nvfp4 and nvfp4-row its planes, each [rows, bytes]; then for each of them what the planes stand for, [rows, 64] f32; then the
values of the 256 codes of fp8-e4m3 and of fp8-e5m2, [2, 256] f32.
"""

import pathlib

import ml_dtypes
import numpy as np

WIDTH = 64
E4M3, E5M2, E2M1 = ml_dtypes.float8_e4m3fn, ml_dtypes.float8_e5m2, ml_dtypes.float4_e2m1fn


def rows(count: int = 48, seed: int = 20260105) -> np.ndarray:
    random = np.random.default_rng(seed)
    x = random.standard_normal((count, WIDTH)).astype(np.float32)
    x[8:16] *= random.lognormal(0, 2, (8, WIDTH)).astype(np.float32)  # outliers
    x[16:20] += np.float32(5)
    x[20] = 0
    x[21] = 1.5
    x[22] = -0.1
    x[23] = 0
    x[23, [5, 40]] = [1000, -1000]
    x[24] = 0.01
    x[24, [3, 33]] = [1000, 60000]
    x[25] *= 1e-3  # block scales of nvfp4 below the least normal one
    x[26] *= 1e-4  # and 0
    x[27] *= np.float32(1e-16)
    x[28] *= np.float32(2.0**-118)
    x[29] = np.arange(WIDTH) * np.float32(2.0**-122)
    x[29, 1:4] = [2.0**-149, 2.0**-130, -(2.0**-127)]  # below the least normal f32
    x[30] *= 1e6  # beyond what nvfp4 reaches
    x[31] = np.where(np.arange(WIDTH) % 3 == 0, 3e38, -3e38)
    # Ties of E2M1 with a scale of 1, of E4M3 with one of 1, of E5M2 with one of 1.
    x[32] = np.resize(np.array([6, 0.25, 0.75, 1.25, 1.75, 2.5, 3.5, 5, -0.25, -0.75, -1.25, -1.75, -2.5, -3.5, -5, 0]), WIDTH)
    x[33] = np.arange(WIDTH) + 0.5
    x[33, 0] = 448
    x[34] = (np.arange(WIDTH) + 0.5) * np.float32(2.0**-9)
    x[34, 0] = -448
    x[35] = (np.arange(WIDTH) + 0.5) * np.float32(2.0**-16)
    x[35, 0] = 57344
    x[36] = np.linspace(16, 448, WIDTH)
    x[37] = 2.0 ** np.arange(-32, 32)
    x[38] = -x[37]
    x[39] = np.where(np.arange(WIDTH) % 16 == 0, 7.99, 0.3)  # largest just below a power of two
    x[40] = np.where(np.arange(WIDTH) % 16 == 0, 8, 0.3)
    x[48:] *= random.lognormal(0, 3, (count - 48, 1)).astype(np.float32)
    return x


def divide(x: np.ndarray, y: np.ndarray) -> np.ndarray:
    """x / y in f32, 0 where y is 0."""
    return np.divide(x, y, out=np.zeros(np.broadcast_shapes(x.shape, y.shape), np.float32), where=y != 0)


def nibbles(codes: np.ndarray) -> np.ndarray:
    codes = codes.view(np.uint8)
    return codes[:, ::2] | codes[:, 1::2] << 4


def fp8(x: np.ndarray, kind: type, largest: float) -> tuple[list[np.ndarray], np.ndarray]:
    scale = np.abs(x).max(1, keepdims=True) / np.float32(largest)
    codes = np.clip(divide(x, scale), -largest, largest).astype(kind)
    return [codes.view(np.uint8), scale], codes.astype(np.float32) * scale


def mxfp4(x: np.ndarray) -> tuple[list[np.ndarray], np.ndarray]:
    blocks = x.reshape(len(x), -1, 32).astype(np.float64)
    largest = np.abs(blocks).max(2)
    exponent = np.where(largest > 0, np.floor(np.log2(np.where(largest > 0, largest, 1))) - 2, -127)
    exponent = np.clip(exponent, -127, 127)
    scale = 2.0 ** exponent[..., None]
    codes = np.clip(blocks / scale, -6, 6).astype(np.float32).astype(E2M1)
    values = codes.astype(np.float64) * scale
    return [nibbles(codes.reshape(x.shape)), (exponent + 127).astype(np.uint8)], values.reshape(x.shape).astype(np.float32)


def nvfp4(x: np.ndarray, has_row_scale: bool) -> tuple[list[np.ndarray], np.ndarray]:
    blocks = x.reshape(len(x), -1, 16)
    unit = np.ones((len(x), 1), np.float32)
    if has_row_scale:
        unit = np.abs(x).max(1, keepdims=True) / np.float32(448 * 6)
    scale = np.clip(divide(np.abs(blocks).max(2) / np.float32(6), unit), 0, 448).astype(E4M3)
    divisor = (unit * scale.astype(np.float32))[..., None]
    codes = np.clip(divide(blocks, divisor), -6, 6).astype(E2M1)
    values = (codes.astype(np.float32) * divisor).reshape(x.shape)
    planes = [nibbles(codes.reshape(x.shape)), scale.view(np.uint8)]
    return planes + ([unit] if has_row_scale else []), values


def write(folder: pathlib.Path, x: np.ndarray) -> None:
    np.seterr(over="ignore", under="ignore")
    folder.mkdir(exist_ok=True)
    formats = [fp8(x, E4M3, 448), fp8(x, E5M2, 57344), mxfp4(x), nvfp4(x, False), nvfp4(x, True)]
    parts = [x] + [plane for planes, _ in formats for plane in planes] + [values for _, values in formats]
    parts += [np.arange(256, dtype=np.uint8).view(kind).astype(np.float32) for kind in (E4M3, E5M2)]
    (folder / "rows.bin").write_bytes(b"".join(np.ascontiguousarray(part).tobytes() for part in parts))


if __name__ == "__main__":
    write(pathlib.Path(__file__).parent / "formats", rows())
