"""Held-out perplexity and task accuracy of a model, in the precision that it is in."""

import math

import numpy as np
import torch
import torch.nn.functional as F

import data


@torch.no_grad()
def logits(model, ids):
    """ids: [rows, length] -> [rows, length, vocabulary] float32"""
    return model(input_ids=ids, use_cache=False).logits.float()


def perplexity(model, text, window=1024, scored=512):
    """Perplexity of a token stream: disjoint windows, of which the last `scored` tokens count.
    Returns (perplexity, standard error over windows, tokens scored)."""
    sums = []
    starts = list(range(0, len(text) - window, window))
    for at in range(0, len(starts), 4):
        block = torch.tensor(np.stack([text[s:s + window + 1] for s in starts[at:at + 4]]).astype(np.int64))
        block = block.to(next(model.parameters()).device)
        loss = F.cross_entropy(logits(model, block[:, :-1]).transpose(1, 2), block[:, 1:], reduction="none")
        sums += loss[:, window - scored:].sum(1).tolist()
    means = np.array(sums) / scored
    value = math.exp(means.mean())
    return value, value * means.std(ddof=1) / math.sqrt(len(means)), scored * len(means)


def accuracy(model, rows, batch=8):
    """Whole answers whose every token is the most likely one, given the right tokens before it.
    `rows` as from `data.encode_tasks`. Returns (right, answers)."""
    right = total = 0
    for at in range(0, len(rows), batch):
        part = rows[at:at + batch]
        longest = max(len(r[0]) for r in part)
        ids = np.ones((len(part), longest), np.int64)  # padding to the right changes nothing before it
        for k, (tokens, _) in enumerate(part):
            ids[k, :len(tokens)] = tokens
        best = logits(model, torch.tensor(ids).to(next(model.parameters()).device)).argmax(-1).cpu().numpy()
        for k, (tokens, answer) in enumerate(part):
            hit = best[k, :len(tokens) - 1] == tokens[1:]
            for number in range(1, answer.max() + 1):
                right += bool(hit[answer[1:] == number].all())
                total += 1
    return right, total


@torch.no_grad()
def greedy_agreement(model, tokenizer, documents, count=24):
    """How often greedy generation from the text before the first answer writes that answer exactly."""
    same = 0
    for document in documents[:count]:
        first = document["answers"][0]
        wanted = document["text"][first["start"]:first["start"] + first["length"]]
        # The space before the answer's first digit is in that digit's token, and so generated with it.
        ids = [t for t, (s, e) in zip(*_tokens(tokenizer, document["text"])) if e <= first["start"]]
        length = len(tokenizer.encode(wanted, add_special_tokens=False).ids) + 2
        prompt = torch.tensor([ids]).to(next(model.parameters()).device)
        out = model.generate(
            prompt, attention_mask=torch.ones_like(prompt), max_new_tokens=length, do_sample=False, pad_token_id=1)
        same += tokenizer.decode(out[0, len(ids):].tolist(), skip_special_tokens=False).lstrip().startswith(wanted)
    return same, min(count, len(documents))


def _tokens(tokenizer, text):
    encoded = tokenizer.encode(text)
    return encoded.ids, encoded.offsets
