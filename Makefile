# `make help` lists the targets. Everything here works from a fresh clone with make, git and Python 3.11 or newer;
# uv, Go and all packages are fetched from the package registries when they are missing.

SHELL := /bin/sh
.DEFAULT_GOAL := help
.DELETE_ON_ERROR:
MAKEFLAGS += --no-print-directory

UV_VERSION := 0.13.9
CACHE := $(or $(XDG_CACHE_HOME),$(HOME)/.cache)/ecs-operator
FETCHED_UV := $(CACHE)/uv-$(UV_VERSION)/bin/uv
export UV := $(or $(shell command -v uv 2>/dev/null),$(FETCHED_UV))
# An interpreter of this machine is used; uv fetches none.
export UV_PYTHON_DOWNLOADS := never
# Trust what this machine trusts (pip and Go do), where it says so.
ifneq ($(wildcard /etc/ssl/certs/ca-certificates.crt /etc/ssl/cert.pem),)
export UV_SYSTEM_CERTS := true
endif
PYTHON ?= python3
VENV ?= .venv
BIN := $(VENV)/bin
READY := $(VENV)/.ready
PROJECTS := pyproject.toml simulator/pyproject.toml tools/ecs_lab/pyproject.toml
# More arguments for pytest, e.g. `make unit PYTEST="-k lease -x"`
PYTEST ?=
# More arguments for the benchmark of the simulator, e.g. `make bench-simulator BENCH="--servers 1000"`
BENCH ?=
# Most levels mostly wait: this many of their tests run at a time. Each worker has a control plane of its own where one is needed
WORKERS ?= 3
IMAGE ?= ecs-operator:dev

.PHONY: help
help: ## List the targets
	@awk 'BEGIN {FS = ":.*## "} /^[a-z0-9-]+:.*## / {printf "  %-16s %s\n", $$1, $$2}' $(MAKEFILE_LIST)

# --- the two commands ---

.PHONY: demo
demo: $(READY) ## Everything on this machine: a real API server, a simulated cloud, the operator, the examples
	@$(BIN)/ecs-lab demo

.PHONY: test
test: $(READY) ## All that CI runs, in its order; stops at the first failure
	@MAKE="$(MAKE)" $(BIN)/python tools/steps.py check-format lint types imports check-generated unit contract crd chart e2e faults docs load

# --- one step each ---

.PHONY: format
format: $(READY) ## Format the code
	@$(BIN)/ruff format .

.PHONY: check-format
check-format: $(READY) ## Is the code formatted?
	@$(BIN)/ruff format --check .

.PHONY: lint
lint: $(READY) ## Lint
	@$(BIN)/ruff check .

.PHONY: types
types: $(READY) ## Check the types, strictly
	@$(BIN)/mypy

.PHONY: imports
imports: $(READY) ## Check the layers: who may import whom
	@$(BIN)/lint-imports

.PHONY: generate
generate: $(READY) ## Write the generated files anew (crds/, docs/reference/)
	@$(BIN)/python -m ecs_operator.api.generate
	@$(BIN)/python tools/api_coverage.py
	@$(BIN)/python tools/cost_table.py

.PHONY: check-generated
check-generated: $(READY) ## Are the generated files up to date, and does the API coverage have no gap?
	@$(BIN)/python -m ecs_operator.api.generate --check
	@$(BIN)/python tools/api_coverage.py --check
	@$(BIN)/python tools/cost_table.py --check

.PHONY: unit
unit: $(READY) ## Tests that need nothing
	@$(BIN)/pytest -n $(WORKERS) tests/unit $(PYTEST)

.PHONY: contract
contract: $(READY) ## The cloud client against the simulator, over HTTP
	@$(BIN)/pytest -n $(WORKERS) tests/contract $(PYTEST)

.PHONY: machine
machine: $(READY) ## The state machine against the simulator, long and with other histories each time
	@MACHINE_CHANCE=1 MACHINE_HISTORIES=$${MACHINE_HISTORIES:-2000} $(BIN)/pytest tests/contract/machine $(PYTEST)

.PHONY: crd
crd: $(READY) control-plane ## The custom resources on a real API server
	@$(BIN)/pytest tests/crd $(PYTEST)

.PHONY: e2e
e2e: $(READY) control-plane ## kubectl in, server out
	@$(BIN)/pytest -n $(WORKERS) --dist loadfile tests/e2e $(PYTEST)

.PHONY: faults
faults: $(READY) control-plane ## Crashes, lost answers, API servers that fail
	@$(BIN)/pytest -n $(WORKERS) tests/faults $(PYTEST)

.PHONY: chart
chart: $(READY) control-plane ## manifests/base with its rights on a real API server; the image, where buildah is at hand
	@$(BIN)/pytest tests/chart $(PYTEST)

.PHONY: docs
docs: $(READY) control-plane ## The documentation: its manifests, commands and links
	@$(BIN)/pytest tests/docs $(PYTEST)

.PHONY: docs-outputs
docs-outputs: $(READY) control-plane ## Write what commands answer into docs/kinds
	@$(BIN)/pytest tests/docs/test_outputs.py --update-outputs $(PYTEST)

.PHONY: load
load: $(READY) control-plane ## 500 servers at once: counts, memory, quiet
	@$(BIN)/pytest tests/load $(PYTEST)

.PHONY: bench-simulator
bench-simulator: $(READY) ## How fast the simulator is on this machine: a table; nothing passes or fails
	@$(BIN)/python tools/simulator_bench.py $(BENCH)

# --- what they stand on ---

.PHONY: control-plane
control-plane: $(READY) ## Build etcd, kube-apiserver, kube-controller-manager, kubectl and Helm, once per version
	@$(BIN)/ecs-lab build

.PHONY: venv
venv: $(READY) ## The Python environment in .venv, from requirements.lock

$(READY): requirements.lock $(PROJECTS) | $(UV)
	@test -x $(BIN)/python || $(UV) venv --quiet --python '>=3.11' $(VENV)
	@echo "... installing the packages of requirements.lock into $(VENV)"
	@$(UV) pip sync --quiet --python $(BIN)/python --require-hashes requirements.lock
	@$(UV) pip install --quiet --python $(BIN)/python --no-deps --no-build-isolation --editable . --editable simulator --editable tools/ecs_lab
	@touch $@

$(FETCHED_UV):
	@$(PYTHON) -c 'import sys; sys.exit(sys.version_info < (3, 11))' || { echo "Python 3.11 or newer is needed: make PYTHON=..."; exit 1; }
	@echo "... fetching uv $(UV_VERSION) into $(@D)"
	@mkdir -p $(@D)
	@$(PYTHON) -m venv $(CACHE)/uv-$(UV_VERSION).tmp || { echo "$(PYTHON) cannot make virtual environments (on Debian: python3-venv)"; exit 1; }
	@$(CACHE)/uv-$(UV_VERSION).tmp/bin/python -m pip install --quiet --disable-pip-version-check uv==$(UV_VERSION)
	@cp $(CACHE)/uv-$(UV_VERSION).tmp/bin/uv $@.tmp && mv $@.tmp $@
	@rm -rf $(CACHE)/uv-$(UV_VERSION).tmp

.PHONY: lock
LOCK = $(UV) pip compile --quiet --universal --python-version 3.11 --generate-hashes --no-emit-index-url --no-emit-find-links \
	--custom-compile-command "make lock"
lock: $(UV) ## Resolve the dependencies anew, e.g. with UPGRADE="--upgrade-package httpx": all of them, and for each image its own
	@$(LOCK) --group dev $(UPGRADE) $(PROJECTS) --output-file requirements.lock
	@$(LOCK) --constraint requirements.lock pyproject.toml --output-file requirements-operator.lock
	@$(LOCK) --constraint requirements.lock simulator/pyproject.toml --output-file requirements-simulator.lock
	@echo hatchling | $(LOCK) --constraint requirements.lock - --output-file requirements-build.lock

.PHONY: image
image: ## Build the operator's image with docker, podman or buildah
	@tool=$$(command -v docker || command -v podman || command -v buildah) || { echo "none of docker, podman, buildah is installed"; exit 1; }; \
		"$$tool" build --tag $(IMAGE) .

.PHONY: clean
clean: ## Remove what was made in this folder; not the user's cache
	@rm -rf $(VENV) .lab dist .mypy_cache .ruff_cache .import_linter_cache .hypothesis
	@find . -name __pycache__ -type d -prune -exec rm -rf {} +
