"""Compares `kvlab logits` with transformers in 32-bit floats on models that are drawn afresh."""

import json
import random
import shutil
import subprocess
import sys
from pathlib import Path

import torch
from safetensors.torch import load_file, save_file

from configurations import CLASSES
from table import Check

ROOT = Path(__file__).resolve().parents[2]
sys.path.append(str(ROOT / "Tests/Fixtures"))
from make_models import CLASSES as TRANSFORMERS, randomize  # noqa: E402

try:
    import mlx.core as mx
except ImportError:
    mx = None

# Relative errors. Activations of 8 or 16 bits cost what they cost, most in models as random and small as these, where they
# also turn a close choice of experts: the aim is reported, and the limit is for what is wrong.
EXACT, FOUR_BITS, FOUR_BITS_LIMIT = 1e-4, 2e-2, 5e-2
TYPES = {"f32": torch.float32, "bf16": torch.bfloat16, "f16": torch.float16}


def configured(given: dict):
    """The classes of a model, and its configuration."""
    configuration, architecture = TRANSFORMERS[given["model_type"]]
    return architecture, configuration(**json.loads(json.dumps({k: v for k, v in given.items() if k != "model_type"})))


def write(folder: Path, given: dict, form: str, dtype: str, shards: bool, seed: int) -> None:
    """A checkpoint with random weights: config.json as given, as transformers saves it, or nested as in Gemma's files."""
    architecture, config = configured(given)
    model = architecture(config).to(torch.float32)
    randomize(model, torch.Generator().manual_seed(seed))
    model.tie_weights()
    model.to(TYPES[dtype]).save_pretrained(folder, max_shard_size="40KB" if shards else "1GB")
    if form == "given":
        (folder / "config.json").write_text(json.dumps(given, indent=2) + "\n")
    elif form == "nested":
        outer = dict(model_type="gemma3", text_config=given)
        (folder / "config.json").write_text(json.dumps(outer, indent=2) + "\n")


def reference(folder: Path, given: dict, tokens: torch.Tensor) -> torch.Tensor:
    """Logits [T, V] of transformers with the weights in `folder`."""
    architecture, config = configured(given)
    model = architecture.from_pretrained(folder, config=config, dtype=torch.float32, attn_implementation="eager").eval()
    with torch.no_grad():
        return model(tokens[None], use_cache=False).logits[0]


def write_four_bits(folder: Path, target: Path, half: torch.dtype) -> None:
    """The weights in `folder` as they are after codes of 4 bits with scales of that type."""
    target.mkdir()
    shutil.copy(folder / "generation_config.json", target)
    weights = {}
    for file in sorted(folder.glob("*.safetensors")):
        weights |= {name: through_four_bits(name, tensor.to(torch.float32), half) for name, tensor in load_file(file).items()}
    save_file(weights, target / "model.safetensors", metadata={"format": "pt"})


def through_four_bits(name: str, tensor: torch.Tensor, half: torch.dtype) -> torch.Tensor:
    """As kvlab keeps it: MLX's codes in groups of 64; a router, or rows that are not whole groups, in 16 bits."""
    if tensor.dim() == 1:
        return tensor
    if tensor.shape[1] % 64 or name.endswith("mlp.gate.weight"):
        return tensor.to(half).to(torch.float32)
    codes, scales, biases = mx.quantize(mx.array(tensor.numpy()), group_size=64, bits=4)
    scales, biases = (mx.array(torch.tensor(x.tolist()).to(half).to(torch.float32).numpy()) for x in (scales, biases))
    return torch.tensor(mx.dequantize(codes, scales, biases, group_size=64, bits=4).tolist())


def kvlab(folder: Path, tokens: torch.Tensor, *options: str) -> torch.Tensor:
    out = folder / "logits.out"
    command = [ROOT / ".build/release/kvlab", "logits", "--weights", folder, "--out", out,
               "--tokens", ",".join(map(str, tokens.tolist())), *options]
    done = subprocess.run(command, capture_output=True, text=True)
    if done.returncode != 0:
        raise RuntimeError(f"{' '.join(map(str, command))}: {done.stderr}")
    return load_file(out)["logits"]


def errors(found: torch.Tensor, expected: torch.Tensor) -> tuple[torch.Tensor, bool]:
    """Relative L2 error of every position, and whether all choose the same token."""
    relative = (found - expected).norm(dim=1) / expected.norm(dim=1)
    return relative, bool((found.argmax(1) == expected.argmax(1)).all())


def compare(kind: str, index: int, seed: int, folder: Path) -> list[Check]:
    rng = random.Random(f"{kind} {index} {seed}")
    given = CLASSES[kind](rng, index)
    form = rng.choice(["given", "saved"] + (["nested"] if kind == "gemma3" else []))
    dtype, shards = ["f32", "bf16", "f16"][index % 3], rng.random() < 0.3
    write(folder, given, form, dtype, shards, rng.randrange(1 << 30))
    count = rng.randrange(20, 150)
    tokens = torch.tensor([rng.randrange(given["vocab_size"]) for _ in range(count)])
    expected = reference(folder, given, tokens)

    exact = ["--compute", "reference", "--weight-bits", "32", "--kv", "fp32"]
    ways = {"whole": [], "chunks": ["--chunk", str(rng.randrange(2, 40))], "token by token": ["--chunk", "1"],
            "scalar": ["--isa", "scalar", "--threads", "1"]}
    if kind == "deepseek2":
        ways |= {"latent": ["--mla", "latent"], "latent, by token": ["--mla", "latent", "--chunk", "1"]}
    name = f"{kind} {index}: {dtype}{', shards' if shards else ''}, {form}"
    checks = []
    for way, options in ways.items():
        relative, same = errors(kvlab(folder, tokens, *exact, *options), expected)
        checks.append(Check(name, way, relative, EXACT, same and bool(relative.max() <= EXACT),
                            "" if same else "another token chosen"))
    if index % 2 == 0 and mx is not None:
        # The 16-bit type of most of the weights is that of the scales.
        write_four_bits(folder, folder / "4 bits", torch.bfloat16 if dtype == "bf16" else torch.float16)
        quantized = reference(folder / "4 bits", given, tokens)
        kept = ["--weight-bits", "4", "--kv", "fp32"]
        relative, same = errors(kvlab(folder, tokens, "--compute", "reference", *kept), quantized)
        checks.append(Check(name, "4 bits, reference", relative, EXACT, same and bool(relative.max() <= EXACT),
                            "" if same else "another token chosen"))
        for way, options in {"4 bits, fast": [], "4 bits, fast scalar": ["--isa", "scalar"]}.items():
            relative, _ = errors(kvlab(folder, tokens, "--compute", "fast", *kept, *options), quantized)
            over = int((relative > FOUR_BITS).sum())
            checks.append(Check(name, way, relative, FOUR_BITS, bool(relative.median() <= FOUR_BITS_LIMIT),
                                f"{over} of {count} positions over" if over else ""))
    return checks
