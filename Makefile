# Two commands for a newcomer: `make run` and `make test`. Everything lives in .venv, made from the hashed lock files.
# Another Python beside it: `make test VENV=.venv-3.13 PYTHON=python3.13`.

PYTHON ?= python3
VENV ?= .venv
PORT ?= 8000
BIN := $(VENV)/bin
# Tests start the service in dozens of processes: without compiled modules each takes a second longer.
unexport PYTHONDONTWRITEBYTECODE
SOURCES := app benchmarks clients migrations tests tools

PIP := $(BIN)/python -m pip --disable-pip-version-check
# Nothing is resolved and nothing is built: what stands in the lock is taken, and nothing else (docs/decisions/0043).
LOCKED := install --quiet --no-deps --require-hashes --only-binary :all:

# Run every part, whatever fails, and name at the end what failed.
define run-all
@failed=; for part in $(1); do \
	echo "== $$part"; $(MAKE) --no-print-directory check-$$part || failed="$$failed $$part"; \
done; \
echo "== $$($(BIN)/python --version)"; \
test -z "$$failed" || { echo "FAILED:$$failed"; exit 1; }; \
echo "Everything holds: $(1)"
endef
STYLE := format ruff mypy imports
# A worker takes neighbouring tests: what a file starts once is started by one worker, not by each.
DIST := --dist worksteal

.PHONY: help run dev check test test-fast test-short test-long bench format lint screenshots openapi docs lock audit release clean
.PHONY: $(addprefix check-,$(STYLE) tests coverage pure-tests pure short whole rounds)

help:  ## this list
	@grep -E '^[a-z-]+:.*##' $(MAKEFILE_LIST) | sed -E 's/:[^#]*## /\t/' | expand -t 12

# The service alone: what `make run` and the image need.
$(VENV)/runtime: requirements.lock pyproject.toml
	@$(PYTHON) -c 'import sys; sys.exit(sys.version_info < (3, 11))' || { echo "Python 3.11 or newer is needed: make PYTHON=python3.11 …"; exit 1; }
	@test -x $(BIN)/python || $(PYTHON) -m venv $(VENV)
	@echo "Installing the service into $(VENV) …"
	@$(PIP) $(LOCKED) -r requirements.lock
	@$(PIP) install --quiet --no-deps --no-build-isolation --editable .
	@$(PIP) check
	@touch $@

$(VENV)/development: $(VENV)/runtime requirements-dev.lock
	@echo "Installing the tools for tests into $(VENV) …"
	@$(PIP) $(LOCKED) -r requirements-dev.lock
	@$(PIP) check
	@touch $@

run: $(VENV)/runtime  ## start the service, play the main journey, keep serving (PORT=8000)
	@$(BIN)/python -m app.cli.run --port $(PORT)

dev: $(VENV)/development  ## the service alone, in the demo profile, restarted when a file of app/ changes (PORT=8000)
	@MIK_PROFILE=demo $(BIN)/python -m app.cli.dev --port $(PORT)

check: $(VENV)/development  ## before each commit, in less than a minute: style, types, contracts, tests of pure modules
	$(call run-all,$(STYLE) pure-tests)

test: $(VENV)/development  ## everything that must hold: style, types, contracts, tests, coverage
	$(call run-all,$(STYLE) tests coverage pure)

test-fast: $(VENV)/development  ## the tests alone, on both databases
	$(BIN)/python -m pytest -n auto -q

test-short: $(VENV)/development  ## types and a cross-section of the tests, for another Python
	$(call run-all,mypy short)

test-long: $(VENV)/development  ## every test on both databases; races in fifty rounds, generated input at length
	$(call run-all,whole rounds)

bench: $(VENV)/development  ## measure it beside the bare server, into benchmarks/RESULTS.md and AVAILABILITY.md (30 minutes; QUICK=--quick: ten)
	$(BIN)/python -m benchmarks $(QUICK)
	$(BIN)/python -m benchmarks.availability

lint: $(VENV)/development  ## style, types, contracts
	$(call run-all,$(STYLE))

format: $(VENV)/development  ## put the code into its form
	$(BIN)/ruff check --fix --exit-zero --quiet $(SOURCES)
	$(BIN)/ruff format $(SOURCES)

screenshots: $(VENV)/development  ## the pictures of the README, anew (needs Chromium)
	$(BIN)/python -m tests.pages.screenshots

openapi: $(VENV)/development  ## write docs/openapi.json and what the client libraries have of it anew, after a change of the API
	@$(BIN)/python -m tools.openapi
	@$(BIN)/python clients/python/generate.py

docs: openapi  ## write docs/settings.md, docs/commands.md and docs/api.md, after a change of settings, commands or routes
	@$(BIN)/python -m tools.docs

# Nothing enters a lock on the day of its release: a bad release is usually found and withdrawn within days.
COOL_DOWN_DAYS := 7
UV ?= uv
COMPILE := $(UV) pip compile --quiet --universal --generate-hashes --no-emit-index-url --no-header \
	--exclude-newer "$$($(PYTHON) -c 'from datetime import *; print((datetime.now(UTC) - timedelta($(COOL_DOWN_DAYS))).strftime("%Y-%m-%dT%H:00:00Z"))')"
lock:  ## write both locks anew after a change of pyproject.toml (UPGRADE=--upgrade: newer versions, a week old at least)
	$(COMPILE) $(UPGRADE) pyproject.toml -o requirements.lock
	$(COMPILE) $(UPGRADE) --group dev -c requirements.lock --no-emit-package pip pyproject.toml -o requirements-dev.lock
	@sed -i.bak '/^$$/,$$d' requirements-dev.lock && rm requirements-dev.lock.bak

audit: $(VENV)/development  ## known vulnerabilities of what the lock names (asks the package index; offline it fails)
	$(BIN)/pip-audit --strict --require-hashes --disable-pip -r requirements.lock

RELEASE := build/release
release: $(VENV)/development  ## wheel, bill of materials and image of this version, into build/release (image: docker, podman or buildah)
	@rm -rf build && mkdir -p $(RELEASE)
	$(PIP) wheel --quiet --no-deps --no-build-isolation --wheel-dir $(RELEASE) .
	$(BIN)/python -m tools.sbom $(RELEASE)/sbom.cdx.json $(RELEASE)/*.whl
	@builder=; for each in docker podman buildah; do \
		case $$each in docker) ask=info;; *) ask=version;; esac; \
		if $$each $$ask >/dev/null 2>&1; then builder=$$each; break; fi; \
	done; \
	test -n "$$builder" || { echo "Wheel and bill of materials are in $(RELEASE). The image is missing: no docker, podman or buildah works here."; exit 1; }; \
	$$builder build -t mik:$$($(BIN)/python -c 'import tomllib; print(tomllib.load(open("pyproject.toml", "rb"))["project"]["version"])') .

clean:  ## remove what was made, the demo's data included
	rm -rf .venv .venv-* var build *.egg-info .coverage .coverage.* .pytest_cache .mypy_cache .ruff_cache .hypothesis .import_linter_cache tests/interop/node_modules clients/typescript/dist
	find . -name __pycache__ -type d -prune -exec rm -rf {} +

# The parts, one by one: `make check-mypy`.
check-format: $(VENV)/development
	$(BIN)/ruff format --check $(SOURCES)
check-ruff: $(VENV)/development
	$(BIN)/ruff check $(SOURCES)
check-mypy: $(VENV)/development
	$(BIN)/mypy
check-imports: $(VENV)/development
	$(BIN)/lint-imports
check-tests: $(VENV)/development
	$(BIN)/coverage erase
	$(BIN)/python -m pytest -n $$(($$($(BIN)/python -c 'import os; print(os.cpu_count())') + 1)) $(DIST) --cov --cov-report= --durations=10
check-coverage: $(VENV)/development
	$(BIN)/coverage report --fail-under=90 --skip-covered --skip-empty
check-pure: $(VENV)/development
	$(BIN)/coverage report --fail-under=100 --include="$$($(BIN)/python -m tests.pure)"
check-pure-tests: $(VENV)/development
	$(BIN)/python -m pytest -n auto -q -m pure $$(grep -rlE '^pytestmark.*\bpure\b' tests)
check-short: $(VENV)/development
	$(BIN)/python -m pytest -n auto -q --durations=10 -m short
check-whole: $(VENV)/development
	MIK_TEST_WHOLE=1 $(BIN)/python -m pytest -n auto -q --ignore tests/races --ignore tests/api/test_schemathesis.py
check-rounds: $(VENV)/development
	MIK_TEST_WHOLE=1 MIK_TEST_ROUNDS=50 $(BIN)/python -m pytest -n auto -q tests/races tests/jobs/test_kills.py tests/api/test_schemathesis.py
