#!/usr/bin/env python3
"""Compares kvlab's tokenizers with Hugging Face tokenizers and sentencepiece over random texts.

    python Tests/Fixtures/fuzz_tokenizers.py [--count 20000] [--seed 1]

For each tokenizer in tokenizers/ it writes that many texts with the ids and the decoded text of the library into a
file, then runs the test `FuzzTests`, which reads the file that the variable KVLAB_TOKENIZER_CASES names.
Needs the packages that make_tokenizers.py names.
"""

import argparse
import os
import random
import subprocess
import sys
import tempfile
from pathlib import Path

from make_tokenizers import (CORPUS, HARD_TEXTS, HERE, MAKERS, SENTENCEPIECE, alphabet, for_sentencepiece, load,
                             random_text, train_sentencepiece)


def texts(rng, count, decode, size):
    """Random texts of five kinds: mixtures, scalars of all planes, decoded random ids, bytes, runs of white space."""
    letters, words = alphabet(), CORPUS.split()
    out = []
    while len(out) < count:
        kind = rng.randrange(8)
        if kind <= 2:
            out.append(random_text(rng, letters, words))
        elif kind == 3:
            scalars = (rng.choice([rng.randrange(0xD800), rng.randrange(0xE000, 0x110000), rng.randrange(0x20, 0x7F)])
                       for _ in range(rng.randrange(1, 30)))
            out.append("".join(map(chr, scalars)))
        elif kind <= 5:
            out.append(decode([rng.randrange(size) for _ in range(rng.randrange(1, 25))]))
        elif kind == 6:
            out.append(bytes(rng.choice([rng.randrange(256), rng.randrange(0x80, 0x100), 0x20]) for _ in range(rng.randrange(1, 20)))
                       .decode("utf-8", "replace"))
        else:
            out.append("".join(rng.choice([" ", "  ", "\n", "\r\n", "\t", "\u00a0", "\u3000", "x", "1", "22", "'s", ".", "é", "中",
                                           "e\u0301"]) * rng.randrange(1, 5) for _ in range(rng.randrange(1, 20))))
    return out


def line(name, text, ids, decoded):
    return "\t".join([name, text.encode().hex(), ",".join(map(str, ids)), decoded.encode().hex()]) + "\n"


def main():
    parser = argparse.ArgumentParser()
    parser.add_argument("--count", type=int, default=20_000, help="texts per tokenizer")
    parser.add_argument("--seed", type=int, default=1)
    options = parser.parse_args()
    with tempfile.NamedTemporaryFile("w", suffix=".tsv") as file:
        for name in MAKERS:
            rng = random.Random(f"{name} {options.seed}")
            tokenizer = load(HERE / name)
            for text in texts(rng, options.count, lambda ids: tokenizer.decode(ids, skip_special_tokens=False),
                              tokenizer.get_vocab_size()):
                ids = tokenizer.encode(text, add_special_tokens=False).ids
                file.write(line(name, text, ids, tokenizer.decode(ids, skip_special_tokens=False)))
        for name in SENTENCEPIECE:
            rng = random.Random(f"sentencepiece {name} {options.seed}")
            processor = train_sentencepiece(name)
            made = texts(rng, options.count + options.count // 8, processor.decode, processor.get_piece_size())
            for text in for_sentencepiece(made)[:options.count]:
                ids = processor.encode(text)
                file.write(line(f"sentencepiece/{name}", text, ids, processor.decode(ids)))
        file.flush()
        command = ["swift", "test", "-c", "release", "--filter", "FuzzTests"]
        environment = {**os.environ, "KVLAB_TOKENIZER_CASES": file.name}
        sys.exit(subprocess.run(command, cwd=Path(__file__).parents[2], env=environment).returncode)


if __name__ == "__main__":
    main()
