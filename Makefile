# One entry point for developers and CI. `make` alone does what CI does.

SHELL := /bin/bash
.DEFAULT_GOAL := check
.DELETE_ON_ERROR:

# Corpus and knowledge that tests compare against; tests that need it skip with a reason when it is not there.
export INVESTIGATOR_SHARED ?= ../shared

PYTHON ?= $(shell for p in python3 python3.14 python3.13 python3.12 python3.11; do \
	$$p -c 'import sys; sys.exit(sys.version_info < (3, 11))' 2>/dev/null && { echo $$p; break; }; done)
VENV := .venv
BIN := $(VENV)/bin
STAMP := $(VENV)/.installed
LOCK := requirements-dev.txt

DEMO_REPORT ?= demo/founding-incident.html
# One process per core, each file in one of them: what its tests share is made once.
PYTEST_ARGS ?= -n auto --dist loadfile --no-loadscope-reorder
BENCH_BYTES ?= 1GB
BENCH_ARGS ?=

.PHONY: check demo bytecode test test-all test-trackers lint format bench bench-rules reports accuracy lock wheel clean help

check: lint test

help:
	@echo "demo      investigate the bundled incident and write $(DEMO_REPORT)"
	@echo "test      the tests, without the long tier (under 10 minutes on 2 cores)"
	@echo "test-all  all tests, the long tier too"
	@echo "test-trackers  install Debian's Redmine and Request Tracker 5 (as root) and file tickets in them and in Roundup"
	@echo "lint      ruff check, ruff format --check, mypy --strict"
	@echo "format    let ruff fix and format"
	@echo "bench     measure speed and memory on a generated log ($(BENCH_BYTES); BENCH_BYTES=200MB, BENCH_ARGS='--growth 2 5')"
	@echo "bench-rules  100 rules over a case of 1,000,000 requests"
	@echo "reports   render the example reports from fixtures/"
	@echo "accuracy  compare verdicts with the labels of the corpus"
	@echo "lock      resolve the dependencies again into $(LOCK)"
	@echo "wheel     build dist/*.whl and dist/*.tar.gz"

# The stamp is newer than the lock once everything in the lock is installed.
$(STAMP): $(LOCK) pyproject.toml
	@test -n "$(PYTHON)" || { echo "Python 3.11 or newer is needed: install it or run make PYTHON=/path/to/python3" >&2; exit 1; }
	@test -x $(BIN)/python || "$(PYTHON)" -m venv $(VENV)
	$(BIN)/python -m pip install --quiet --disable-pip-version-check -r $(LOCK)
	$(BIN)/python -m pip install --quiet --disable-pip-version-check --no-deps --no-build-isolation --editable .
	@touch $@

# Exit code 1 means "findings", which is what the demo is for; but Python also exits with 1 on an uncaught exception, so
# the report must be there, and it must be this run's.
demo: $(STAMP)
	@mkdir -p $(dir $(DEMO_REPORT))
	@rm -f $(DEMO_REPORT)
	@code=0; $(BIN)/investigator demo -o $(DEMO_REPORT) || code=$$?; \
	if [ $$code -gt 1 ]; then exit $$code; fi; \
	test -s $(DEMO_REPORT) || { echo "demo: no report was written (exit code $$code)" >&2; exit 1; }

# The programs that tests start need not compile everything again.
bytecode: $(STAMP)
	@$(BIN)/python -m compileall -q investigator

test: bytecode
	$(BIN)/python -m pytest -m "not slow" $(PYTEST_ARGS)

test-all: bytecode
	HYPOTHESIS_PROFILE=long $(BIN)/python -m pytest $(PYTEST_ARGS)

# Debian only, and as root: packages are installed from the system's own sources.
test-trackers: $(STAMP)
	tests/trackers/redmine.sh install
	tests/trackers/rt.sh install
	INVESTIGATOR_TEST=trackers $(BIN)/python -m pytest tests/tickets/test_real.py -rs

lint: $(STAMP)
	$(BIN)/ruff check .
	$(BIN)/ruff format --check .
	$(BIN)/mypy --strict investigator

format: $(STAMP)
	$(BIN)/ruff check --fix .
	$(BIN)/ruff format .

# What ingest is compared with; lnav and grep come from the system. Without it the comparison is shorter.
.bench/tools/bin/ollama-watch: | $(STAMP)
	@$(BIN)/python -m venv .bench/tools
	@.bench/tools/bin/pip install --quiet --disable-pip-version-check ollama-watch || true

bench: $(STAMP) .bench/tools/bin/ollama-watch
	PATH="$$PATH:$(CURDIR)/.bench/tools/bin" $(BIN)/python benchmarks/run.py --bytes $(BENCH_BYTES) $(BENCH_ARGS)
	$(BIN)/python benchmarks/run.py --bytes $(BENCH_BYTES) --transcript claude-code $(BENCH_ARGS)
	$(BIN)/python benchmarks/run.py --bytes $(BENCH_BYTES) --transcript pi $(BENCH_ARGS)

bench-rules: $(STAMP)
	$(BIN)/python benchmarks/rules.py

reports: $(STAMP)
	$(BIN)/python reports/render.py

accuracy: $(STAMP)
	$(BIN)/python benchmarks/accuracy.py

lock: $(STAMP)
	$(BIN)/pip-compile --quiet --upgrade --all-extras --strip-extras --no-emit-index-url --no-emit-trusted-host \
		--no-emit-options --output-file=$(LOCK) pyproject.toml

wheel: $(STAMP)
	$(BIN)/python -m build --no-isolation

clean:
	rm -rf build dist demo .mypy_cache .ruff_cache .pytest_cache .hypothesis
