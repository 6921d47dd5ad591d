# Everything runs inside .venv, which `make setup` builds from the lock file; nothing else is needed but git and Python 3.11.
PYTHON ?= python3.11
BIN := .venv/bin
.DEFAULT_GOAL := help

.PHONY: help setup demo test cover check bench days golden format lock clean
help:  ## show this list
	@grep -E '^[a-z]+:.*##' $(MAKEFILE_LIST) | sed -E 's/:.*## /\t/' | expand -t 10

setup: .venv/.ready  ## make .venv with the command `reconciler` in it

.venv/.ready: requirements.lock pyproject.toml
	test -x $(BIN)/python || $$(command -v $(PYTHON) || command -v python3) -m venv .venv
	$(BIN)/python -c 'import sys; sys.exit(sys.version_info < (3, 11) and "Python 3.11 or newer is needed: make PYTHON=/path/to/python3.11 setup")'
	$(BIN)/python -m pip install --quiet --disable-pip-version-check --require-hashes -r requirements.lock
	$(BIN)/python -m pip install --quiet --disable-pip-version-check --no-deps --no-build-isolation --editable .
	touch $@

demo: setup  ## play one fleet's day: rollout, quiet, change, waves, drift, refusal, silence
	$(BIN)/reconciler demo

test: setup  ## run the whole test suite
	$(BIN)/python -m pytest -n 3 --maxschedchunk 4

cover: setup  ## run it with the coverage tracer, which takes twice as long; lists what no test reaches
	$(BIN)/python -m pytest -n 3 --maxschedchunk 4 --cov --cov-report=term

check: setup  ## format, lint, types and import contracts
	$(BIN)/ruff format --check .
	$(BIN)/ruff check .
	$(BIN)/mypy
	$(BIN)/lint-imports

format: setup  ## rewrite the code in the project's format
	$(BIN)/ruff format .
	$(BIN)/ruff check --fix .

bench: setup  ## measure side by side; prints tables, writes benchmarks/results.json
	$(BIN)/python -m benchmarks

days: setup  ## live N simulated days, or the day of SEED again
	PYTHONPATH=tests SEED=$(SEED) N=$(or $(N),20) $(BIN)/python -m days

golden: setup  ## rewrite the golden files from today's output; review them as a diff
	GOLDEN=write $(BIN)/python -m pytest -q -k golden

lock: setup  ## resolve the dependencies anew
	$(BIN)/python -m piptools compile --quiet --strip-extras --extra dev --generate-hashes --no-emit-index-url \
	  --no-emit-trusted-host --no-emit-find-links --allow-unsafe --output-file requirements.lock pyproject.toml

clean:  ## remove what was built
	rm -rf .venv build dist .coverage .mypy_cache .ruff_cache .hypothesis .import_linter_cache
