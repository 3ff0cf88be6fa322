# `make` without a target prints the list of targets. Everything runs in .venv, which the targets create as needed.

MAKEFLAGS += --no-print-directory
.DEFAULT_GOAL := help
.PHONY: help run demo test api workers worker bench chaos soak lint format shell constraints servers clean

BIN := .venv/bin
# The files that an installation depends on.
PINS := pyproject.toml config/constraints/api.txt config/constraints/workers.txt config/constraints/embedded.txt
RUN := .venv/.installed-run
DEV := .venv/.installed-dev
NODE := .venv/node/.installed
# A .venv whose Python was removed or replaced, by an upgrade of the system for example, is made anew.
GONE := $(shell [ ! -e $(RUN) ] || $(BIN)/python -c "import pip" 2>/dev/null || rm -f $(BIN)/python $(RUN) $(DEV))
SERVICE ?= compute
# Targets that start with $(JOIN) use the servers of a running `make run`, unless other servers are set.
JOIN := if [ -r .errand/run.env ]; then . .errand/run.env; fi;
# Additional arguments for pytest: make test ARGS="tests/unit -x"
ARGS ?=
# Tests mostly wait, so four files run in parallel, the long ones of e2e first. SIDE_BY_SIDE= runs one at a time.
SIDE_BY_SIDE ?= -n 4 --dist loadfile --no-loadscope-reorder

help:  ## print this list
	@awk -F ':.*## ' '/^[a-z]+:.*## / {printf "  make %-12s %s\n", $$1, $$2}' Makefile

run: $(RUN)  ## run all of Errand, with embedded servers unless others are set; Ctrl-C stops it
	@$(BIN)/python -m errand.embedded.run

demo: $(RUN)  ## start Errand, run one job from POST to mail, print each step, and stop
	@$(BIN)/python -m errand.embedded.demo

test: $(DEV) servers $(NODE)  ## run all tests on real servers; ARGS="tests/unit -x" runs some
	$(BIN)/python -m pytest $(SIDE_BY_SIDE) $(ARGS)

api: $(RUN)  ## run the API, on the servers named in the settings
	@$(BIN)/python -m api

workers: $(RUN)  ## run all worker services in one process, on the same servers
	@$(JOIN) exec $(BIN)/python -m workers

worker: $(RUN)  ## run one worker service: make worker SERVICE=compute (or mail, webhooks, rescuer)
	@$(JOIN) exec $(BIN)/python -m workers $(SERVICE)

shell: $(RUN)  ## open nameko's shell: n.rpc.compute.compute('sum', 30, 10)
	@$(JOIN) exec $(BIN)/python -m workers.shell

bench: $(DEV) servers  ## run the benchmark against other job queues; see bench/README.md
	@PEERS="$(PEERS)" BENCH_PY_PEERS="$(BENCH_PY_PEERS)" BEFORE="$(BEFORE)" $(BIN)/python -m bench $(ARGS)

chaos: $(DEV) servers  ## kill processes under load and check every job: JOBS=10000 FAULTS=200 SEED=1 NODES=3
	@JOBS="$(JOBS)" FAULTS="$(FAULTS)" SEED="$(SEED)" NODES="$(NODES)" $(BIN)/python -m chaos

soak: $(DEV) servers  ## run at half of full load and check that nothing grows: MINUTES=30 SEED=1
	@MINUTES="$(MINUTES)" SEED="$(SEED)" RATE="$(RATE)" $(BIN)/python -m soak

lint: $(DEV)  ## check style, types, import rules, YAML and Dockerfiles
	$(BIN)/ruff check
	$(BIN)/ruff format --check
	$(BIN)/mypy
	$(BIN)/lint-imports
	$(BIN)/yamllint --strict .
	$(BIN)/hadolint --config .hadolint.yaml deploy/*.Dockerfile

format: $(DEV)  ## fix and format the code as lint requires
	$(BIN)/ruff check --fix
	$(BIN)/ruff format

constraints:  ## update config/constraints to the newest releases that pyproject.toml allows
	@sh deploy/constraints.sh

clean:  ## remove .venv and caches, but not the data in .errand
	rm -rf .venv .mypy_cache .ruff_cache .pytest_cache .import_linter_cache .hypothesis errand.egg-info build

servers:
	@sh tests/support/install.sh

.venv/bin/python:
	@sh deploy/venv.sh .venv

$(NODE): tests/e2e/clients/node/package-lock.json | $(DEV)
	@sh tests/support/install_node.sh

$(RUN): $(PINS) | .venv/bin/python
	@echo "installing Errand into .venv ..."
	@sh deploy/install.sh --constraint config/constraints/api.txt --constraint config/constraints/workers.txt \
	    --constraint config/constraints/embedded.txt --editable ".[api,workers,embedded]"
	@touch $@

$(DEV): $(PINS) config/constraints/dev.txt | .venv/bin/python
	@echo "installing Errand and its development tools into .venv ..."
	@sh deploy/install.sh --constraint config/constraints/dev.txt --editable ".[api,workers,embedded,dev]"
	@touch $(RUN) $@
