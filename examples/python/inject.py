#!/usr/bin/env python3
"""Continues generation in transformers from a card that kvlab made.

    pip install torch transformers safetensors numpy
    kvlab cache export anna --cache-dir caches --form card --out anna.safetensors
    python inject.py anna.safetensors --weights models/llama-3.2-1b --tokens 651,603 --count 32

The card's keys and values go into a DynamicCache, or with --cache quanto, hqq or fp8 into a QuantizedCache, behind the tokens of --before where there are some: keys are turned to
the new positions then. Then the tokens of --tokens are run, and --count tokens are generated greedily. Printed is one
JSON object: the tokens, and what the card was. Weights and arithmetic are in 32-bit floats.

Llama, Gemma 3 and DeepSeek-V2. Of DeepSeek-V2 transformers 5 keeps the compressed rows: make such a card from a cache with
`--mla latent`; transformers 4 keeps those of every head. Schemes: fp32, fp16, bf16 and MLX's affine formats, also
different ones for the tokens of a card. Digests are compared where they are SHA-256, and CRC-32C where the package `crc32c`
is installed; the weights' fingerprint is kvlab's own and not compared.
"""
import argparse
import hashlib
import json
import sys

import numpy as np
import torch
from safetensors import safe_open
from transformers import AutoModelForCausalLM, DynamicCache


def fail(text: str) -> None:
    sys.exit(f"Error: {text}")


class Card:
    """A card's facts, and its keys and values as floats."""

    def __init__(self, path: str):
        with safe_open(path, framework="np") as file:
            self.facts = file.metadata() or {}
            if self.facts.get("format") != "kvlab-card" or self.facts.get("card_version") != "1":
                fail(f"{path} is no card of version 1.")
            self.tensors = {name: file.get_tensor(name) for name in file.keys()}
        self.tokens = self.tensors["tokens"].astype(np.int64)
        self.positions = self.tensors["positions"].astype(np.int64)
        self.layers = json.loads(self.facts["spec"])["layers"]
        runs = self.tensors["precision"]
        self.scheme_of_token = np.repeat(runs[:, 1], runs[:, 0])
        self.schemes = [self.facts[f"scheme.{i}"] for i in range(sum(key.startswith("scheme.") for key in self.facts))]
        self.check(path)

    def check(self, path: str):
        digests = self.tensors["digests"]
        if digests.shape[1] == 32:
            digest = lambda data: hashlib.sha256(data).digest()
        else:
            try:
                from crc32c import crc32c
            except ImportError:
                return
            digest = lambda data: crc32c(data).to_bytes(4, "little")
        with open(path, "rb") as file:
            header = json.loads(file.read(int.from_bytes(file.read(8), "little")))
        planes = sorted((name for name in header if name.startswith("layers.")), key=lambda name: header[name]["data_offsets"])
        assert len(planes) == len(digests)
        for name, expected in zip(planes, digests):
            if digest(self.tensors[name].tobytes()) != expected.tobytes():
                fail(f"{path} is damaged: tensor '{name}' does not match its digest.")

    def rows(self, layer: int, kind: str):
        """[1, heads, tokens, width] floats; tokens that the layer does not hold are zero."""
        spec = self.layers[layer]
        width = spec["keyWidth"] if kind == "keys" else spec["valueWidth"]
        held = len(self.tokens)
        if self.facts["window_policy"] == "window" and spec.get("window"):
            held = min(held, spec["window"])
        out = np.zeros((spec["kvHeads"], len(self.tokens), width), np.float32)
        for scheme, text in enumerate(self.schemes):
            places = np.flatnonzero(self.scheme_of_token == scheme)
            places = places[places >= len(self.tokens) - held]
            planes = {
                name.rsplit(".", 1)[1]: tensor for name, tensor in self.tensors.items()
                if name.startswith(f"layers.{layer}.{kind}.{scheme}.")
            }
            if len(places):
                out[:, places] = decode(scheme_of(text, kind), planes, width)
        return torch.from_numpy(out)[None]


def scheme_of(text: str, kind: str) -> str:
    """`k=NAME,v=NAME` or one name."""
    if "=" not in text:
        return text
    return dict(part.split("=") for part in text.split(","))[kind[0]]


def halves(data: np.ndarray, bfloat16: bool) -> np.ndarray:
    data = np.ascontiguousarray(data)
    if not bfloat16:
        return data.view(np.float16).astype(np.float32)
    return (data.view(np.uint16).astype(np.uint32) << 16).view(np.float32)


def decode(scheme: str, planes: dict, width: int) -> np.ndarray:
    """Planes U8 [heads, tokens, bytes] to floats [heads, tokens, width]."""
    if scheme in ("fp32", "fp16", "bf16"):
        data = np.ascontiguousarray(next(iter(planes.values())))
        return data.view(np.float32) if scheme == "fp32" else halves(data, scheme == "bf16")
    if not scheme.startswith("affine-q"):
        fail(f"Scheme '{scheme}' is not one of fp32, fp16, bf16 and affine-q….")
    parts = scheme.split("-")
    bits, group = int(parts[1][1:]), int(parts[2][1:])
    stream = np.unpackbits(np.ascontiguousarray(planes["codes"]), axis=-1, bitorder="little")
    codes = stream.reshape(*stream.shape[:-1], width, bits) @ (1 << np.arange(bits))
    scales, biases = (
        np.repeat(halves(planes[name], scheme[-4:] != "-f16"), group, axis=-1) for name in ("scales", "biases"))
    return (codes * scales + biases).astype(np.float32)


def turn(keys, frequencies, before, after, interleaved: bool):
    """Keys [.., tokens, width] from the angles of positions `before` (None: no rotation) to those of `after`."""
    def angles(positions):
        return (positions.float()[:, None] * frequencies.float()[None]).double()

    difference = angles(after) - (angles(before) if before is not None else 0)
    cosines, sines = difference.cos().float(), difference.sin().float()
    if interleaved:
        a, b = keys[..., 0::2], keys[..., 1::2]
        return torch.stack((a * cosines - b * sines, b * cosines + a * sines), dim=-1).flatten(-2)
    a, b = keys.chunk(2, dim=-1)
    return torch.cat((a * cosines - b * sines, b * cosines + a * sines), dim=-1)


def frequencies(model, layer: int):
    """Inverse wavelengths of the layer's rotary positions."""
    rotary = model.model.rotary_emb
    types = getattr(model.config, "layer_types", None)
    for name in ([f"{types[layer]}_inv_freq"] if types else []) + ["inv_freq"]:
        if hasattr(rotary, name):
            return getattr(rotary, name)
    return fail(f"transformers' {type(rotary).__name__} has no frequencies here.")


def inject(card: Card, model, cache) -> None:
    """Puts the card behind what the cache holds."""
    first = cache.get_seq_length()
    after = torch.arange(first, first + len(card.tokens))
    before = torch.from_numpy(card.positions) if card.facts["keys"] == "rotated" else None
    still = before is not None and torch.equal(before, after)
    for index, layer in enumerate(model.model.layers):
        keys = card.rows(index, "keys")
        attention = layer.self_attn
        if hasattr(attention, "kv_lora_rank"):
            rope = attention.qk_rope_head_dim
            rest, turned = keys[..., :-rope], keys[..., -rope:]
            if not still:
                turned = turn(turned, frequencies(model, index), before, after, interleaved=True)
            compressed = card.facts["mla_form"] == "latent"
            if hasattr(attention, "expand_kv"):
                if not compressed:
                    fail("transformers keeps compressed rows here: make the card from a cache with --mla latent.")
                cache.update(rest, turned, index)
                continue
            if compressed:
                fail("transformers keeps the rows of every head here: make the card from a cache with --mla expanded.")
            keys = torch.cat((rest, turned), dim=-1)
        elif not still:
            keys = turn(keys, frequencies(model, index), before, after, interleaved=False)
        cache.update(keys, card.rows(index, "values"), index)


def new_cache(kind: str, config):
    """A DynamicCache, or transformers' QuantizedCache with the backend of that name: it quantizes the rows anew."""
    if kind == "dynamic":
        return DynamicCache(config=config)
    try:
        from transformers import QuantizedCache

        return QuantizedCache(backend=kind, config=config)
    except (ImportError, ValueError) as error:
        fail(f"transformers cannot make a QuantizedCache with the backend '{kind}' here: {error}")


def ids(text: str):
    return [int(part) for part in text.split(",") if part.strip()]


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__.split("\n")[0])
    parser.add_argument("card")
    parser.add_argument("--weights", required=True, help="the model's HuggingFace folder")
    parser.add_argument("--before", type=ids, default=[], help="token ids of the receiver, before the card's")
    parser.add_argument("--tokens", type=ids, required=True, help="token ids after the card's")
    parser.add_argument("--count", type=int, default=32, help="tokens to generate")
    parser.add_argument(
        "--cache", default="dynamic", choices=["dynamic", "quanto", "hqq", "fp8"],
        help="dynamic: as they are; else the backend of a QuantizedCache, which has a package of its own")
    parser.add_argument("--logits", help="a safetensors file for the logits of --tokens and of what is generated")
    arguments = parser.parse_args()

    card = Card(arguments.card)
    model = AutoModelForCausalLM.from_pretrained(arguments.weights, dtype=torch.float32, attn_implementation="eager").eval()
    cache = new_cache(arguments.cache, model.config)
    with torch.no_grad():
        if arguments.before:
            model(input_ids=torch.tensor([arguments.before]), past_key_values=cache)
        inject(card, model, cache)
        assert cache.get_seq_length() == len(arguments.before) + len(card.tokens)
        generated, logits, tokens = [], [], arguments.tokens
        while len(generated) < arguments.count:
            logits.append(model(input_ids=torch.tensor([tokens]), past_key_values=cache).logits[0])
            tokens = [int(logits[-1][-1].argmax())]
            generated += tokens
    if arguments.logits:
        from safetensors.torch import save_file

        save_file({"logits": torch.cat(logits)}, arguments.logits)
    print(json.dumps({
        "tokens": generated, "sender": card.facts["sender"], "hops": int(card.facts["hops"]) + 1,
        "schemes": card.schemes, "card_tokens": len(card.tokens),
    }))


if __name__ == "__main__":
    main()
