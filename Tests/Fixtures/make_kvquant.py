"""Writes the golden file of KVQuant: what a transcription of its published quantizer makes of a tile of one head.

    python -m venv venv && venv/bin/pip install numpy
    venv/bin/python Tests/Fixtures/make_kvquant.py

Layout of kvquant/rows.bin, little-endian, no header, all f32: the calibration's keys before rotary embedding, [250, 64]; the
tile's keys before rotary embedding and its values, [128, 64] each; the thresholds of the keys' channels without and with 1 % of
outliers, lower then upper, [4, 64]; levels of 4 and of 3 bits, [16] and [8]; then for 4 bits without and for 3 bits with outliers:
keys, before rotary embedding, and values read back, [128, 64] each.
"""

import pathlib

import numpy as np

from make_kivi import TOKENS, WIDTH

CALIBRATION = 250


def rows(random: np.random.Generator, tokens: int) -> np.ndarray:
    x = random.standard_t(5, (tokens, WIDTH)).astype(np.float32)
    return x * (1 + np.arange(WIDTH, dtype=np.float32) % 7) + np.arange(WIDTH, dtype=np.float32) % 3


def nearest(x: np.ndarray, levels: np.ndarray) -> np.ndarray:
    """round_to_nearest_pole_sim"""
    return levels[np.abs(x[..., None] - levels).argmin(-1)]


def quantize(x: np.ndarray, levels: np.ndarray, low: np.ndarray, high: np.ndarray, outliers: np.ndarray, stored) -> np.ndarray:
    """quant_fn_nuq_recon; `stored` rounds offsets and ranges as they are kept, outliers are kept in f16."""
    offset, reach = stored((high + low) / 2), stored((high - low) / 2)
    shifted = x - offset
    kept = np.where(outliers, 0, shifted)
    with np.errstate(divide="ignore", invalid="ignore"):
        scaled = np.where(reach > 0, kept / reach, 0)
    found = nearest(scaled.astype(np.float32), levels) * reach + offset
    return np.where(outliers, x.astype(np.float16), found).astype(np.float32)


def most(sizes: np.ndarray) -> np.ndarray:
    """Which are the 1 % of a tile with the largest sizes; never those of size 0."""
    count = int(sizes.size * 0.01)
    order = np.argsort(-sizes.ravel(), kind="stable")[:count]
    mask = np.zeros(sizes.size, bool)
    mask[order] = sizes.ravel()[order] > 0
    return mask.reshape(sizes.shape)


def half(x: np.ndarray) -> np.ndarray:
    return x.astype(np.float16).astype(np.float32)


def main() -> None:
    random = np.random.default_rng(20260304)
    past, keys, values = (rows(random, count) for count in (CALIBRATION, TOKENS, TOKENS))
    keys[5, 9], keys[77, 30], values[3, 8] = 400, -300, 250
    values[40] = 1.5
    # SimQuant.quantize: thresholds of channels, t = 1 or 0.995.
    limits = np.stack(
        [np.percentile(past, percent, axis=0) for percent in (0, 100, 0.5, 99.5)]
    ).astype(np.float32)
    levels = {bits: np.sort(random.uniform(-1, 1, 2**bits)).astype(np.float32) for bits in (4, 3)}
    parts = [past, keys, values, limits, levels[4], levels[3]]
    for bits, sparse in ((4, False), (3, True)):
        low, high = limits[2 * sparse], limits[2 * sparse + 1]
        middle, reach = (low + high) / 2, (high - low) / 2
        far = np.abs(keys - middle) / reach
        mask = most(np.where(far > 1, far, 0)) if sparse else np.zeros(keys.shape, bool)
        # What lies out of range and is no outlier takes the nearest level, an end.
        parts.append(quantize(keys, levels[bits], low, high, mask, lambda x: x))
        spread = values.std(1, keepdims=True)
        with np.errstate(divide="ignore", invalid="ignore"):
            far = np.where(spread > 0, np.abs(values - values.mean(1, keepdims=True)) / spread, 0)
        mask = most(np.where(far > 2, far, 0)) if sparse else np.zeros(values.shape, bool)
        # The published way: outliers count as the median when a token's range is taken.
        calm = np.where(mask, np.median(values, 1, keepdims=True), values)
        parts.append(quantize(values, levels[bits], calm.min(1, keepdims=True), calm.max(1, keepdims=True), mask, half))
    folder = pathlib.Path(__file__).parent / "kvquant"
    folder.mkdir(exist_ok=True)
    (folder / "rows.bin").write_bytes(b"".join(part.astype("<f4").tobytes() for part in parts))


if __name__ == "__main__":
    main()
