"""Checks the articles: checksums, lengths, and that each expected phrase stands in its own article only, once.

python3 datasets/articles/check.py            (needs PyYAML)
python3 datasets/articles/check.py --write    writes manifest.sha256 anew first
"""

import hashlib
import pathlib
import sys

import yaml

HERE = pathlib.Path(__file__).resolve().parent
MANIFEST = HERE / "manifest.sha256"
WORDS = range(1_700, 2_801)


def checksum(file):
    return hashlib.sha256((HERE / file).read_bytes()).hexdigest()


def manifest(files):
    return "".join(f"{checksum(file)}  {file}\n" for file in files)


def problems(texts, listed):
    files = [article["file"] for article in listed]
    if files != sorted(texts):
        yield f"questions.yaml names {files}; the folder holds {sorted(texts)}."
    if MANIFEST.read_text() != manifest([*sorted(texts), "questions.yaml"]):
        yield "manifest.sha256 does not match the files."
    for file, text in texts.items():
        if len(text.split()) not in WORDS:
            yield f"{file} has {len(text.split())} words."
    for article in listed:
        if len(article["questions"]) != 3:
            yield f"{article['file']} has {len(article['questions'])} questions."
        for entry in article["questions"]:
            found = {file: text.count(entry["expects"]) for file, text in texts.items() if entry["expects"] in text}
            if found != {article["file"]: 1}:
                yield f"'{entry['expects']}' should be once in {article['file']}: {found}."


def main():
    texts = {path.name: path.read_text("utf-8") for path in HERE.glob("*.md") if path.name != "README.md"}
    if "--write" in sys.argv[1:]:
        MANIFEST.write_text(manifest([*sorted(texts), "questions.yaml"]))
    found = list(problems(texts, yaml.safe_load((HERE / "questions.yaml").read_text("utf-8"))["articles"]))
    sys.exit("\n".join(found) if found else 0)


if __name__ == "__main__":
    main()
