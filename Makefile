# Two commands for a newcomer: `make run` and `make test`. Everything lives in .venv, made from the hashed lock files.

PYTHON ?= python3
PORT ?= 8000
BIN := .venv/bin
SOURCES := app benchmarks migrations tests

.PHONY: help run test test-fast test-long bench format lint screenshots clean

help:  ## this list
	@grep -E '^[a-z-]+:.*##' $(MAKEFILE_LIST) | sed -E 's/:[^#]*## /\t/' | expand -t 12

# The service alone: what `make run` and the image need.
.venv/runtime: requirements.lock pyproject.toml
	@$(PYTHON) -c 'import sys; sys.exit(sys.version_info < (3, 11))' || { echo "Python 3.11 or newer is needed: make PYTHON=python3.11 …"; exit 1; }
	@test -x $(BIN)/python || $(PYTHON) -m venv .venv
	@echo "Installing the service into .venv …"
	@$(BIN)/python -m pip install --quiet --disable-pip-version-check --require-hashes -r requirements.lock
	@$(BIN)/python -m pip install --quiet --disable-pip-version-check --no-deps --no-build-isolation --editable .
	@touch $@

.venv/development: .venv/runtime requirements-dev.lock
	@echo "Installing the tools for tests into .venv …"
	@$(BIN)/python -m pip install --quiet --disable-pip-version-check --require-hashes -r requirements-dev.lock
	@touch $@

run: .venv/runtime  ## start the service, play the main journey, keep serving (PORT=8000)
	@$(BIN)/python -m app.cli.run --port $(PORT)

test: lint  ## everything that must hold: style, types, contracts, tests, coverage
	$(BIN)/coverage erase
	$(BIN)/python -m pytest -n auto --cov --cov-report= --durations=10 -m "not unmeasured"
	$(BIN)/python -m pytest -n $$(($$($(BIN)/python -c 'import os; print(os.cpu_count())') + 1)) --durations=10 -m unmeasured
	$(BIN)/coverage report --fail-under=90 --skip-covered --skip-empty
	$(BIN)/coverage report --fail-under=100 --include="$$($(BIN)/python -m tests.pure)"

test-fast: .venv/development  ## the tests alone, on both databases
	$(BIN)/python -m pytest -n auto -q

test-long: .venv/development  ## every test on both databases; races in fifty rounds, generated input at length
	MIK_TEST_WHOLE=1 $(BIN)/python -m pytest -n auto -q --ignore tests/races --ignore tests/api/test_schemathesis.py
	MIK_TEST_ROUNDS=50 $(BIN)/python -m pytest -n auto -q tests/races tests/api/test_schemathesis.py

bench: .venv/development  ## measure it beside the bare server, into benchmarks/RESULTS.md (20 minutes; QUICK=--quick: a few)
	$(BIN)/python -m benchmarks $(QUICK)

lint: .venv/development
	$(BIN)/ruff format --check $(SOURCES)
	$(BIN)/ruff check $(SOURCES)
	$(BIN)/mypy
	$(BIN)/lint-imports

format: .venv/development  ## put the code into its form
	$(BIN)/ruff check --fix --exit-zero --quiet $(SOURCES)
	$(BIN)/ruff format $(SOURCES)

screenshots: .venv/development  ## the pictures of the README, anew (needs Chromium)
	$(BIN)/python -m tests.pages.screenshots

clean:  ## remove what was made, the demo's data included
	rm -rf .venv var build *.egg-info .coverage .coverage.* .pytest_cache .mypy_cache .ruff_cache .hypothesis .import_linter_cache tests/interop/node_modules
	find . -name __pycache__ -type d -prune -exec rm -rf {} +
