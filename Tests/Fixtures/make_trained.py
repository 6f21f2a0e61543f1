"""What transformers computes with a trained checkpoint: ids of a document and logits at some of its positions, float32.

  kvlab tasks generate --task recall --split test --seed 5 --count 1 --facts 40 > document.jsonl
  python make_trained.py ../../datasets/checkpoints/llama-mini document.jsonl trained/llama-mini.safetensors

Needs the packages of datasets/make/requirements.txt.
"""

import json
import pathlib
import sys

import torch
import transformers
from safetensors.torch import save_file


def main():
    checkpoint, document, out = sys.argv[1:]
    with open(document) as file:
        text = json.loads(file.readline())["text"]
    ids = transformers.AutoTokenizer.from_pretrained(checkpoint)(text)["input_ids"]
    model = transformers.AutoModelForCausalLM.from_pretrained(checkpoint, dtype=torch.float32).eval()
    with torch.no_grad():
        logits = model(torch.tensor([ids])).logits[0]
    positions = torch.arange(7, len(ids), 61)
    pathlib.Path(out).parent.mkdir(exist_ok=True)
    save_file({
        "tokens": torch.tensor(ids, dtype=torch.int32), "positions": positions.to(torch.int32),
        "logits": logits[positions].contiguous()}, out)


if __name__ == "__main__":
    main()
