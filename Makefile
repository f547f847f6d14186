# `make demo` and `make test` need CPython 3.11 or newer and nothing else: see README.md.
.DEFAULT_GOAL := help
.PHONY: help setup demo demo-reset test bench check format lock audit stop
SHELL := /bin/bash
MAKEFLAGS += --no-print-directory

PORT ?= 8000
PYTHON ?= $(shell for python in python3 python3.14 python3.13 python3.12 python3.11; do \
	"$$python" -c 'import sys; sys.exit(sys.version_info < (3, 11))' 2>/dev/null && { echo "$$python"; break; }; done)
CHROMIUM ?= $(shell for name in chromium chromium-browser google-chrome google-chrome-stable; do command -v "$$name" && break; done)
ARGS ?=
SCALE ?= 1000000
OUT ?= build/bench.json
BIN := .venv/bin
PYTEST := $(BIN)/python -m pytest
# pytest ends with 5 when ARGS select none of these tests.
OR_NONE := || [ $$? -eq 5 ]
SOURCES := manage.py lendconsole accounts audit notifications teams customers tests tools
APPS := accounts audit notifications teams customers
COMPILE := $(BIN)/uv pip compile --quiet --universal --python-version 3.11 --generate-hashes --no-annotate --no-emit-index-url --no-header

export PORT

define bootstrap
	@$(if $(PYTHON),,echo "lendconsole needs CPython 3.11 or newer, and this machine's python3 is older or missing. Install one, or name it: make PYTHON=..." >&2; exit 1)
	@$(PYTHON) tools/bootstrap.py
endef

help:  ## Show the commands
	@grep -E '^[a-z-]+:.*##' $(MAKEFILE_LIST) | sed -E 's/:[^#]*## /\t/' | expand -t 14

setup:  ## Make .venv and install the locked dependencies
	$(bootstrap)

demo:  ## Run the demo at http://localhost:8000 (PORT=8123 make demo for another port)
	$(bootstrap) --port '$(PORT)'
	@exec $(BIN)/python -m lendconsole.demo_server

demo-reset:  ## Empty the demo's database, sessions and queue
	$(bootstrap)
	@$(BIN)/python -m lendconsole.demo_server reset

# The tests that kill workers and brokers watch the clock, so nothing runs beside them.
test:  ## Run every test; ARGS='-k name' for some
	$(bootstrap)
	@DEBUG=1 $(PYTEST) -n auto -m 'not browser and not faults' $(ARGS) $(OR_NONE)
	@DEBUG=1 $(PYTEST) -m faults $(ARGS) $(OR_NONE)
ifneq ($(CHROMIUM),)
	@DEBUG=1 CHROMIUM='$(CHROMIUM)' $(PYTEST) -n auto --dist worksteal -m browser $(ARGS) $(OR_NONE)
else
	@if [ "$(CI)" = true ]; then echo "Chromium is missing, and with CI=true the browser tests must run." >&2; exit 1; fi
	@printf '\n%s\n%s\n\n' '*** THE BROWSER TESTS WERE SKIPPED: no Chromium was found. ***' \
		'    Install Chromium, or name one: make test CHROMIUM=/path/to/chromium'
endif

bench:  ## Measure the pages with a million customers; SCALE=100000 OUT=file.json for a quick run
	$(bootstrap)
	@$(BIN)/python -m tools.bench --scale $(SCALE) --out '$(OUT)'

check:  ## Lint, types, templates, import contracts, migrations, deployment settings
	$(bootstrap)
	$(BIN)/ruff check .
	$(BIN)/ruff format --check .
	$(BIN)/djangofmt check templates
	$(BIN)/djangofmt --check templates
	DEBUG=1 $(BIN)/mypy
	$(BIN)/lint-imports
	DEBUG=1 $(BIN)/python manage.py makemigrations --check --dry-run
	DEBUG=1 LOG_LEVEL=WARNING $(BIN)/python -m tools.lint_migrations $(APPS)
	$(BIN)/python -m tools.check_deployment
	! grep -rnE 'https?://' requirements

format:  ## Put code and templates into shape
	$(bootstrap)
	$(BIN)/ruff check --fix .
	$(BIN)/ruff format .
	$(BIN)/djangofmt check --fix --quiet templates
	$(BIN)/djangofmt --quiet templates

lock:  ## Write requirements/*.txt anew from pyproject.toml
	$(bootstrap)
	$(COMPILE) pyproject.toml -o requirements/base.txt
	$(COMPILE) --group dev -c requirements/base.txt -o requirements/dev.txt
	$(COMPILE) --group embedded -c requirements/base.txt -o requirements/embedded.txt
	$(COMPILE) --group bootstrap -o requirements/uv.txt

audit:  ## Look for known weaknesses in the locked dependencies (asks the network)
	$(bootstrap)
	$(BIN)/pip-audit --strict --require-hashes --disable-pip -r requirements/base.txt

stop:  ## Stop the embedded PostgreSQL and Valkey
	@if [ -x $(BIN)/python ]; then $(BIN)/python -m lendconsole.devstack stop; fi
