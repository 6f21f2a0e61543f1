"""Writes the golden file of KIVI: what a transcription of its published quantizer makes of 128 rows.

    python -m venv venv && venv/bin/pip install numpy
    venv/bin/python Tests/Fixtures/make_kivi.py

Layout of kivi/rows.bin, little-endian, no header: the input, [128, 64] f32; then for 4 and for 2 bits, for keys and for
values: codes [128, 64 * bits / 8] u8, scales and zeros f16 (keys [4, 64], values [128, 2]), and the rows read back,
[128, 64] f32.
"""

import pathlib

import numpy as np

TOKENS, WIDTH, GROUP = 128, 64, 32


def rows(seed: int = 20260301) -> np.ndarray:
    random = np.random.default_rng(seed)
    x = random.standard_normal((TOKENS, WIDTH)).astype(np.float32)
    x[:, 7] *= 30  # channels with outliers
    x[:, 40] += 20
    x[32:64] *= random.lognormal(0, 2, (32, WIDTH)).astype(np.float32)
    x[64] = 0
    x[65] = 1.5
    x[66] = 0.01
    x[66, 3] = 1000
    x[67] *= 1e-6  # scales below the least normal f16
    x[68] *= 1e-9  # zeros as f16
    x[69] = np.where(np.arange(WIDTH) % 3 == 0, 30000, -30000)
    x[70] = np.arange(WIDTH) % 16  # whole steps
    x[71] = np.arange(WIDTH) % 31 / 2  # ties
    x[72] = np.arange(WIDTH) % 7 / 2
    x[96:, :8] = 0.25  # constant channels
    x[96:, 8:16] = 0
    x[96:, 16:24] *= 1e-7
    x[96:, 24] = np.arange(32) % 4
    x[96:, 25] = np.arange(32) / 2
    return x


def quantize(groups: np.ndarray, bits: int) -> tuple[np.ndarray, np.ndarray, np.ndarray]:
    """KIVI's quant/new_pack.py on the last axis, on f16: every result is rounded to it."""
    largest = 2**bits - 1
    low, high = groups.min(-1, keepdims=True), groups.max(-1, keepdims=True)
    scale = ((high - low) / np.float16(largest)).astype(np.float16)
    assert scale.dtype == low.dtype == np.float16 and np.isfinite(scale).all()
    with np.errstate(divide="ignore", invalid="ignore"):
        steps = ((groups - low).astype(np.float16) / scale).astype(np.float16)
    # 0 / 0 where all are equal: x = zero whatever the code; 0 here.
    steps = np.where(scale == 0, np.float16(0), steps)
    return np.rint(np.clip(steps, 0, largest)).astype(np.uint8), scale, low


def pack(codes: np.ndarray, bits: int) -> np.ndarray:
    """Along the row, least significant bits first."""
    parts = codes.reshape(TOKENS, -1, 8 // bits)
    return np.bitwise_or.reduce(parts << (np.arange(8 // bits) * bits).astype(np.uint8), axis=-1).astype(np.uint8)


def main() -> None:
    x = rows()
    half = x.astype(np.float16)
    out = [x]
    for bits in (4, 2):
        for kind in ("keys", "values"):
            if kind == "keys":
                # [tile, channel, token]
                groups = half.reshape(-1, GROUP, WIDTH).transpose(0, 2, 1)
            else:
                groups = half.reshape(TOKENS, -1, GROUP)
            codes, scale, zero = quantize(groups, bits)
            back = codes.astype(np.float32) * scale.astype(np.float32) + zero.astype(np.float32)
            if kind == "keys":
                codes, back = (part.transpose(0, 2, 1) for part in (codes, back))
            codes, back = codes.reshape(TOKENS, WIDTH), np.ascontiguousarray(back.reshape(TOKENS, WIDTH))
            assert back.dtype == np.float32
            out += [pack(codes, bits), scale[..., 0], zero[..., 0], back]
    folder = pathlib.Path(__file__).parent / "kivi"
    folder.mkdir(exist_ok=True)
    (folder / "rows.bin").write_bytes(b"".join(np.ascontiguousarray(part).tobytes() for part in out))


if __name__ == "__main__":
    main()
