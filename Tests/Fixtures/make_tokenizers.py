#!/usr/bin/env python3
"""Writes the tokenizer fixtures in tokenizers/: small tokenizers of every supported kind and what Hugging Face
tokenizers, transformers, sentencepiece and Python make of hard texts.

Made with Python 3.11.7 and
    pip install tokenizers==0.23.3 transformers==5.23.0 jinja2==3.1.6 sentencepiece==0.2.3
    python Tests/Fixtures/make_tokenizers.py

The training text, tokenizers/corpus.txt, and the hard texts below were written for this purpose. Running the script
again gives the same files.
"""

import json
import random
import tempfile
from collections import Counter
from pathlib import Path

import sentencepiece
from tokenizers import AddedToken, Regex, Tokenizer, decoders, normalizers, pre_tokenizers, processors
from tokenizers.models import BPE
from tokenizers.trainers import BpeTrainer
from transformers import AutoTokenizer, PreTrainedTokenizerFast

HERE = Path(__file__).resolve().parent / "tokenizers"
CORPUS = (HERE / "corpus.txt").read_text(encoding="utf-8")

# --------------------------------------------------------------------------------------------------------------------
# Patterns, from the tokenizer.json of the published checkpoints; the DeepSeek lists also stand in llama.cpp's
# llama-vocab.cpp. The six scalars of the long class that change under Unicode normalization are written by number.

GPT2 = r"'s|'t|'re|'ve|'m|'ll|'d| ?\p{L}+| ?\p{N}+| ?[^\s\p{L}\p{N}]+|\s+(?!\S)|\s+"
LLAMA3 = (r"(?i:'s|'t|'re|'ve|'m|'ll|'d)|[^\r\n\p{L}\p{N}]?\p{L}+|\p{N}{1,3}| ?[^\s\p{L}\p{N}]+[\r\n]*|\s*[\r\n]+"
          r"|\s+(?!\S)|\s+")
QWEN2 = LLAMA3.replace("{1,3}", "")
DEEPSEEK_LETTERS = (
    r"\s?[A-Za-zµÀ-ÖØ-öø-ƺƼ-ƿǄ-ʓʕ-ʯͰ-ͳͶͷͻ-ͽͿΆΈ-ΊΌΎ-ΡΣ-ϵϷ-ҁҊ-ԯԱ-ՖႠ-ჅᎠ-Ᏽᏸ-ᏽᲐ-ᲺᲽ-Ჿᴀ-ᴫᵫ-ᵷᵹ-ᶚḀ-ἕἘ-Ἕἠ-ὅὈ-Ὅὐ-ὗὙὛὝὟ-"
    "\u1F7Dᾀ-ᾴᾶ-ᾼ\u1FBEῂ-ῄῆ-ῌῐ-\u1FD3ῖ-\u1FDBῠ-Ῥῲ-ῴῶ-ῼℂℇℊ-ℓℕℙ-ℝℤ\u2126ℨ\u212A-ℭℯ-ℴℹℼ-ℿⅅ-ⅉⅎↃↄⰀ-ⱻⱾ-ⳤⳫ-ⳮⳲⳳꙀ-ꙭꚀ-ꚛ"
    "Ꜣ-ꝯꝱ-ꞇꞋ-ꞎꭰ-ꮿﬀ-ﬆﬓ-ﬗＡ-Ｚａ-ｚ𐐀-𐑏𐒰-𐓓𐓘-𐓻𐲀-𐲲𐳀-𐳲𑢠-𑣟𞤀-𞥃]+")
DEEPSEEK_MARKS = r"\s?[!-/:-~！-／：-～‘-‟　-。]+"
IDEOGRAPHS = "[一-龥ࠀ-一가-\uD7FF]+"
DEEPSEEK_LLM = ["[\r\n]", DEEPSEEK_LETTERS, DEEPSEEK_MARKS, r"\s+$", IDEOGRAPHS]
DEEPSEEK_CODER = ["[\r\n]", r"\s?\p{L}+", r"\s?\p{P}+", IDEOGRAPHS]
PATTERNS = [GPT2, LLAMA3, QWEN2, *DEEPSEEK_LLM, r"\s?\p{L}+", r"\s?\p{P}+", r"\p{N}+", r"\p{N}{1,3}",
            "[0-9][0-9][0-9]", r"[^\s\p{L}\p{N}]+", r"[\p{P}\$\+<=>\^~\|]+"]

# --------------------------------------------------------------------------------------------------------------------
# Texts.

HARD_TEXTS = [
    "", " ", "  ", "\n", "\r\n", "\t", "a", "Ż", "The lighthouse keeper", " The lighthouse keeper ",
    "Hello, world!", "hello  world   again    and     again", "a" * 100, " " * 70, "\n" * 35, "\t\t\tx\t\ty\t",
    " \n \n  x", "x \n\n y\r\n\r\nz\r\r\n", "  \n", "\n  ", " \t \n \t x", "end with spaces   ", "x  \n",
    "'s 't 're 've 'm 'll 'd 'S 'T 'RE 'Ve 'M 'lL 'D '\u017f 'x '", "'\u017fabc 'sabc 'LLama 'Sabc 'ſ's", "I'm you'RE we'Ve she'LL it'S don't",
    "3.14 2.71828 1,000,000 12345678901234567890 007 1a2b3c", "１２３ ٤٥٦ ²³¼ Ⅻ ⅻ 一二三 \u0967\u0968", "1 22 333 4444 55555",
    "def f(x):\n    return x ** 2  # square\n\n\nif __name__ == \"__main__\":\n\tprint(f(3))\n",
    "for(int i=0;i<10;++i){a[i]=i*i;}//end", "{\"a\": [1, 2.5e-3, null], \"b\": \"\\u00e9\"}", "<p>&amp;&nbsp;</p>",
    "https://example.org/a?b=c&d=%20#e", "user@example.org", "C:\\Temp\\file.txt", "$x_1 += ~y ^ `z` | !w;", "----====____....",
    "Größere Brötchen für Übermorgen", "s'appelaient d'une rive à l'autre", "¿Quién llegó? ¡Nadie!", "Ещё успеем, сказал он.",
    "Η θάλασσα ήταν ήρεμη", "今天早上下了一场小雨，街上的人不多。", "朝の市場はにぎやかだ。コーヒーを一杯", "아침에 비가 조금 내렸다.",
    "في الصباح كان السوق هادئًا", "सुबह हल्की बारिश हुई", "ตอนเช้าฝนตกเล็กน้อย", "בוקר טוב", "mixed 中文 and English 日本語 text한국어",
    "e\u0301 a\u0308 o\u0302\u0323 \u1e9b\u0323 \u212b \ufb01 \u2460 \u01c5 \ufdfa", "n\u0303\u0303\u0303 \u0301start",
    "\u200b\u200c\u200d\ufeff\u00ad", "\u00a0\u2003\u3000\u1680\u0085\u2028\u2029x", "a\u00a0b\u3000c\u2009d",
    "😀", "👍🏽", "👩‍👩‍👧‍👦 family", "🇩🇪🇯🇵🇺🇸", "❤️ ☕️ ✨", "🏴\U000e0067\U000e0062\U000e0065\U000e006e\U000e0067\U000e007f", "🚀🚀🚀 go",
    "\u0000\u0001\u001f\u007f", "\u1c89 \U00011de5 \U00016ff4 \U0001e6d0 \ua7ce", "𐐷 𝒳 𝟘 𞤀 𒀀", "\U0010ffff\ue000\ufffd\ufffe",
    "▁ ▁▁ a▁b ▁The", " ▁ ", "Ġ Ċ ĠThe", "<0x41> <0x0A><0xE2>", "<unk> <s> </s> <pad>", "<bos>Hello<eos>",
    "<|begin_of_text|>hi<|eot_id|>", "a<|eot_id|> <|eot_id|>b", "<|endoftext|><|endoftext|>", "<|eot_id", "<start_of_turn>user\nHi<end_of_turn>\n",
    "<｜begin▁of▁sentence｜>User: hi", "<｜end▁of▁sentence｜>", "foo strip  bar", "  strip  ", "one word oneword one", "left\t\n left x left", "strip  left strip\n left right  left", "x  right  \n right",
    "FULL Ｆｕｌｌ ﬁt fit", "a\n\nb\n\n\nc", "naïve café façade", "ǅ ǆ Ǆ ß ẞ ı İ K Å Ω", "á́́ b̴̵̶", "각 ㄱㅏㄱ 각",
]
BAD_BYTES = [b"\xff", b"a\xffb", b"\xc3", b"\xc3(", b"\xe2\x82", b"\xe2\x82x", b"\xf0\x9f\x98", b"\xf0\x9f\x98\xf0\x9f\x98\x80",
             b"\xed\xa0\x80", b"\xc0\xaf", b"\xf4\x90\x80\x80", b"caf\xe9 \xe4\xf6", b"\x80\x80 ok \xfe\xfe", b"\xe2\x96\xe2\x96\x81"]


def alphabet():
    """Scalars to make random texts of: those of the corpus and hard texts, and some of every plane and class."""
    rng = random.Random(11)
    some = [chr(rng.choice([rng.randrange(0x80, 0x3000), rng.randrange(0x3000, 0xD800), rng.randrange(0xE000, 0x20000)]))
            for _ in range(400)]
    return sorted(set(CORPUS)) + sorted(set("".join(HARD_TEXTS))) + some


def random_text(rng, letters, words):
    """A text that mixes words, whole tokens, runs of one character and random scalars."""
    out = []
    for _ in range(rng.randrange(1, 12)):
        kind = rng.randrange(7)
        if kind <= 1:
            out.append(rng.choice(words))
        elif kind == 2:
            out.append(rng.choice(HARD_TEXTS))
        elif kind == 3:
            out.append(rng.choice(" \n\t\r ") * rng.randrange(1, 9))
        elif kind == 4:
            out.append(rng.choice(letters) * rng.randrange(1, 5))
        else:
            out.append("".join(rng.choice(letters) for _ in range(rng.randrange(1, 8))))
        if rng.random() < 0.4:
            out.append(" ")
    return "".join(out)


# --------------------------------------------------------------------------------------------------------------------
# Tokenizers.

def added(content, special=True, normalized=False, lstrip=False, rstrip=False, single_word=False):
    return dict(content=content, special=special, normalized=normalized, lstrip=lstrip, rstrip=rstrip,
                single_word=single_word)


def split(pattern, behavior="isolated", invert=False, literal=False):
    return pre_tokenizers.Split(pattern if literal else Regex(pattern), behavior, invert)


def byte_level(steps, vocab_size=900, normalizer=None, add_prefix_space=False, use_regex=False):
    """A trained byte-level tokenizer whose pre-tokenizer is `steps` and then ByteLevel."""
    tokenizer = Tokenizer(BPE())
    if normalizer is not None:
        tokenizer.normalizer = normalizer
    last = pre_tokenizers.ByteLevel(add_prefix_space=add_prefix_space, use_regex=use_regex)
    tokenizer.pre_tokenizer = pre_tokenizers.Sequence([*steps, last]) if steps else last
    tokenizer.decoder = decoders.ByteLevel()
    trainer = BpeTrainer(vocab_size=vocab_size, min_frequency=1, show_progress=False,
                         initial_alphabet=sorted(pre_tokenizers.ByteLevel.alphabet()))
    tokenizer.train_from_iterator(CORPUS.splitlines(keepends=True), trainer)
    return json.loads(tokenizer.to_str())


def sentencepiece_like(first, vocab_size=900, runs=False):
    """Vocabulary and merges in the form of Llama 2 and Gemma: special tokens, 256 bytes, merges by rank, characters."""
    tokenizer = Tokenizer(BPE())
    tokenizer.pre_tokenizer = pre_tokenizers.Metaspace(prepend_scheme="always")
    # Rare characters stay out of the vocabulary, so that they fall back to bytes.
    counts = Counter(CORPUS)
    known = set(sorted(counts, key=lambda letter: (-counts[letter], letter))[:150])
    text = "".join(letter if letter in known else "\n" for letter in CORPUS)
    tokenizer.train_from_iterator(text.splitlines(), BpeTrainer(
        vocab_size=vocab_size, min_frequency=1, show_progress=False))
    model = json.loads(tokenizer.to_str())["model"]
    trained = sorted(model["vocab"], key=model["vocab"].get)
    vocab = [*first, *(f"<0x{byte:02X}>" for byte in range(256))]
    merges = [tuple(merge) for merge in model["merges"]]
    if runs:
        # Also tokens with ▁ inside, which a text must not be cut before.
        merges = [(",", "▁"), (",▁", "a")] + merges
        merges += [("▁" * n, "▁" * n) for n in (1, 2, 4)] + [("▁", "▁▁"), ("▁▁▁▁", "▁▁")]
        vocab += ["▁" * n for n in (2, 3, 4, 6, 8)] + [",▁", ",▁a"]
    vocab += [token for token in trained if token not in set(vocab)]
    return {token: index for index, token in enumerate(vocab)}, merges


def model(vocab, merges, **options):
    out = dict(type="BPE", dropout=None, unk_token=None, continuing_subword_prefix=None, end_of_word_suffix=None,
               fuse_unk=False, byte_fallback=False, ignore_merges=False)
    return {**out, **options, "vocab": vocab, "merges": merges}


def with_added(spec, tokens):
    next_id = len(spec["model"]["vocab"])
    spec["added_tokens"] = []
    for token in tokens:
        known = spec["model"]["vocab"].get(token["content"])
        spec["added_tokens"].append({"id": next_id if known is None else known, **token})
        next_id += known is None
    spec["added_tokens"].sort(key=lambda token: token["id"])
    return spec


def template(prefix, spec):
    ids = {token["content"]: token["id"] for token in spec["added_tokens"]}
    pair = [{"SpecialToken": {"id": prefix, "type_id": 0}}, {"Sequence": {"id": "A", "type_id": 0}}]
    return {"type": "TemplateProcessing", "single": pair, "pair": pair + [{"Sequence": {"id": "B", "type_id": 1}}],
            "special_tokens": {prefix: {"id": prefix, "ids": [ids[prefix]], "tokens": [prefix]}}}


BYTE_LEVEL_POST = {"type": "ByteLevel", "add_prefix_space": True, "trim_offsets": False, "use_regex": True}


def make_gpt2():
    spec = with_added(byte_level([], use_regex=True), [added("<|endoftext|>")])
    spec["post_processor"] = BYTE_LEVEL_POST
    spec["model"]["merges"] = [" ".join(merge) for merge in spec["model"]["merges"]]  # as files before 2024 have them
    return spec, {"bos_token": "<|endoftext|>", "eos_token": "<|endoftext|>"}


def make_digits():
    """Single digits before the pattern of GPT-2, and a space before every text."""
    spec = byte_level([pre_tokenizers.Digits(individual_digits=True)], use_regex=True, add_prefix_space=True)
    return with_added(spec, [added("<s>"), added("</s>")]), {"bos_token": "<s>", "eos_token": {"content": "</s>", "__type": "AddedToken"}}


def make_llama3():
    spec = byte_level([split(LLAMA3)])
    # A token that no merges lead to, found only because merges are ignored for whole pieces.
    spec["model"]["vocab"]["Ġopinionated"] = len(spec["model"]["vocab"])
    spec["model"]["ignore_merges"] = True
    names = ["<|begin_of_text|>", "<|end_of_text|>", "<|start_header_id|>", "<|end_header_id|>", "<|eom_id|>", "<|eot_id|>"]
    spec = with_added(spec, [added(name) for name in names])
    spec["post_processor"] = {"type": "Sequence", "processors": [
        {**BYTE_LEVEL_POST, "trim_offsets": False}, template("<|begin_of_text|>", spec)]}
    return spec, {"bos_token": "<|begin_of_text|>", "eos_token": "<|eot_id|>"}


def make_default():
    """The patterns that llama.cpp takes for a GGUF file that names none."""
    patterns = [r"[\p{P}\$\+<=>\^~\|]+", GPT2, r"\p{N}+", "[0-9][0-9][0-9]"]
    return with_added(byte_level([split(pattern) for pattern in patterns]), [added("<|endoftext|>")]), {}


def make_qwen2():
    spec = byte_level([split(QWEN2)], normalizer=normalizers.NFC())
    spec["model"].update(continuing_subword_prefix="", end_of_word_suffix="")
    return with_added(spec, [added("<|endoftext|>"), added("<tool_call>", special=False), added("<|im_end|>")]), {
        "eos_token": "<|im_end|>", "bos_token": None, "add_bos_token": False}


def make_deepseek(patterns):
    spec = byte_level([*(split(pattern) for pattern in patterns), pre_tokenizers.Digits(individual_digits=True)])
    spec["normalizer"] = {"type": "Sequence", "normalizers": []}
    names = [added("<｜begin▁of▁sentence｜>"), added("<｜end▁of▁sentence｜>"), added("<｜fim▁hole｜>", special=False),
             added("ÖÖ", special=False, normalized=True)]
    spec = with_added(spec, names)
    spec["post_processor"] = BYTE_LEVEL_POST
    return spec, {"bos_token": {"__type": "AddedToken", **added("<｜begin▁of▁sentence｜>")},
                  "eos_token": "<｜end▁of▁sentence｜>", "add_bos_token": True, "add_eos_token": False}


def make_llama2():
    vocab, merges = sentencepiece_like(["<unk>", "<s>", "</s>"])
    spec = {"version": "1.0", "truncation": None, "padding": None,
            "normalizer": {"type": "Sequence", "normalizers": [
                {"type": "Prepend", "prepend": "▁"}, {"type": "Replace", "pattern": {"String": " "}, "content": "▁"}]},
            "pre_tokenizer": None,
            "decoder": {"type": "Sequence", "decoders": [
                {"type": "Replace", "pattern": {"String": "▁"}, "content": " "}, {"type": "ByteFallback"},
                {"type": "Fuse"}, {"type": "Strip", "content": " ", "start": 1, "stop": 0}]},
            "model": model(vocab, [" ".join(merge) for merge in merges], unk_token="<unk>", fuse_unk=True, byte_fallback=True)}
    spec = with_added(spec, [added("<unk>"), added("<s>"), added("</s>"), added("<pad>", special=False, normalized=True)])
    spec["post_processor"] = template("<s>", spec)
    return spec, {"bos_token": "<s>", "eos_token": "</s>", "add_bos_token": True}


def make_gemma():
    names = ["<pad>", "<eos>", "<bos>", "<unk>", "<mask>", "<start_of_turn>", "<end_of_turn>"]
    user = ["\n", "\n\n", "\n\n\n", "\t", "\t\t", "<table>", "▁▁▁▁▁▁▁▁▁▁▁▁"]
    vocab, merges = sentencepiece_like([*names, *user], runs=True)
    spec = {"version": "1.0", "truncation": None, "padding": None,
            "normalizer": {"type": "Replace", "pattern": {"String": " "}, "content": "▁"},
            "pre_tokenizer": {"type": "Split", "pattern": {"String": " "}, "behavior": "MergedWithPrevious", "invert": False},
            "decoder": {"type": "Sequence", "decoders": [
                {"type": "Replace", "pattern": {"String": "▁"}, "content": " "}, {"type": "ByteFallback"}, {"type": "Fuse"}]},
            "model": model(vocab, merges, unk_token="<unk>", fuse_unk=True, byte_fallback=True)}
    spec = with_added(spec, [*(added(name) for name in names), *(added(text, special=False) for text in user)])
    spec["post_processor"] = template("<bos>", spec)
    return spec, {"bos_token": "<bos>", "eos_token": "<eos>", "add_bos_token": True}


def make_metaspace(scheme, splits, fuse_unk):
    """SentencePiece conventions through Metaspace, without byte fallback."""
    vocab, merges = sentencepiece_like(["<unk>", "<s>", "</s>"])
    vocab = {token: index for index, token in enumerate(token for token in vocab if not token.startswith("<0x"))}
    metaspace = {"type": "Metaspace", "replacement": "▁", "prepend_scheme": scheme, "split": splits}
    spec = {"version": "1.0", "truncation": None, "padding": None, "normalizer": None, "pre_tokenizer": metaspace,
            "post_processor": None, "decoder": metaspace,
            "model": model(vocab, merges, unk_token="<unk>", fuse_unk=fuse_unk)}
    return with_added(spec, [added("<unk>"), added("<s>"), added("</s>")]), {"bos_token": "<s>", "eos_token": "</s>"}


def make_odd():
    """Everything about added tokens, the other split behaviours, and a configuration that overrides settings."""
    spec = byte_level(
        [pre_tokenizers.Punctuation("merged_with_previous"), split("\t", "removed", literal=True),
         split(r"\p{N}+", "contiguous"), split(r"[\r\n]", "merged_with_next"), split(r"\s?\p{L}+", "merged_with_previous", invert=True)],
        normalizer=normalizers.Sequence([normalizers.NFKC(), normalizers.Replace("Ġ", "Ж")]))
    tokens = [added("<s>"), added("strip", lstrip=True, rstrip=True), added("one", single_word=True, special=False),
              added("left", lstrip=True, special=False), added("right", rstrip=True, special=False),
              added("ﬁt", normalized=True, special=False), added("<|a|>"), added("<|a|>b"), added("  ", special=False),
              added("①", normalized=True, single_word=True, special=False)]
    spec = with_added(spec, tokens)
    # transformers take the settings of this file where both have a token.
    ids = {token["content"]: token["id"] for token in spec["added_tokens"]}
    override = {str(ids["<|a|>b"]): added("<|a|>b", lstrip=True), str(ids["<s>"]): added("<s>"),
                str(len(spec["model"]["vocab"]) + len(tokens)): added("<extra>", special=False)}
    return spec, {"bos_token": "<s>", "added_tokens_decoder": override}


def make_named():
    """Special tokens that only tokenizer_config.json names."""
    spec = byte_level([], use_regex=True)
    for text in ("<s>", "</s>", "<pad>", "strip", "one"):
        spec["model"]["vocab"][text] = len(spec["model"]["vocab"])
    spec = with_added(spec, [added("<s>", special=False, rstrip=True)])
    return spec, {"bos_token": "<s>", "eos_token": {"__type": "AddedToken", **added("</s>", lstrip=True)}, "pad_token": "<pad>",
                  "additional_special_tokens": ["strip", {"__type": "AddedToken", **added("one", single_word=True)}]}


MAKERS = {
    "gpt2": make_gpt2, "digits": make_digits, "llama3": make_llama3, "qwen2": make_qwen2, "default": make_default,
    "deepseek-v2": lambda: make_deepseek(DEEPSEEK_LLM), "deepseek-coder": lambda: make_deepseek(DEEPSEEK_CODER),
    "llama2": make_llama2, "gemma": make_gemma,
    "metaspace-first": lambda: make_metaspace("first", True, False),
    "metaspace-always": lambda: make_metaspace("always", False, True),
    "metaspace-never": lambda: make_metaspace("never", True, True), "odd": make_odd,
    "named": make_named,
}


# --------------------------------------------------------------------------------------------------------------------
# Golden ids.

def load(directory):
    """The tokenizer as transformers set it up from both files."""
    return PreTrainedTokenizerFast.from_pretrained(directory, local_files_only=True)._tokenizer


def case(tokenizer, text):
    ids = tokenizer.encode(text, add_special_tokens=False).ids
    out = {"text": text, "ids": ids}
    special = tokenizer.encode(text, add_special_tokens=True).ids
    if special != ids:
        out["special"] = special
    decoded = tokenizer.decode(ids, skip_special_tokens=False)
    if decoded != text:
        out["decoded"] = decoded
    plain = tokenizer.decode(ids, skip_special_tokens=True)
    if plain != decoded:
        out["plain"] = plain
    return out


def golden(tokenizer, name):
    rng = random.Random(name)
    words, letters = CORPUS.split(), alphabet()
    cases = [case(tokenizer, text) for text in HARD_TEXTS]
    for data in BAD_BYTES:
        cases.append({**case(tokenizer, data.decode("utf-8", "replace")), "bytes": data.hex()})
    cases += [case(tokenizer, random_text(rng, letters, words)) for _ in range(60)]
    cases.append(case(tokenizer, CORPUS))
    size = tokenizer.get_vocab_size()
    decodes = []
    for _ in range(60):
        ids = [rng.randrange(size + 3) for _ in range(rng.randrange(1, 12))]
        decodes.append({"ids": ids, "decoded": tokenizer.decode(ids, skip_special_tokens=False),
                        "plain": tokenizer.decode(ids, skip_special_tokens=True)})
    return {"cases": cases, "decodes": decodes}


def write(path, value):
    path.parent.mkdir(exist_ok=True)
    path.write_text(json.dumps(value, ensure_ascii=False, separators=(",", ":")) + "\n", encoding="utf-8")


SENTENCEPIECE = {"llama": (True, []), "gemma": (False, ["\n", "\n\n", "\t", "<table>", "<start_of_turn>"])}


def train_sentencepiece(name):
    """A SentencePiece BPE model with the settings of Llama 2 or Gemma."""
    prefix, user = SENTENCEPIECE[name]
    with tempfile.TemporaryDirectory() as folder:
        (Path(folder) / "corpus.txt").write_text(CORPUS, encoding="utf-8")
        sentencepiece.SentencePieceTrainer.train(
            input=f"{folder}/corpus.txt", model_prefix=f"{folder}/model", model_type="bpe", vocab_size=1000,
            character_coverage=0.98, byte_fallback=True, add_dummy_prefix=prefix, remove_extra_whitespaces=False,
            normalization_rule_name="identity", user_defined_symbols=user, minloglevel=2,
            allow_whitespace_only_pieces=True, split_digits=True)
        return sentencepiece.SentencePieceProcessor(model_file=f"{folder}/model.model")


def for_sentencepiece(texts):
    """Texts that sentencepiece takes as they are: it reads no control tokens in a text and has a use for NUL."""
    return [text for text in texts if not any(token in text for token in ("<unk>", "<s>", "</s>", "\0"))]


def make_sentencepiece(name):
    """A model trained by sentencepiece, in the form in which a GGUF file holds it, with sentencepiece's ids."""
    processor = train_sentencepiece(name)
    prefix, user = SENTENCEPIECE[name]
    size = processor.get_piece_size()
    types = []
    for index in range(size):
        kind = 2 if processor.is_unknown(index) else 3 if processor.is_control(index) else 6 if processor.is_byte(index) else 1
        types.append(4 if processor.id_to_piece(index) in user else kind)
    rng = random.Random(name)
    words, letters = CORPUS.split(), alphabet()
    texts = for_sentencepiece(HARD_TEXTS + [random_text(rng, letters, words) for _ in range(300)] + [CORPUS])
    write(HERE / "sentencepiece" / f"{name}.json", {
        "tokens": [processor.id_to_piece(index) for index in range(size)],
        "scores": [processor.get_score(index) for index in range(size)], "types": types,
        "bos": processor.bos_id(), "eos": processor.eos_id(), "unk": processor.unk_id(), "prefix": prefix,
        "cases": [{"text": text, "ids": processor.encode(text), "decoded": processor.decode(processor.encode(text))}
                  for text in texts]})


# --------------------------------------------------------------------------------------------------------------------
# Parts on their own.

def make_patterns():
    """The lengths in bytes of the pieces that each pattern cuts texts into."""
    rng = random.Random(5)
    words, letters = CORPUS.split(), alphabet()
    texts = HARD_TEXTS + [random_text(rng, letters, words) for _ in range(120)]
    spaces = [" ", "  ", "\n", "\r", "\t", "\u00a0", "\u3000", "\u2028", "x", "1", "!", "。", "한"]
    texts += ["".join(rng.choice(spaces) for _ in range(rng.randrange(1, 9))) for _ in range(200)]
    out = []
    for pattern in PATTERNS:
        cut = split(pattern)
        out.append({"pattern": pattern,
                    "pieces": [[len(piece.encode()) for piece, _ in cut.pre_tokenize_str(text)] for text in texts]})
    write(HERE / "patterns.json", {"texts": texts, "patterns": out})


def make_classes():
    """Which scalars each class holds, as pairs of first and last."""
    scalars = [chr(c) for c in range(0x110000) if not 0xD800 <= c <= 0xDFFF]
    word = Tokenizer(BPE(vocab={"x": 0}, merges=[]))
    word.add_tokens([AddedToken("q", single_word=True)])

    def ranges(belongs):
        out = []
        for scalar in filter(belongs, scalars):
            if out and out[-1][1] == ord(scalar) - 1:
                out[-1][1] = ord(scalar)
            else:
                out.append([ord(scalar), ord(scalar)])
        return out

    def removed_by(step):
        return ranges(lambda scalar: not step.pre_tokenize_str(scalar))

    classes = {name: removed_by(split(pattern, "removed")) for name, pattern in {
        "letter": r"\p{L}", "number": r"\p{N}", "punctuation": r"\p{P}", "symbol": r"\p{S}", "mark": r"\p{M}",
        "space": r"\s"}.items()}
    digits = pre_tokenizers.Digits(individual_digits=True)
    classes["numeric"] = ranges(lambda scalar: len(digits.pre_tokenize_str("a" + scalar)) == 2)
    classes["tokenizersPunctuation"] = removed_by(pre_tokenizers.Punctuation("removed"))
    classes["word"] = ranges(lambda scalar: word.token_to_id("q") not in word.encode(scalar + "q").ids)
    write(HERE / "classes.json", classes)


def make_utf8():
    rng = random.Random(3)
    parts = [b"a", b"\xc3", b"\xa9", b"\xe2", b"\x82", b"\xac", b"\xf0", b"\x9f", b"\x98", b"\x80", b"\xed", b"\xa0", b"\xf4",
             b"\x90", b"\xc0", b"\xff", b"\xe0", b"\x9f", b"\xf1", b"\xbf"]
    samples = [b"".join(rng.choice(parts) for _ in range(rng.randrange(1, 9))) for _ in range(600)]
    write(HERE / "utf8.json", [{"bytes": data.hex(), "text": data.decode("utf-8", "replace")} for data in samples])


def make_normalizers():
    rng = random.Random(4)
    marks = [chr(c) for c in (*range(0x300, 0x360), *range(0x5B0, 0x5C0), 0x93C, 0x1E130, 0x10EAB, 0x11930, 0x1DFA, 0x302A, 0x3099, 0xF71, 0xF73,
                               0xF75, 0xF81, 0x1161, 0x1175, 0x1176, 0x11A7, 0x11A8, 0x11C2, 0x11C3)]
    bases = [chr(rng.choice([rng.randrange(0x20, 0x2500), rng.randrange(0x3000, 0x3400), rng.randrange(0xAC00, 0xB000),
                             rng.randrange(0x1100, 0x1200), rng.randrange(0xF900, 0xFFFE), rng.randrange(0x11000, 0x12000),
                             rng.randrange(0x1D000, 0x1F200)])) for _ in range(1500)] + ["\U00011935", "\u32ff", "\u1100", "\u1112", "\u1113", "\uac00", "\ud788", "\U000e0065",
                                                                        "\U00010065", "\U00020065"] * 9
    texts = ["".join(rng.choice(bases if rng.random() < 0.6 else marks) for _ in range(rng.randrange(1, 7))) for _ in range(700)]
    forms = {"NFC": normalizers.NFC(), "NFD": normalizers.NFD(), "NFKC": normalizers.NFKC(), "NFKD": normalizers.NFKD()}
    write(HERE / "normalizers.json", [
        {"text": text, **{name: form.normalize_str(text) for name, form in forms.items()}} for text in texts])


def make_decoders():
    """Texts of random ids for decoders in every combination that is supported."""
    rng = random.Random(6)
    replace = {"type": "Replace", "pattern": {"String": "▁"}, "content": " "}
    metaspace = {"type": "Metaspace", "replacement": "▁", "split": True}

    def strip(start, stop):
        return {"type": "Strip", "content": " ", "start": start, "stop": stop}

    def sequence(*steps):
        return {"type": "Sequence", "decoders": list(steps)}

    fallback, fuse, level = {"type": "ByteFallback"}, {"type": "Fuse"}, {**BYTE_LEVEL_POST}
    kinds = [None, level, fuse, replace, fallback, sequence(), strip(1, 0), strip(2, 0), sequence(fuse, strip(0, 2)),
             sequence(replace, fallback, fuse, strip(1, 1)), sequence(fuse, strip(2, 1)), sequence(level, strip(1, 0)),
             sequence(replace, strip(1, 0), fallback), sequence(sequence(replace), sequence(fallback, fuse), fuse),
             *({**metaspace, "prepend_scheme": scheme} for scheme in ("always", "first", "never"))]
    tokens = ["H", " ", "  ", " a", "b ", "▁x", "▁", "€", "Ġ", "Ã", "©", "â", "ÄŒ", "Ġ ", *(f"<0x{byte:02X}>" for byte in (0xE2, 0x82, 0xAC, 0x20, 0x41))]
    vocab = {token: index for index, token in enumerate(tokens)}
    out = []
    for kind in kinds:
        spec = {"decoder": kind, "added_tokens": [], "model": model(vocab, [], unk_token="H")}
        tokenizer = Tokenizer.from_str(json.dumps({"version": "1.0", **spec}))
        cases = []
        for _ in range(80):
            ids = [rng.randrange(len(tokens)) for _ in range(rng.randrange(1, 9))]
            ids.insert(rng.randrange(len(ids) + 1), 0)  # "H": tokenizers fail on a text that is all stripped
            cases.append({"ids": ids, "decoded": tokenizer.decode(ids, skip_special_tokens=False)})
        out.append({"tokenizer": json.dumps(spec, ensure_ascii=False), "cases": cases})
    write(HERE / "decoders.json", out)


# --------------------------------------------------------------------------------------------------------------------
# Chat templates: what the published ones do with messages of a role and a text. The parts about tools and images are
# left out. Sources: tokenizer_config.json of meta-llama/Meta-Llama-3-8B-Instruct, meta-llama/Llama-3.1-8B-Instruct,
# google/gemma-3-1b-it and deepseek-ai/DeepSeek-V2-Lite-Chat, as quoted in public documentation and code.

CHAT_TEMPLATES = {
    "llama3": r"""{% set loop_messages = messages %}{% for message in loop_messages %}{% set content = '<|start_header_id|>' + message['role'] + '<|end_header_id|>

'+ message['content'] | trim + '<|eot_id|>' %}{% if loop.index0 == 0 %}{% set content = bos_token + content %}{% endif %}{{ content }}{% endfor %}{% if add_generation_prompt %}{{ '<|start_header_id|>assistant<|end_header_id|>

' }}{% endif %}""",
    "llama31": r"""{{- bos_token }}
{%- if not date_string is defined %}
    {%- set date_string = "26 Jul 2024" %}
{%- endif %}
{%- if messages[0]['role'] == 'system' %}
    {%- set system_message = messages[0]['content']|trim %}
    {%- set messages = messages[1:] %}
{%- else %}
    {%- set system_message = "" %}
{%- endif %}
{{- "<|start_header_id|>system<|end_header_id|>\n\n" }}
{{- "Cutting Knowledge Date: December 2023\n" }}
{{- "Today Date: " + date_string + "\n\n" }}
{{- system_message }}
{{- "<|eot_id|>" }}
{%- for message in messages %}
    {{- '<|start_header_id|>' + message['role'] + '<|end_header_id|>\n\n'+ message['content'] | trim + '<|eot_id|>' }}
{%- endfor %}
{%- if add_generation_prompt %}
    {{- '<|start_header_id|>assistant<|end_header_id|>\n\n' }}
{%- endif %}
""",
    "gemma": r"""{{ bos_token }}
{%- if messages[0]['role'] == 'system' -%}
    {%- set first_user_prefix = messages[0]['content'] + '

' -%}
    {%- set loop_messages = messages[1:] -%}
{%- else -%}
    {%- set first_user_prefix = "" -%}
    {%- set loop_messages = messages -%}
{%- endif -%}
{%- for message in loop_messages -%}
    {%- if (message['role'] == 'user') != (loop.index0 % 2 == 0) -%}
        {{ raise_exception("Conversation roles must alternate user/assistant/user/assistant/...") }}
    {%- endif -%}
    {%- if (message['role'] == 'assistant') -%}
        {%- set role = "model" -%}
    {%- else -%}
        {%- set role = message['role'] -%}
    {%- endif -%}
    {{ '<start_of_turn>' + role + '
' + (first_user_prefix if loop.first else "") }}
    {%- if message['content'] is string -%}
        {{ message['content'] | trim }}
    {%- else -%}
        {{ raise_exception("Invalid content type") }}
    {%- endif -%}
    {{ '<end_of_turn>
' }}
{%- endfor -%}
{%- if add_generation_prompt -%}
    {{'<start_of_turn>model
'}}
{%- endif -%}
""",
    "deepseekV2": r"""{% if not add_generation_prompt is defined %}{% set add_generation_prompt = false %}{% endif %}{{ bos_token }}{% for message in messages %}{% if message['role'] == 'user' %}{{ 'User: ' + message['content'] + '

' }}{% elif message['role'] == 'assistant' %}{{ 'Assistant: ' + message['content'] + eos_token }}{% elif message['role'] == 'system' %}{{ message['content'] + '

' }}{% endif %}{% endfor %}{% if add_generation_prompt %}{{ 'Assistant:' }}{% endif %}""",
}
CHAT_TOKENIZERS = {"llama3": "llama3", "llama31": "llama3", "gemma": "gemma", "deepseekV2": "deepseek-v2"}
CONVERSATIONS = [
    [("user", "Hello")],
    [("user", "  Hello\n"), ("assistant", "\tHi! \n"), ("user", "Count to 3.")],
    [("system", " Be brief.\n\n"), ("user", "Why?")],
    [("system", ""), ("user", ""), ("assistant", ""), ("user", "\u00a0\u3000x\x1f\x1c")],
    [("system", "中文 😀"), ("user", "<|eot_id|><end_of_turn>"), ("assistant", "1\n\n2"), ("user", "e\u0301"), ("assistant", "bye ")],
    [("assistant", "I start"), ("user", "no")],
    [("user", "a"), ("user", "b")],
    [("user", "a"), ("system", "late"), ("assistant", "b")],
]


def make_chat():
    out = []
    for name, text in CHAT_TEMPLATES.items():
        tokenizer = AutoTokenizer.from_pretrained(HERE / CHAT_TOKENIZERS[name], local_files_only=True)
        for conversation in CONVERSATIONS:
            messages = [{"role": role, "content": content} for role, content in conversation]
            for prompt in (False, True):
                for date in ([None, "01 Feb 2025"] if name == "llama31" else [None]):
                    options = dict(chat_template=text, add_generation_prompt=prompt, **({"date_string": date} if date else {}))
                    entry = {"template": name, "messages": messages, "generationPrompt": prompt, "date": date,
                             "bos": tokenizer.bos_token, "eos": tokenizer.eos_token}
                    try:
                        entry["text"] = tokenizer.apply_chat_template(messages, tokenize=False, **options)
                        entry["ids"] = tokenizer.apply_chat_template(messages, tokenize=True, return_dict=False, **options)
                    except Exception as error:  # raise_exception of a template
                        entry["error"] = str(error)
                    out.append(entry)
    write(HERE / "chat.json", out)


def main():
    for name, maker in MAKERS.items():
        spec, config = maker()
        directory = HERE / name
        directory.mkdir(exist_ok=True)
        write(directory / "tokenizer.json", spec)
        write(directory / "tokenizer_config.json", {"tokenizer_class": "PreTrainedTokenizerFast", **config})
        write(directory / "golden.json", golden(load(directory), name))
    for name in SENTENCEPIECE:
        make_sentencepiece(name)
    make_patterns()
    make_classes()
    make_utf8()
    make_normalizers()
    make_decoders()
    make_chat()


if __name__ == "__main__":
    main()
