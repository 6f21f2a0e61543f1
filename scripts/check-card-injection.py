#!/usr/bin/env python3
"""Compares examples/python/inject.py with kvlab: for each class of models, the tokens that follow a card.

    pip install torch transformers safetensors numpy
    python scripts/check-card-injection.py [KVLAB]

Cards are made of the small checkpoints in Tests/Fixtures/checkpoints, in 32-bit floats, and go to their own position and to
another. transformers generates 24 tokens; kvlab computes the logits of the same tokens, and must choose each of them.
"""
import json
import random
import subprocess
import sys
import tempfile
from pathlib import Path

import torch
from safetensors.torch import load_file

ROOT = Path(__file__).resolve().parents[1]
KVLAB = sys.argv[1] if len(sys.argv) > 1 else str(ROOT / ".build/release/kvlab")
CHECKPOINTS = ROOT / "Tests/Fixtures/checkpoints"


def kvlab(checkpoint, *arguments):
    command = [KVLAB, "logits", "--weights", str(checkpoint), "--weight-bits", "32", "--compute", "reference", *arguments]
    subprocess.run(command, check=True)


def text(ids):
    return ",".join(map(str, ids))


def main():
    draw = random.Random(1)
    worst = 0.0
    for name, more in (("llama-bf16", []), ("gemma-f32", []), ("deepseek-bf16", ["--mla", "latent"])):
        checkpoint = CHECKPOINTS / name
        vocabulary = json.loads((checkpoint / "config.json").read_text())["vocab_size"]
        with tempfile.TemporaryDirectory() as folder:
            card, out, theirs = (f"{folder}/{part}.safetensors" for part in ("card", "ours", "theirs"))
            context, query, own = ([draw.randrange(3, vocabulary) for _ in range(count)] for count in (60, 5, 17))
            for scheme in ("fp32", "fp16"):
                kvlab(checkpoint, *more, "--kv", scheme, "--tokens", text(context), "--card-out", card, "--out", out)
                for before in ([], own):
                    place = ["--before", text(before)] if before else []
                    answer = subprocess.run(
                        [sys.executable, str(ROOT / "examples/python/inject.py"), card, "--weights", str(checkpoint), *place,
                         "--tokens", text(query), "--count", "24", "--logits", theirs],
                        check=True, capture_output=True, text=True)
                    tokens = json.loads(answer.stdout)["tokens"]
                    kvlab(checkpoint, *more, "--kv", "fp32", *place, "--card", card, "--tokens", text(query + tokens[:-1]),
                          "--out", out)
                    ours = load_file(out)["logits"]
                    chosen = ours[len(query) - 1:].argmax(-1).tolist()
                    assert chosen == tokens, (name, scheme, len(before), chosen, tokens)
                    expected = load_file(theirs)["logits"]
                    error = ((ours - expected).norm() / expected.norm()).item()
                    assert error < 1e-4, (name, scheme, len(before), error)
                    worst = max(worst, error)
                    print(f"{name}, {scheme} card behind {len(before)} tokens: 24 of 24 tokens the same, logits {error:.1e}")
    print(f"All the same; logits differ by {worst:.1e} at most.")


if __name__ == "__main__":
    main()
