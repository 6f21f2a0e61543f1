"""English text and task documents as token ids, and rows to train on."""

import json
import lzma
import pathlib

import numpy as np
from tokenizers import Regex, Tokenizer, decoders, models, pre_tokenizers, processors, trainers

END = "<|endoftext|>"  # id 0; before every document, as a start and as an end
PAD = "<|pad|>"  # id 1
VOCABULARY = 4096
SEPARATOR = "\x1e"  # between the documents of a text file


def read_documents(folder):
    """The documents of a folder of .txt or .txt.xz files, as (train, held out).

    Files named *heldout* are held out; where there are none, every 50th document of each file is.
    """
    files = sorted(p for p in pathlib.Path(folder).iterdir() if p.name.endswith((".txt", ".txt.xz")))
    if not files:
        raise SystemExit(f"{folder} holds no .txt or .txt.xz file.")
    train, held = [], []
    any_held = any("heldout" in p.name for p in files)
    for path in files:
        opened = lzma.open(path, "rt", encoding="utf-8") if path.suffix == ".xz" else open(path, encoding="utf-8")
        with opened as file:
            documents = [d for d in file.read().split(SEPARATOR) if d.strip()]
        if any_held:
            (held if "heldout" in path.name else train).extend(documents)
        else:
            held += documents[::50]
            train += [d for k, d in enumerate(documents) if k % 50]
    return train, held


def read_tasks(path):
    with open(path, encoding="utf-8") as file:
        return [json.loads(line) for line in file]


def train_tokenizer(texts):
    tokenizer = Tokenizer(models.BPE())
    # Digits one by one, with the space before them, so that a code's tokens do not depend on its neighbours.
    tokenizer.pre_tokenizer = pre_tokenizers.Sequence([
        pre_tokenizers.Split(Regex(r"\s?\p{N}"), behavior="isolated"),
        pre_tokenizers.ByteLevel(add_prefix_space=False, use_regex=True)])
    tokenizer.decoder = decoders.ByteLevel()
    tokenizer.train_from_iterator(texts, trainers.BpeTrainer(
        vocab_size=VOCABULARY, special_tokens=[END, PAD], initial_alphabet=pre_tokenizers.ByteLevel.alphabet(),
        show_progress=False))
    tokenizer.post_processor = processors.TemplateProcessing(single=f"{END} $A", special_tokens=[(END, 0)])
    return tokenizer


def encode_tasks(tokenizer, documents):
    """A list of (ids, answer), both int arrays; answer[k] is 1 + the number of the answer that token k belongs to, or 0."""
    encoded = tokenizer.encode_batch([d["text"] for d in documents])
    rows = []
    for d, e in zip(documents, encoded):
        assert d["text"].isascii()  # byte offsets are then character offsets
        answer = np.zeros(len(e.ids), np.int16)
        for k, a in enumerate(d["answers"]):
            for t, (start, end) in enumerate(e.offsets):
                if start < a["start"] + a["length"] and end > a["start"] and end > start:
                    answer[t] = k + 1
        rows.append((np.array(e.ids, np.int32), answer))
    return rows


class Pool:
    """Task documents as flat arrays, so that they load in an instant."""

    def __init__(self, ids, answer, starts):
        self.ids, self.answer, self.starts = ids, answer, starts

    @classmethod
    def pack(cls, rows):
        starts = np.cumsum([0] + [len(r[0]) for r in rows])
        return cls(np.concatenate([r[0] for r in rows]), np.concatenate([r[1] for r in rows]), starts)

    def __len__(self):
        return len(self.starts) - 1

    def __getitem__(self, k):
        a, b = self.starts[k], self.starts[k + 1]
        return self.ids[a:b], self.answer[a:b]


SMALL = ["arithmetic", "arithmetic", "copy", "copy", "tool-call", "dialogue"]
# Where the others are learned and sums are not.
SUMS = 6 * ["arithmetic"] + ["copy", "copy", "tool-call", "dialogue"]
# In a drill.
DRILL = 8 * ["arithmetic"] + 4 * ["copy"] + ["tool-call", "dialogue"]


class Rows:
    """Makes the batch of a step from (seed, step) alone, so that a resumed run sees what an unbroken one would."""

    def __init__(self, text, pools, seed):
        self.text, self.pools, self.seed = text, pools, seed

    def batch(self, step, rows, length, recall, small, mix):
        """`recall`, `small`: names of the pools of recall documents and of small tasks; `mix`: shares of text, recall and small tasks.
        Returns ids, targets' weights and answer marks, [rows, length + 1]; the marks are 1 for the first digit of a recalled
        code, which nothing but the fact tells, 2 for all other tokens of answers."""
        random = np.random.default_rng([self.seed, step])
        kinds = random.choice(3, size=rows, p=np.array(mix) / sum(mix))
        made = [self.row(random, kind, length + 1, recall, small) for kind in kinds]
        return [np.stack(part) for part in zip(*made)]

    def row(self, random, kind, length, recall, small):
        if kind == 0:
            at = random.integers(len(self.text) - length)
            return self.text[at:at + length].astype(np.int64), np.ones(length, np.float32), np.zeros(length, np.int8)
        ids, weight, mark = np.zeros(length, np.int64), np.zeros(length, np.float32), np.zeros(length, np.int8)
        at = 0
        name = random.choice(recall) if kind == 1 else None
        while at < length:
            pool = self.pools[name or random.choice(small)]
            tokens, answer = pool[random.integers(len(pool))]
            n = min(len(tokens), length - at)
            ids[at:at + n] = tokens[:n]
            weight[at:at + n] = np.where(answer[:n] > 0, 3.0, 0.3)
            mark[at:at + n] = np.where(answer[:n] > 0, 2, 0)
            if name:
                first = (answer[:n] > 0) & (np.diff(answer[:n], prepend=0) != 0)
                mark[at:at + n][first] = 1
                weight[at:at + n][first] = 10.0
            at += n
            name = None  # one recall document a row: two would use the same names with other codes
        return ids, weight, mark
