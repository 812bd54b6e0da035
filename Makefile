# make run     everything on this machine, with a demonstration district      make test    all tests
# make stop · make status · make clean · make check · make schemas · make mechanisms · make journey · make bench · make faults
# make sabotage   promises broken on purpose: is it noticed?      make audit   known holes (needs the internet)
SHELL := bash
.SHELLFLAGS := -eu -o pipefail -c
MAKEFLAGS += --warn-undefined-variables --no-builtin-rules --no-print-directory
.DEFAULT_GOAL := help
.DELETE_ON_ERROR:
.SUFFIXES:

# The newest Python that is there: a distribution's own `python3` may be older than what is needed.
SYSTEM_PYTHON := $(shell for p in python3 python3.13 python3.12 python3.11 python3.14; do \
	"$$p" -c 'import sys; sys.exit(sys.version_info < (3, 11))' 2>/dev/null && { command -v "$$p"; break; }; done)
PYTHON := .local/venv/bin/python
PYTEST := $(PYTHON) -m pytest
ARGS ?=

.PHONY: help run ops stop status clean test check lint types imports schemas mechanisms journey bench faults sabotage audit lock \
	python setup-run setup-test

help:
	@sed -n '1,3s/^# //p' Makefile

python:
	@if [ -z "$(SYSTEM_PYTHON)" ]; then \
		echo "✗ 需要 Python 3.11 或更高版本;请安装后再运行:sudo apt-get install python3 python3-venv。" >&2; \
		echo "  Python 3.11 or later is needed; install it and try again: sudo apt-get install python3 python3-venv." >&2; \
		exit 1; fi

setup-run: python
	@$(SYSTEM_PYTHON) -m deploy.local.install run

setup-test: python
	@$(SYSTEM_PYTHON) -m deploy.local.install test

run: setup-run
	@exec $(PYTHON) -m deploy.local run

stop status clean: python
	@if [ -x $(PYTHON) ]; then exec $(PYTHON) -m deploy.local $@; else echo "尚未准备过 · Nothing is set up yet"; fi

# make ops ARGS="parked list --service complaints": the operators' commands on the running demonstration
ops: setup-run
	@exec $(PYTHON) -m deploy.local ops $(ARGS)

test: setup-test
	@exec $(PYTEST) $(ARGS)

check: lint types imports
	@$(PYTEST) -q tests/unit tests/contract

lint: setup-test
	@$(PYTHON) -m ruff check .

types: setup-test
	@$(PYTHON) -m mypy

imports: setup-test
	@$(PYTHON) -c 'from importlinter.cli import lint_imports_command; lint_imports_command()'

schemas: setup-run
	@$(PYTHON) -m services schemas export
	@$(PYTHON) -m services who-may-what export

mechanisms: setup-test
	@exec $(PYTHON) -m tests.mechanisms

journey: setup-run
	@exec $(PYTHON) -m tests.journeys.j1

bench: setup-test
	@exec $(PYTHON) -m tests.load.bench $(ARGS)

faults: setup-test
	@exec $(PYTHON) -m tests.faults.run $(ARGS)

audit: setup-test
	@exec $(PYTHON) -m tests.audit

# make sabotage ARGS="--only apply-over-a-gap": one promise broken on purpose; without ARGS all of them
sabotage: setup-test
	@exec $(PYTHON) -m tests.sabotage.run $(ARGS)

# For maintainers: the lists made anew from pyproject.toml; versions move only where they must (UPGRADE=--upgrade moves all).
UPGRADE ?=
COMPILE := $(PYTHON) -m uv pip compile pyproject.toml --quiet --generate-hashes --universal --python-version 3.11 \
	--no-emit-index-url --no-annotate --custom-compile-command "make lock" $(UPGRADE)
lock: setup-test
	@$(COMPILE) --output-file requirements.txt
	@$(COMPILE) --extra dev --constraint requirements.txt --output-file requirements-dev.txt
