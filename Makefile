# make reproduce   set up, build, run every experiment, write tables, figures and a report
# make test        set up, build, run the tests
#                  (without testable imports, so that both share one build)
PROFILE ?= laptop
RESULTS ?= results
KVLAB := .build/release/kvlab

.PHONY: help setup build test reproduce clean

help:
	@sed -n 's/^# \(make .*\)/\1/p' Makefile

# Installs the HDF5 library and gnuplot where they are missing.
setup:
	@bash scripts/setup.sh

build: setup
	swift build -c release --product kvlab

test: setup
	swift test -c release --disable-testable-imports

# PROFILE=quick (minutes), laptop (at most 20 minutes) or paper (full size, hours). An unfinished run of the same
# settings is gone on with.
reproduce: build
	$(KVLAB) reproduce --profile $(PROFILE) --out $(RESULTS) --resume

clean:
	rm -rf .build
