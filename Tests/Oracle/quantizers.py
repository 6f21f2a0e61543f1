"""Rows, and what MLX, gguf and ml_dtypes quantize them to, in the layouts of the golden files."""

import sys
from pathlib import Path

sys.path.append(str(Path(__file__).resolve().parents[1] / "Fixtures"))
import make_formats  # noqa: E402
import make_ggml  # noqa: E402

try:
    import make_affine
except ImportError:
    make_affine = None

ROWS = 1000


def write_ggml(folder: Path, seed: int) -> None:
    make_ggml.write(folder / "ggml", make_ggml.rows(ROWS, seed))


def write_formats(folder: Path, seed: int) -> None:
    make_formats.write(folder / "formats", make_formats.rows(ROWS, seed))


def write_affine(folder: Path, seed: int) -> bool:
    """False where there is no MLX."""
    if make_affine is not None:
        make_affine.write(folder / "affine", make_affine.rows(ROWS, seed))
    return make_affine is not None
