#!/usr/bin/env python3
"""Compares kvlab with transformers, tokenizers, sentencepiece, MLX and gguf on what a seed draws.

    make oracle [SEED=n] [MODELS=n] [TEXTS=n]

- Models: `MODELS` of each class with random configurations and weights. Logits of `kvlab logits` in 32-bit floats
  against transformers at every position: relative L2 error at most 1e-4, the same token chosen; in one step, in chunks,
  token by token, by the scalar kernels, and with the latent cache. With weights of 4 bits, against transformers with the
  weights that these stand for: the reference path as above; the fast ones, which round activations, are
  reported against 2e-2 and fail where a model's median is over 5e-2.
- Texts: ids and decoded text of `TEXTS` random texts for each tokenizer in Tests/Fixtures/tokenizers.
- Quantizers: the bytes of MLX's affine formats, of GGML's blocks, and of FP8, MXFP4 and NVFP4.

The exit status is 0 only if all of it agrees.
"""

import argparse
import os
import secrets
import subprocess
import sys
import tempfile
from pathlib import Path

import torch
import transformers

import models
import quantizers
import tokenizer_texts
from configurations import CLASSES

ROOT = Path(__file__).resolve().parents[2]


def compare_models(count: int, seed: int) -> int:
    """The number of checks that failed."""
    wrong, fast = 0, {}
    for kind in CLASSES:
        for index in range(count):
            with tempfile.TemporaryDirectory() as folder:
                for check in models.compare(kind, index, seed, Path(folder)):
                    print(check, flush=True)
                    wrong += not check.passed
                    if check.way.startswith("4 bits, fast"):
                        fast.setdefault(check.way, []).append(check.errors)
    for way, parts in fast.items():
        errors = torch.cat(parts)
        print(f"{way}, all positions: median {errors.median():.1e}, worst {errors.max():.1e}, "
              f"{(errors <= models.FOUR_BITS).float().mean():.1%} within {models.FOUR_BITS:.0e}")
    if not fast:
        print("4 bits: not compared, for there is no MLX here, or no model whose widths are whole groups")
    return wrong


def compare_bytes_and_texts(texts: int, seed: int) -> int:
    """The exit status of the tests that read what is written here."""
    with tempfile.TemporaryDirectory() as folder:
        print("Writing texts and rows", flush=True)
        tokenizer_texts.write(Path(folder) / "texts.tsv", texts, seed)
        tests = [
            "TextTests.LibraryTests", "SchemesTests.GGMLSchemeTests/encodesAndDecodesLikeGGML",
            "SchemesTests.SmallFloatSchemeTests/encodesAndDecodesLikeTheirTypes",
        ]
        quantizers.write_ggml(Path(folder), seed)
        quantizers.write_formats(Path(folder), seed)
        if quantizers.write_affine(Path(folder), seed):
            tests.append("CKernelsTests.AffineTests/encodesLikeMLX")
        else:
            print("Affine formats: not compared, for there is no MLX on this machine")
        command = ["swift", "test", "-c", "release", "--disable-testable-imports", "--filter", "|".join(tests)]
        return subprocess.run(command, cwd=ROOT, env={**os.environ, "KVLAB_ORACLE": folder}).returncode


def main() -> None:
    parser = argparse.ArgumentParser()
    parser.add_argument("--seed", type=int, default=secrets.randbelow(1 << 31), help="drawn if it is not given")
    parser.add_argument("--models", type=int, default=8, help="models of each class")
    parser.add_argument("--texts", type=int, default=2000, help="texts for each tokenizer")
    options = parser.parse_args()
    print(f"SEED={options.seed}", flush=True)
    transformers.logging.set_verbosity_error()
    transformers.utils.logging.disable_progress_bar()
    torch.set_num_threads(1)
    wrong = compare_models(options.models, options.seed) if options.models else 0
    print(f"Models: {wrong} checks failed")
    status = compare_bytes_and_texts(options.texts, options.seed)
    print(f"SEED={options.seed}: {'all agree' if wrong == 0 and status == 0 else 'NOT ALL AGREE'}")
    sys.exit(1 if wrong or status else 0)


if __name__ == "__main__":
    main()
