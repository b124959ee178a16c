# `make` alone prints what there is. Everything runs inside .venv, made on first use from
# requirements.lock; after that nothing here needs a network, a key or an account.

PYTHON ?= python3
AGENT ?= v2
BASELINE ?= v1
# The night that `make nightly` replays: the second day of the demo traffic.
DATE ?= 2026-03-03
# Faults to inject: names of plans in fixtures/faults, of profiles (`replay faults`), or files.
FAULTS ?=
# More options for `replay run`, for example: make replay AGENT=v2 ARGS="--fault timeout:tool=issue_refund"
ARGS ?=

PLANS = $(foreach plan,$(FAULTS),--faults $(or $(wildcard fixtures/faults/$(plan).toml),$(plan)))
# The baseline goes through the same faults, unless it is the agent itself.
AGAINST = $(and $(FAULTS),$(filter-out $(BASELINE),$(AGENT)),--against $(BASELINE))

# Each process would compile all that it imports again.
unexport PYTHONDONTWRITEBYTECODE

VENV := .venv
BIN := $(VENV)/bin
STAMP := $(VENV)/.installed

.DEFAULT_GOAL := help
.PHONY: help install ingest replay nightly report test servers test-servers lint bench bench-diff bench-ingest bench-pii fixtures lock lock-servers clean

help: ## what you are reading
	@echo "replay: yesterday's anonymized agent traffic against a new version of the agent"
	@echo
	@awk -F ':.*## ' '/^[a-z-]+:.*## /{printf "  make %-10s %s\n", $$1, $$2}' $(MAKEFILE_LIST)
	@echo
	@echo "  start here:  make replay AGENT=v2"

$(STAMP): requirements.lock pyproject.toml
	@$(PYTHON) -c 'import sys; sys.exit(sys.version_info < (3, 11))' || \
	  { echo "replay needs Python 3.11 or later; name one with PYTHON=python3.12"; exit 2; }
	@echo "installing into $(VENV) (once, about a minute) ..."
	@$(PYTHON) -m venv $(VENV)
	@$(BIN)/python -m pip install --quiet --disable-pip-version-check --no-compile --require-hashes -r requirements.lock
	@$(BIN)/python -m pip install --quiet --disable-pip-version-check --no-deps --no-build-isolation -e .
	@touch $@

install: $(STAMP) ## make .venv from the lock file

ingest: $(STAMP) ## scrub the demo's two days of traffic into traces/
	@$(BIN)/anonymize ingest demo --out traces

# The exit code is the verdict (0 pass, 1 regressed, 2 could not run, 3 inconclusive); make prints
# it as "Error 1" and itself ends with 2, as it does for any recipe that doesn't end with 0.
replay: ingest ## replay the traffic against AGENT=v2 and report what changed; FAULTS=demo: on a bad day
	@$(BIN)/replay run $(AGENT) --traces traces --baseline $(BASELINE) $(PLANS) $(AGAINST) $(ARGS)

nightly: $(STAMP) ## what a scheduler runs: ingest, replay and report one night (DATE=...)
	@$(BIN)/replay nightly --date $(DATE) $(ARGS)

report: $(STAMP) ## name the last report, and open it if this machine has a browser to open it in
	@$(BIN)/replay report --open

test: $(STAMP) ## the whole test suite
	@$(BIN)/python -m pytest $(ARGS)

# Each server in an environment of its own, from a lock file of its own: 1.3 GB together.
.servers/%/.installed: tests/servers/%.lock
	@echo "installing the server $* into .servers/$* (once) ..."
	@$(PYTHON) -m venv .servers/$*
	@.servers/$*/bin/python -m pip install --quiet --disable-pip-version-check --require-hashes -r $<
	@touch $@

servers: .servers/phoenix/.installed .servers/mlflow/.installed ## real Phoenix and MLflow servers, for their tests

test-servers: $(STAMP) servers ## the sources' tests against those servers, on loopback
	@$(BIN)/python -m pytest -n 0 --timeout 600 tests/servers $(ARGS)

lint: $(STAMP) ## ruff and mypy --strict
	@$(BIN)/ruff check . && $(BIN)/ruff format --check . && $(BIN)/mypy

bench: $(STAMP) ## the README's figures, measured here
	@$(BIN)/python -m benchmarks $(ARGS)

bench-diff: $(STAMP) ## what a comparison costs, beside DeepDiff and (SHADOW_PYTHON=...) shadow-diff
	@$(BIN)/python -m benchmarks.bench_diff $(ARGS)

bench-ingest: $(STAMP) ## spans into traces, the store, and a day of 20,000 conversations (an hour)
	@$(BIN)/python -m benchmarks.bench_ingest $(ARGS)

bench-pii: $(STAMP) ## how much personal data is found, and how much else is left alone
	@$(BIN)/python -m benchmarks.bench_pii $(ARGS)

fixtures: $(STAMP) ## make the demo traffic again, bit for bit
	@$(BIN)/python -m fixtures.make_fixtures

# With their extras: pip looks for the newest version of what a package wants with an extra, and ends
# where that is not the one with a hash.
LOCKED = --universal --python-version 3.11 --generate-hashes --no-strip-extras --no-annotate \
  --no-emit-index-url --no-emit-find-links --no-header --quiet

lock: $(STAMP) ## resolve requirements.lock again (needs uv and a network)
	@uv pip compile pyproject.toml --extra demo --extra dev \
	  $(LOCKED) -o requirements.lock

lock-servers: ## the same for the servers of `make servers`
	@echo arize-phoenix | uv pip compile - $(LOCKED) -o tests/servers/phoenix.lock
	@echo mlflow | uv pip compile - $(LOCKED) -o tests/servers/mlflow.lock

clean: ## remove traces/, runs/ and caches, keep .venv
	@rm -rf traces runs .pytest_cache .mypy_cache .ruff_cache .hypothesis
