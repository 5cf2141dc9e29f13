# The product's verbs. `make demo` and `make test` set up what they need first.
SHELL := /bin/bash
VENV := .venv
BIN := $(VENV)/bin
STAMP := $(VENV)/.set-up
# Files of tests side by side; most of them wait for servers more than they compute. Bounds of time are stretched for it.
JOBS ?= 3
CODE := api client detectors firmware_sim ingest servicedesk stack storage stream telemetry worker tests benchmarks

.PHONY: help docs setup setup-node demo test test-long reliability test-timescale lint types contracts format lock client screens clean

help: ## say what there is
	@grep -E '^[a-z-]+:.*## ' $(MAKEFILE_LIST) | sed -E 's/:[^#]*## /\t/' | expand -t 16

setup: $(STAMP) ## local .venv with the locked dependencies and the `wellkept` command

$(STAMP): requirements.lock pyproject.toml
	@python=; for name in python3.13 python3.12 python3.11 python3; do \
	  if command -v $$name >/dev/null && $$name -c 'import sys, venv, ensurepip; sys.exit(not (3, 11) <= sys.version_info[:2] <= (3, 13))' 2>/dev/null; \
	  then python=$$name; break; fi; done; \
	  if [ -z "$$python" ]; then echo "error: no Python 3.11 to 3.13 with its venv module; on Debian or Ubuntu: apt-get install python3-venv" >&2; exit 1; fi; \
	  test -x $(BIN)/python || $$python -m venv $(VENV)
	$(BIN)/python -m pip install --quiet --disable-pip-version-check 'uv>=0.8'
	$(BIN)/uv pip sync --quiet --compile-bytecode --python $(BIN)/python --require-hashes requirements.lock
	$(BIN)/uv pip install --quiet --python $(BIN)/python --no-deps --editable .
	$(BIN)/python -c 'from detectors.bank import Bank; from firmware_sim.compiled import warm; from telemetry.catalogue import load_catalogue; Bank(load_catalogue()); warm()'
	@touch $@

setup-node: node_modules/.package-lock.json ## TimescaleDB for the tests, in Node.js (development only)

node_modules/.package-lock.json: package.json package-lock.json .npmrc
	@command -v npm >/dev/null || { echo "error: no npm; on Debian or Ubuntu: apt-get install nodejs npm" >&2; exit 1; }
	npm ci --silent
	@touch $@

demo: setup ## the main job: fleet, broker, ingest, worker, pages; Ctrl-C ends it and prints the score
	$(BIN)/wellkept demo

test: setup setup-node lint types contracts ## everything but the long tier, on the real embedded servers
	WELLKEPT_PATIENCE=$${WELLKEPT_PATIENCE:-3} $(BIN)/pytest -n $(JOBS) --dist loadfile --no-loadscope-reorder -m "not long"

test-long: setup ## the long tier
	$(BIN)/pytest -m long

reliability: setup ## play every fault and write docs/reliability.md: TIER=short|long, or NAMES="kill-nats fuzz"
	$(BIN)/python -m tests.faults.reliability $(if $(TIER),--tier $(TIER)) $(NAMES)

test-timescale: setup setup-node ## the storage suites on your own TimescaleDB server: URL=postgresql://…
	@test -n "$(URL)" || { echo "error: name a server with TimescaleDB whose user may create databases:" \
	  "make test-timescale URL=postgresql://user:password@host:5432/postgres" >&2; exit 2; }
	CI=true WELLKEPT_TIMESCALE_URL='$(URL)' $(BIN)/pytest tests/timescale

lint: setup ## ruff, whether the format is kept, and whether the dependencies are those that are used
	$(BIN)/ruff check $(CODE)
	$(BIN)/ruff format --check $(CODE)
	$(BIN)/deptry .

types: setup ## mypy, strict, tests included
	$(BIN)/mypy

contracts: setup ## who may import whom
	$(BIN)/lint-imports

format: setup ## put the code into its format
	$(BIN)/ruff format $(CODE)
	$(BIN)/ruff check --fix $(CODE)

client: setup ## write the typed client anew from the OpenAPI document
	document=$$($(BIN)/wellkept api openapi) && $(BIN)/python client/generate.py <<< "$$document"
	$(BIN)/ruff check --quiet --fix-only client/types client/routes
	$(BIN)/ruff format --quiet client

lock: setup ## solve the dependencies anew for Python 3.11 to 3.13
	$(BIN)/uv pip compile pyproject.toml --all-extras --group dev --universal --generate-hashes --no-emit-index-url \
	  --no-annotate --no-header --python-version 3.11 --output-file requirements.lock

docs: setup ## the handbook as a site, in site/, every link checked
	$(BIN)/mkdocs build --strict --quiet

screens: setup ## pictures of the product's own pages, for docs/img (needs Chromium)
	$(BIN)/wellkept screens docs/img/pages --gallery docs/screens.md

clean: ## remove what was built, not the data of `wellkept up`
	rm -rf $(VENV) build dist site *.egg-info .mypy_cache .ruff_cache .pytest_cache .hypothesis .import_linter_cache node_modules
