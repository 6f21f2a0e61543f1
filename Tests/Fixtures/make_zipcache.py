"""Writes the golden file of ZipCache: what a transcription of its published quantizers makes of a tile of one head.

    python -m venv venv && venv/bin/pip install numpy
    venv/bin/python Tests/Fixtures/make_zipcache.py

Layout of zipcache/rows.bin, little-endian, no header: which tokens are salient, [128] u8; the input, [128, 64] f32; the rows read
back as keys and as values, [128, 64] f32 each.
"""

import pathlib

import numpy as np

from make_kivi import TOKENS, WIDTH, rows

SALIENT = 77


def quantize(x: np.ndarray, bits: int, axis: int) -> np.ndarray:
    """compress_function.py, true_channel_wise_quantize (axis 0) and the part on tokens of
    true_channel_separate_mixedprec_tokenwise_compress (axis 1), on f16: every result is rounded to it. Read back in f32."""
    largest = 2**bits - 1
    low, high = x.min(axis, keepdims=True), x.max(axis, keepdims=True)
    step = ((high - low) / np.float16(largest)).astype(np.float16)
    assert step.dtype == low.dtype == np.float16 and np.isfinite(step).all()
    with np.errstate(divide="ignore", invalid="ignore"):
        steps = ((x - low).astype(np.float16) / step).astype(np.float16)
    # 0 / 0 where all are equal: x = low whatever the code; 0 here.
    codes = np.rint(np.clip(np.where(step == 0, np.float16(0), steps), 0, largest))
    return codes.astype(np.float32) * step.astype(np.float32) + low.astype(np.float32)


def main() -> None:
    x = rows()
    half = x.astype(np.float16)
    salient = np.zeros(TOKENS, np.uint8)
    salient[np.random.default_rng(20260302).permutation(TOKENS)[:SALIENT]] = 1
    root = np.sqrt(np.abs(half).max(0))
    assert root.dtype == np.float16 and (root > 0).all()
    divided = (half / root).astype(np.float16)
    keys, values = np.empty((2, TOKENS, WIDTH), np.float32)
    for bits, tokens in ((4, salient == 1), (2, salient == 0)):
        keys[tokens] = quantize(half[tokens], bits, 0)
        values[tokens] = quantize(divided[tokens], bits, 1) * root.astype(np.float32)
    folder = pathlib.Path(__file__).parent / "zipcache"
    folder.mkdir(exist_ok=True)
    (folder / "rows.bin").write_bytes(b"".join(part.tobytes() for part in (salient, x, keys, values)))


if __name__ == "__main__":
    main()
