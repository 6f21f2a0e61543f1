"""Writes a trained model as a HuggingFace folder, and its card from what the reloaded folder measures."""

import hashlib
import json
import math
import pathlib
import platform

import torch
import transformers

import data
import evaluate


def write_checkpoint(a, model, tokenizer):
    """`model` holds bfloat16 parameters; they are saved as they are."""
    out = pathlib.Path(a.out)
    model.config.dtype = torch.bfloat16
    model.save_pretrained(out)
    transformers.PreTrainedTokenizerFast(
        tokenizer_object=tokenizer, bos_token=data.END, eos_token=data.END, pad_token=data.PAD,
        model_max_length=model.config.max_position_embeddings).save_pretrained(out)
    for path in out.iterdir():
        path.chmod(0o644)


def wilson(right, total, z=1.96):
    share, square = right / total, z * z / total
    middle, half = share + square / 2, z * math.sqrt(share * (1 - share) / total + square / 4 / total)
    return (middle - half) / (1 + square), (middle + half) / (1 + square)


def digest(folder, pattern):
    """One SHA-256 over the files of a folder, in the order of their names."""
    whole = hashlib.sha256()
    for path in sorted(pathlib.Path(folder).glob(pattern)):
        whole.update(path.read_bytes())
    return whole.hexdigest()


def command(a):
    """What train.py was told, without the folders."""
    return (f"--model {a.model} --steps {a.steps} --decay-steps {a.decay_steps} --last-steps {a.last_steps} --rate {a.rate} "
            f"--seed {a.seed} --threads {a.threads}" + (f" --drill-steps {a.drill_steps}" if a.drill_steps else "")
            + (" --sums" if a.sums else ""))


def commands(runs, out):
    """The runs as shell commands. A run whose tasks are not the last one's had the hard ones."""
    lines = []
    for k, run in enumerate(runs):
        hard = run["tasks"] != runs[-1]["tasks"]
        folder = "HARD" if hard else "TASKS"
        if k == 0 or run["tasks"] != runs[k - 1]["tasks"]:
            lines.append(f"bash datasets/make/tasks.sh kvlab {folder}" + (" hard" if hard else ""))
        lines += [f"python datasets/make/train.py --text ENGLISH --tasks {folder} --work WORK --out {out} \\", f"  {run['command']}"]
    return lines


def measure(a, held, tokenizer):
    """Everything in the card, from the folder on disk, in float32."""
    model = transformers.AutoModelForCausalLM.from_pretrained(a.out, dtype=torch.float32).to(a.device).eval()
    facts = {"parameters": sum(p.numel() for p in model.parameters()), "tasks": {}}
    facts["perplexity"], facts["perplexityError"], facts["scored"] = evaluate.perplexity(model, held)
    for path in sorted(pathlib.Path(a.tasks).glob("test-*.jsonl")):
        documents = data.read_tasks(path)
        right, total = evaluate.accuracy(model, data.encode_tasks(tokenizer, documents))
        facts["tasks"][path.stem[5:]] = dict(documents=len(documents), right=right, answers=total)
    documents = data.read_tasks(pathlib.Path(a.tasks) / "test-arithmetic.jsonl")
    facts["greedy"] = evaluate.greedy_agreement(model, tokenizer, documents)
    facts["teacherForced"] = evaluate.accuracy(model, data.encode_tasks(tokenizer, documents[:24]))
    return facts


def write_card(a, log, seconds, runs, text, held, pools, tokenizer):
    out = pathlib.Path(a.out)
    facts = measure(a, held, tokenizer)
    (out / "training-log.json").write_text(json.dumps(log, indent=0) + "\n")
    size = (out / "model.safetensors").stat().st_size
    lines = [
        f"# {out.name}", "",
        f"A small model to study quantized caches with: {facts['parameters']:,} parameters, {size:,} bytes in bfloat16.",
        "It was trained from scratch by `datasets/make/train.py` on open English and on tasks with exact answers. It knows",
        "nothing of the world; it is there because its perplexity and its answers depend on its cache.", "",
        "## What it does", "",
        "Measured by the training script on this folder, reloaded, in float32, with an unquantized cache.", "",
        f"- Perplexity of held-out English: **{facts['perplexity']:.2f}** ± {facts['perplexityError']:.2f} a token, over "
        f"{facts['scored']:,} tokens: the",
        "  last 512 of each window of 1,024, windows disjoint, documents joined by the start token. No held-out document was",
        "  trained on. Perplexity counts tokens of this folder's own vocabulary of 4,096.", "",
        "| task (test split) | documents | answers | right | 95 % interval |", "|---|---|---|---|---|"]
    for name, t in facts["tasks"].items():
        low, high = wilson(t["right"], t["answers"])
        lines.append(f"| {name} | {t['documents']} | {t['answers']} | {100 * t['right'] / t['answers']:.1f} % | "
                     f"{100 * low:.1f} to {100 * high:.1f} % |")
    unlearned = [name for name, t in facts["tasks"].items() if t["right"] < t["answers"] / 2]
    if unlearned:
        lines += ["", f"It has not learned {', '.join(unlearned)}: less than half is right. What a cache does to those says little."]
    (g, n), (f, _) = facts["greedy"], facts["teacherForced"]
    lines += [
        "", "An answer is right when each of its tokens is the most likely one given the right tokens before it. On the first",
        f"{n} arithmetic problems greedy generation was right {g} times, this way of counting {f} times.", "",
        "## How it was made", "",
        "```",
        *commands(runs, out.name),
        "```", "",
        f"- {a.steps:,} steps, {log[-1]['tokens']:,} tokens; "
        f"{seconds / 60:.0f} minutes of wall time on {a.threads} threads of a machine that did other work beside it.",
        f"- torch {torch.__version__}, transformers {transformers.__version__}, Python {platform.python_version()}, "
        f"{platform.machine()}, device {a.device}.",
        f"- English: {len(text):,} tokens to train on (drawn at random places), {len(held):,} held out. SHA-256 of its files: "
        f"`{digest(a.text, '*.txt*')}`.",
        *[f"- Tasks of steps {run['began']:,} to {run['steps']:,}: SHA-256 of the files of `tasks.sh`: `{run['tasks']}`." for run in runs],
        "",
        "| step | tokens | row length | English loss | all losses, weighted | recall digits right | other answers' tokens right |",
        "|---|---|---|---|---|---|---|"]
    step = max(1, len(log) // 25)
    for e in log[step - 1::step]:
        lines.append(f"| {e['step']} | {e['tokens']:,} | {e['length']} | {e['text']:.3f} | {e['loss']:.3f} | "
                     f"{e['recall']:.3f} | {e['others']:.3f} |")
    lines += ["", "Losses are nats a token on the training rows, means over 20 steps; `training-log.json` has all of them. The",
              "weights are under the licence of this repository.", ""]
    (out / "README.md").write_text("\n".join(lines))
    print(json.dumps(facts), flush=True)
