.DEFAULT_GOAL := help
PYTHON ?= python3
VENV := .venv
BIN := $(VENV)/bin

.PHONY: help
help: ## Show what each command does
	@grep -hE '^[a-z-]+:.*## ' $(MAKEFILE_LIST) | awk -F ':.*## ' '{printf "  make %-8s %s\n", $$1, $$2}'

$(VENV)/run.stamp: requirements.lock pyproject.toml
	@$(PYTHON) -c 'import sys; sys.exit(0 if sys.version_info >= (3, 11) else "PayFlux needs Python 3.11 or newer; this is %s. Set PYTHON=/path/to/python3.11." % sys.version.split()[0])'
	@test -x $(BIN)/python || $(PYTHON) -m venv $(VENV) || { rm -rf $(VENV); echo "Python's venv module is missing; on Debian and Ubuntu: apt install python3-venv"; exit 1; }
	@echo "Installing PayFlux and what it needs (once) ..."
	@$(BIN)/python -m pip install --quiet --disable-pip-version-check --require-hashes -r requirements.lock
	@$(BIN)/python -m pip install --quiet --disable-pip-version-check --no-deps --no-build-isolation -e .
	@touch $@

$(VENV)/dev.stamp: $(VENV)/run.stamp requirements-dev.lock
	@echo "Installing the test tools (once) ..."
	@$(BIN)/python -m pip install --quiet --disable-pip-version-check --require-hashes -r requirements-dev.lock
	@touch $@

.PHONY: setup
setup: $(VENV)/run.stamp ## Install PayFlux into .venv

.PHONY: lock
lock: ## Write the lock files anew from pyproject.toml (needs uv)
	uv lock --quiet
	uv export --quiet --no-emit-project --no-dev --group build --no-header -o requirements.lock
	uv export --quiet --no-emit-project --all-groups --no-header -o requirements-dev.lock

.PHONY: run
run: $(VENV)/run.stamp ## Start PayFlux: database, web, worker and, without a Stripe key, the sandbox
	@$(BIN)/payflux run

.PHONY: lint
lint: $(VENV)/dev.stamp ## Check style, types and who imports whom
	@$(BIN)/ruff check --quiet .
	@$(BIN)/ruff format --quiet --check .
	@$(BIN)/ty check --quiet
	@$(BIN)/lint-imports --no-cache --no-logo >$(VENV)/imports.log || { cat $(VENV)/imports.log; exit 1; }

.PHONY: fmt
fmt: $(VENV)/dev.stamp ## Put the code into the house's style
	@$(BIN)/ruff check --quiet --fix .
	@$(BIN)/ruff format --quiet .

.PHONY: messages
messages: $(VENV)/dev.stamp ## Bring the catalogues of other languages up to what the code says
	@$(BIN)/python -m tests.messages

# the tests wait for the database, the browser and started commands: three processes keep two cores at work; and what
# they import stays compiled
.PHONY: test
test: export PYTHONDONTWRITEBYTECODE :=
test: lint ## Set everything up, then run every check and every test
	@$(BIN)/python -m tests.chromium
	@$(BIN)/pytest -q -n 3

.PHONY: bench
bench: $(VENV)/dev.stamp ## Measure the fast paths against their named peers
	@$(BIN)/python -m tests.bench

.PHONY: soak
soak: $(VENV)/dev.stamp ## Try each property on many more examples, and kill workers at random points of a large pull: minutes
	@$(BIN)/pytest -q -n 2 --hypothesis-profile=long tests/unit tests/integration/test_api_contract.py
	@$(BIN)/python -m tests.soak

.PHONY: reset
reset: $(VENV)/run.stamp ## Delete the embedded database and everything else in .payflux
	@$(BIN)/payflux reset
