# make reproduce   set up, build, run every experiment, write tables, figures and a report
# make test        set up, build, run the tests, and end with what failed
#                  (without testable imports, so that it shares one build with the rest)
# make oracle      compare with transformers, tokenizers, MLX and gguf on what is drawn afresh (installs them in .oracle)
# make bench       speed of prefill and decode against the ceilings of this machine
# make test-sanitize every kernel under the address and undefined behaviour sanitizers
# make test-arm64  compare the Arm kernels with the scalar ones, under qemu where needed
# make datasets    fetch WikiText-2 and GSM8K into datasets/external/ (or WIKITEXT2=FILE GSM8K=FILE)
# make peers       install llama.cpp, mlx-lm and transformers into .peers/, to be compared with
# make bench-peers speed beside llama.cpp on the same weights, in turns, then peers-restore and peers-quality; PROFILE as above
# make peers-restore saved caches beside llama.cpp, mlx-lm and transformers: installs them, runs, ends in the table
# make peers-quality what quantized caches do to predictions beside llama-perplexity: the same file, text and measure
PROFILE ?= laptop
RESULTS ?= results
KVLAB := .build/release/kvlab

.PHONY: help setup build test bench oracle test-arm64 test-sanitize reproduce peers bench-peers peers-restore peers-quality datasets clean

help:
	@sed -n 's/^# \(make .*\)/\1/p' Makefile

# Installs the HDF5 library and gnuplot where they are missing.
setup:
	@bash scripts/setup.sh

build: setup
	swift build -c release --product kvlab

test: setup
	@bash scripts/test.sh

# SEED=n repeats what was drawn; MODELS=n of each class and TEXTS=n for each tokenizer.
oracle: build .oracle/installed
	.oracle/bin/python Tests/Oracle/oracle.py $(if $(SEED),--seed $(SEED)) $(if $(MODELS),--models $(MODELS)) \
	  $(if $(TEXTS),--texts $(TEXTS))

.oracle/installed: Tests/Oracle/requirements.txt
	python3 -m venv .oracle
	.oracle/bin/pip install -q -r Tests/Oracle/requirements.txt
	touch $@

# A grid of models, cache schemes, prompts and depths: table S1 and the roofline figure.
bench: build
	$(KVLAB) run experiments/speed.yaml --profile $(PROFILE) --out $(RESULTS)

# The Arm bodies of the kernels against the scalar ones: natively on Arm, elsewhere under qemu (on Debian and Ubuntu the
# packages qemu-user, gcc-aarch64-linux-gnu and libc6-dev-arm64-cross).
test-arm64:
	sh Tests/CKernelsTests/driver/run.sh arm64

# Every body of the kernels under AddressSanitizer and UndefinedBehaviorSanitizer.
test-sanitize:
	sh Tests/CKernelsTests/driver/run.sh sanitize

# PROFILE=quick (minutes), laptop (about 20 minutes with AMX) or paper (full size, hours). An unfinished run of the same
# settings is gone on with.
reproduce: build
	$(KVLAB) reproduce --profile $(PROFILE) --out $(RESULTS) --resume

# What kvlab is compared with, pinned, into .peers/ and nowhere else.
peers:
	@bash scripts/peers.sh

# Some quarter of an hour with PROFILE=quick, hours with laptop: llama.cpp computes contexts of 16K.
bench-peers: build peers
	$(KVLAB) run experiments/peers/speed.yaml --profile $(PROFILE) --out $(RESULTS) --resume
	$(KVLAB) run experiments/peers/restore.yaml --profile $(PROFILE) --out $(RESULTS) --resume
	$(KVLAB) run experiments/peers/quality.yaml --profile $(PROFILE) --out $(RESULTS) --resume

# Some three minutes with PROFILE=quick, half an hour with laptop, besides installing.
peers-restore: build peers
	$(KVLAB) run experiments/peers/restore.yaml --profile $(PROFILE) --out $(RESULTS) --resume

# Needs llama.cpp of the peers only.
peers-quality: build
	@bash scripts/peers.sh llama.cpp
	$(KVLAB) run experiments/peers/quality.yaml --profile $(PROFILE) --out $(RESULTS) --resume

# Public texts and problems to measure quality with, checked by size and SHA-256: docs/datasets.md.
datasets:
	@GSM8K=$(GSM8K) WIKITEXT2=$(WIKITEXT2) bash scripts/datasets.sh

clean:
	rm -rf .build
