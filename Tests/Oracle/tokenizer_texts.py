"""Random texts with the ids and the decoded texts of Hugging Face tokenizers and sentencepiece, for `LibraryTests`."""

import random
import sys
from pathlib import Path

sys.path.append(str(Path(__file__).resolve().parents[1] / "Fixtures"))
from make_tokenizers import (CORPUS, HERE, MAKERS, SENTENCEPIECE, alphabet, for_sentencepiece, load,
                             random_text, train_sentencepiece)  # noqa: E402


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


def write(path, count, seed):
    """One line for each text: tokenizer, text, ids, decoded text; texts in hexadecimal."""
    with open(path, "w") as file:
        for name in MAKERS:
            rng = random.Random(f"{name} {seed}")
            tokenizer = load(HERE / name)
            for text in texts(rng, count, lambda ids: tokenizer.decode(ids, skip_special_tokens=False),
                              tokenizer.get_vocab_size()):
                ids = tokenizer.encode(text, add_special_tokens=False).ids
                file.write(line(name, text, ids, tokenizer.decode(ids, skip_special_tokens=False)))
        for name in SENTENCEPIECE:
            rng = random.Random(f"sentencepiece {name} {seed}")
            processor = train_sentencepiece(name)
            made = texts(rng, count + count // 8, processor.decode, processor.get_piece_size())
            for text in for_sentencepiece(made)[:count]:
                ids = processor.encode(text)
                file.write(line(f"sentencepiece/{name}", text, ids, processor.decode(ids)))
