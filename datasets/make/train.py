"""Trains one small checkpoint from scratch and writes it as a HuggingFace folder with a model card.

  python train.py --model llama-mini --text ENGLISH --tasks TASKS --work WORK --out ../checkpoints/llama-mini

A run that is killed goes on where its last saved state was: start it again. A run that has ended goes on with more --steps,
from the weights and moments that it ended with; the card then tells of both runs. See README.md.
"""

import argparse
import json
import math
import os
import pathlib
import time

import numpy as np
import torch
import torch.nn.functional as F
from tokenizers import Tokenizer

import card
import data
import evaluate
import models
from muon import Optimizer

# Tokens a row and a step, recall documents, shares of text : recall : small tasks, and the share of recalled codes' first
# digits that ends the stage. Looking a fact up appears suddenly, after steps more than tokens: the first steps are short.
STAGES = [
    dict(length=128, tokens=2048, recall=["recall-128"], mix=(15, 50, 35), until=0.8),
    dict(length=256, tokens=4096, recall=["recall-256"], mix=(45, 30, 25), until=0.8),
    dict(length=512, tokens=4096, recall=["recall-512"], mix=(55, 25, 20), until=0.8),
    dict(length=1024, tokens=4096, recall=["recall-1024", "recall-1024", "several-1024"], mix=(62, 20, 18), until=None),
    dict(length=2048, tokens=4096, recall=["recall-2048", "recall-2048", "several-1024"], mix=(65, 20, 15), until=None),
]
LAST = len(STAGES) - 1
# With --drill-steps: the steps before the last ones, short rows with many word problems.
DRILL = dict(length=512, tokens=4096, recall=["recall-512"], mix=(40, 12, 48), until=None)
# With --sums: the shares of the later stages, whose small tasks are mostly word problems then.
SUMS_MIX = {256: (45, 25, 30), 512: (50, 22, 28), 1024: (55, 18, 27), 2048: (58, 17, 25)}


def arguments():
    p = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    p.add_argument("--model", required=True, choices=list(models.MODELS))
    p.add_argument("--text", required=True, help="folder of English .txt or .txt.xz files")
    p.add_argument("--tasks", required=True, help="folder that tasks.sh wrote")
    p.add_argument("--work", required=True, help="folder for the state of the run")
    p.add_argument("--out", required=True, help="folder for the checkpoint")
    p.add_argument("--steps", type=int, default=2000)
    p.add_argument("--decay-steps", type=int, help="steps in which the rate falls to zero; 35 %% of all by default")
    p.add_argument("--last-steps", type=int, help="steps at 2,048 tokens; 15 %% of all by default")
    p.add_argument("--drill-steps", type=int, default=0, help="steps with many word problems before those at 2,048 tokens")
    p.add_argument("--rate", type=float, default=3e-3)
    p.add_argument("--sums", action="store_true", help="more word problems once rows have 256 tokens")
    p.add_argument("--seed", type=int, default=1)
    p.add_argument("--threads", type=int, default=2)
    p.add_argument("--device", default="cpu")
    p.add_argument("--stop-after", type=int, help="leave after this step, with the state saved and no checkpoint written")
    a = p.parse_args()
    a.decay_steps = a.decay_steps or int(0.35 * a.steps)
    a.last_steps = a.last_steps or int(0.15 * a.steps)
    return a


def prepare(a):
    """The tokenizer and all tokens, made once and kept beside the states. A second run with other tasks keeps the tokenizer."""
    cache = pathlib.Path(a.work).parent / "tokens"
    done = cache / "done"
    if not done.exists():
        cache.mkdir(parents=True, exist_ok=True)
        train, held = data.read_documents(a.text)
        samples = [d["text"] for name, list_ in task_files(a).items() if not name.startswith("test-") for d in list_[:400]]
        tokenizer = data.train_tokenizer(train[::4] + samples)
        tokenizer.save(str(cache / "tokenizer.json"))
        for name, documents in (("train", train), ("heldout", held)):
            encoded = tokenizer.encode_batch([d.strip("\n") for d in documents])
            np.save(cache / f"text-{name}.npy", np.concatenate([e.ids for e in encoded]).astype(np.uint16))
        done.touch()
    tokenizer = Tokenizer.from_file(str(cache / "tokenizer.json"))
    tasks = cache / f"tasks-{card.digest(a.tasks, '*.jsonl')[:12]}"
    if not (tasks / "done").exists():
        tasks.mkdir(exist_ok=True)
        for name, list_ in task_files(a).items():
            pool = data.Pool.pack(data.encode_tasks(tokenizer, list_))
            np.savez(tasks / f"{name}.npz", ids=pool.ids, answer=pool.answer, starts=pool.starts)
        (tasks / "done").touch()
    pools = {}
    for path in tasks.glob("*.npz"):
        z = np.load(path)
        pools[path.stem] = data.Pool(z["ids"], z["answer"], z["starts"])
    return tokenizer, np.load(cache / "text-train.npy"), np.load(cache / "text-heldout.npy"), pools


def task_files(a):
    return {p.stem: data.read_tasks(p) for p in sorted(pathlib.Path(a.tasks).glob("*.jsonl"))}


def rate(a, step, began):
    """60 steps up from the first of this run, then level, then down as half a cosine."""
    left = a.steps - step
    falling = 0.5 - 0.5 * math.cos(math.pi * min(1.0, left / a.decay_steps))
    return a.rate * min(1.0, (step + 1 - began) / 60) * max(falling, 0.01)


def watch_routers(model):
    """Collects each router's logits and choices, for the loss that keeps all experts in use."""
    seen = []
    for name, module in model.named_modules():
        if name.endswith("mlp.gate"):
            module.register_forward_hook(lambda m, i, o: seen.append((o[0], o[2])))
    return seen


def balance(seen):
    """Mean over layers of experts · Σ share of tokens · mean probability (Fedus et al., 2021); 1 when even."""
    terms = []
    for scores, chosen in seen:
        experts = scores.shape[-1]
        share = F.one_hot(chosen.reshape(-1), experts).float().mean(0)
        terms.append(experts * (share * scores.reshape(-1, experts).float().softmax(-1).mean(0)).sum())
    seen.clear()
    return torch.stack(terms).mean() if terms else 0.0


def save(path, state):
    """Whole or not at all, whenever the process is killed."""
    torch.save(state, str(path) + ".new")
    os.replace(str(path) + ".new", path)


def train(a, text, pools):
    torch.set_num_threads(a.threads)
    model = models.build(a.model, a.seed).to(a.device)
    named = list(model.named_parameters())
    matrices = [p for k, p in named if models.is_matrix(k, p)]
    others = [p for k, p in named if not models.is_matrix(k, p)]
    optimizer = Optimizer(matrices, others)
    for p in model.parameters():  # parameters only: tables of rotary frequencies stay float32
        p.data = p.data.to(torch.bfloat16)
    routers = watch_routers(model)
    stage, found, log, start, seconds, tokens, runs = 0, 0.0, [], 0, 0.0, 0, []
    path = pathlib.Path(a.work) / "state.pt"
    if path.exists():
        state = torch.load(path, map_location=a.device, weights_only=False)
        optimizer.load_state_dict(state["optimizer"])
        stage, found, log, start, seconds = (state[k] for k in ("stage", "found", "log", "step", "seconds"))
        tokens, runs = state["tokens"], state["runs"]
        print(f"resumed at step {start}", flush=True)
    run = dict(began=start, steps=a.steps, command=card.command(a), tasks=card.digest(a.tasks, "*.jsonl"))
    if not runs or runs[-1]["steps"] == start < a.steps:
        runs = runs + [run]
    elif any(runs[-1][key] != run[key] for key in ("command", "tasks")):
        raise SystemExit(f"{path} is the state of another run: train.py {runs[-1]['command']}")
    began = runs[-1]["began"]
    rows = data.Rows(text, pools, a.seed)
    clock, cpu = time.monotonic(), time.process_time()
    sums = np.zeros(6)
    for step in range(start, a.steps):
        if STAGES[stage]["until"] is not None and found > STAGES[stage]["until"]:
            stage, found = stage + 1, 0.0
        drill = a.steps - a.last_steps - a.drill_steps <= step < a.steps - a.last_steps
        if step >= a.steps - a.last_steps:
            stage = LAST
        s = DRILL if drill else STAGES[stage]
        sums_mix = SUMS_MIX.get(s["length"]) if a.sums else None
        small, mix = (data.DRILL, s["mix"]) if drill else (data.SUMS, sums_mix) if sums_mix else (data.SMALL, s["mix"])
        ids, weight, mark = (
            torch.from_numpy(x).to(a.device)
            for x in rows.batch(step, s["tokens"] // s["length"], s["length"], s["recall"], small, mix))
        tokens += s["tokens"]
        hidden = model.model(input_ids=ids[:, :-1], use_cache=False).last_hidden_state
        scores = model.lm_head(hidden).reshape(-1, data.VOCABULARY)
        target, weight, mark = ids[:, 1:].reshape(-1), weight[:, 1:].reshape(-1), mark[:, 1:].reshape(-1)
        each = F.cross_entropy(scores, target, reduction="none").float()
        loss = (each * weight).sum() / weight.sum() + 0.01 * balance(routers)
        loss.backward()
        if not math.isfinite(loss.item()):
            raise SystemExit(f"The loss is not finite at step {step}; the state of an earlier step is in {path}.")
        norm = optimizer.step(rate(a, step, began))
        with torch.no_grad():
            hit = (scores[mark > 0].argmax(-1) == target[mark > 0]).float()
            asked = mark[mark > 0]
        if (asked == 1).any():
            found += 0.05 * (hit[asked == 1].mean().item() - found)
        english = weight == 1.0
        if english.any() and (asked == 2).any():
            sums += [1, each[english].mean().item(), loss.item(), norm, hit[asked == 2].mean().item(), found]
        if (step + 1) % 20 == 0:
            n = max(sums[0], 1)
            entry = dict(step=step + 1, tokens=tokens, length=s["length"], rate=rate(a, step, began),
                         text=sums[1] / n, loss=sums[2] / n, norm=sums[3] / n, others=sums[4] / n, recall=found)
            log.append(entry)
            sums[:] = 0
            print(" ".join(f"{k} {v:.4g}" for k, v in entry.items()),
                  f"wall {time.monotonic() - clock:.0f} cpu {time.process_time() - cpu:.0f}", flush=True)
        last = step + 1 == a.steps or step + 1 == a.stop_after
        if (step + 1) % 50 == 0 or last:
            state = dict(optimizer=optimizer.state_dict(), stage=stage, found=found, log=log, step=step + 1, tokens=tokens,
                         seconds=seconds + time.monotonic() - clock, runs=runs)
            save(path, state)
        if step + 1 == a.stop_after:
            return None, log, state["seconds"], runs
    optimizer.publish()
    seconds = torch.load(path, map_location="cpu", weights_only=False)["seconds"]
    return model, log, seconds, runs


def main():
    a = arguments()
    pathlib.Path(a.work).mkdir(parents=True, exist_ok=True)
    tokenizer, text, held, pools = prepare(a)
    model, log, seconds, runs = train(a, text, pools)
    (pathlib.Path(a.work) / "log.json").write_text(json.dumps(log, indent=0))
    if model is not None:
        card.write_checkpoint(a, model, tokenizer)
        card.write_card(a, log, seconds, runs, text, held, pools, tokenizer)


if __name__ == "__main__":
    main()
