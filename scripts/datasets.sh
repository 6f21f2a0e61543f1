#!/usr/bin/env bash
# Puts public evaluation sets into datasets/external/, which git ignores: GSM8K (its test set) and WikiText-2 (raw, its test text).
# Each file is checked by size and SHA-256 before it is put there; docs/datasets.md says where the sums are from. Does nothing for
# what is there already.
#
# Without a network, local copies: GSM8K=FILE (test.jsonl), WIKITEXT2=FILE (wikitext-2-raw-v1.zip or wiki.test.raw).
set -euo pipefail
cd "$(dirname "$0")/.."
out=${DATASETS:-datasets/external}

gsm8k_address=https://raw.githubusercontent.com/openai/grade-school-math/3101c7d5072418e28b9008a6636bde82a006892c/grade_school_math/data/test.jsonl
gsm8k_bytes=749738
gsm8k_sha256=3730d312f6e3440559ace48831e51066acaca737f6eabec99bccb9e4b3c39d14

# The first is the address of the paper's authors, the second that of the first author, who hosts the same archive.
wikitext_addresses="https://s3.amazonaws.com/research.metamind.io/wikitext/wikitext-2-raw-v1.zip
https://wikitext.smerity.com/wikitext-2-raw-v1.zip"
archive_bytes=4721645
archive_sha256=ef7edb566e3e2b2d31b29c1fdb0c89a4cc683597484c3dc2517919c615435a11
wikitext_bytes=1290590
wikitext_sha256=173c87a53759e0201f33e0ccf978e510c2042d7f2cb78229d9a50d79b9e7dd08

fail() { printf 'datasets: %s\n' "$*" >&2; exit 1; }

sha256() { if command -v sha256sum >/dev/null; then sha256sum < "$1"; else shasum -a 256 < "$1"; fi | cut -d ' ' -f 1; }

# check FILE BYTES SHA256 NAME
check() {
  local bytes sum
  bytes=$(($(wc -c < "$1")))
  [ "$bytes" -eq "$2" ] || fail "$4 has $bytes bytes and not $2; it was not taken"
  sum=$(sha256 "$1")
  [ "$sum" = "$3" ] || fail "$4 has the SHA-256 $sum and not $3; it was not taken"
}

# fetch ADDRESS FILE
fetch() { curl --fail --silent --show-error --location --max-time 300 --output "$2" "$1"; }

mkdir -p "$out"
work=$(mktemp -d)
trap 'rm -rf "$work"' EXIT

# put FILE PLACE: in one step, so that no half a file is ever there.
put() {
  mkdir -p "$(dirname "$2")"
  cp "$1" "$2.part"
  mv "$2.part" "$2"
  echo "datasets: $2"
}

gsm8k=$out/gsm8k/test.jsonl
if [ ! -e "$gsm8k" ]; then
  if [ -n "${GSM8K:-}" ]; then
    [ -r "$GSM8K" ] || fail "GSM8K is '$GSM8K', which cannot be read"
    cp "$GSM8K" "$work/test.jsonl"
  else
    fetch "$gsm8k_address" "$work/test.jsonl" ||
      fail "GSM8K could not be fetched from $gsm8k_address; take a local copy with GSM8K=FILE"
  fi
  check "$work/test.jsonl" $gsm8k_bytes $gsm8k_sha256 "${GSM8K:-$gsm8k_address}"
  put "$work/test.jsonl" "$gsm8k"
fi

wikitext=$out/wikitext-2-raw/wiki.test.raw
if [ ! -e "$wikitext" ]; then
  name=${WIKITEXT2:-}
  if [ -n "$name" ]; then
    [ -r "$name" ] || fail "WIKITEXT2 is '$name', which cannot be read"
    cp "$name" "$work/given"
  else
    for address in $wikitext_addresses; do
      name=$address
      fetch "$address" "$work/given" && break
      rm -f "$work/given"
    done
    [ -e "$work/given" ] ||
      fail "WikiText-2 could not be fetched from" $wikitext_addresses "; take a local copy with WIKITEXT2=FILE"
  fi
  if [ "$(head -c 2 "$work/given")" = PK ]; then
    check "$work/given" $archive_bytes $archive_sha256 "$name"
    command -v unzip >/dev/null || fail "unzip is needed to open $name; install it, for example with: apt-get install unzip"
    unzip -p "$work/given" wikitext-2-raw/wiki.test.raw > "$work/wiki.test.raw"
  else
    mv "$work/given" "$work/wiki.test.raw"
  fi
  check "$work/wiki.test.raw" $wikitext_bytes $wikitext_sha256 "$name"
  put "$work/wiki.test.raw" "$wikitext"
fi
