# `make` alone prints what there is. Everything runs in .venv, which the targets make and fill as they need it.

MAKEFLAGS += --no-print-directory
.DEFAULT_GOAL := help
.PHONY: help run demo test api workers worker bench chaos soak lint format shell constraints servers clean

BIN := .venv/bin
# An installation is done again when what it is made from has changed.
PINS := pyproject.toml config/constraints/api.txt config/constraints/workers.txt config/constraints/embedded.txt
RUN := .venv/.installed-run
DEV := .venv/.installed-dev
# -qq: errors only
PIP := $(BIN)/python -m pip -qq --disable-pip-version-check
SERVICE ?= compute
# Where `make run` runs, and unless other servers are set, these join it.
JOIN := if [ -r .errand/run.env ]; then . .errand/run.env; fi;
# What pytest is given besides: make test ARGS="tests/unit -x"
ARGS ?=
# Most of what the tests do is wait, so files run side by side, the long ones of e2e first; SIDE_BY_SIDE= has one at a time.
SIDE_BY_SIDE ?= -n 4 --dist loadfile --no-loadscope-reorder

help:  ## print this
	@awk -F ':.*## ' '/^[a-z]+:.*## / {printf "  make %-12s %s\n", $$1, $$2}' Makefile

run: $(RUN)  ## run everything here, on embedded servers for what no setting names; Ctrl-C stops it
	@$(BIN)/python -m errand.embedded.run

demo: $(RUN)  ## run one job from POST to mail, show what comes out, and stop
	@$(BIN)/python -m errand.embedded.demo

test: $(DEV) servers  ## run all tests, on real servers; ARGS="tests/unit -x" for some
	$(BIN)/python -m pytest $(SIDE_BY_SIDE) $(ARGS)

api: $(RUN)  ## run the API on the servers that the settings name
	@$(BIN)/python -m api

workers: $(RUN)  ## run all services of the workers in one process, on the same servers
	@$(JOIN) exec $(BIN)/python -m workers

worker: $(RUN)  ## run one service: make worker SERVICE=compute (or mail, webhooks, rescuer)
	@$(JOIN) exec $(BIN)/python -m workers $(SERVICE)

shell: $(RUN)  ## open nameko's shell on the broker: n.rpc.compute.compute('sum', 30, 10)
	@$(JOIN) exec $(BIN)/python -m workers.shell

bench: $(DEV) servers  ## measure; bench/README.md tells what and with which figures
	@PEERS="$(PEERS)" BENCH_PY_PEERS="$(BENCH_PY_PEERS)" BEFORE="$(BEFORE)" $(BIN)/python -m bench $(ARGS)

chaos: $(DEV) servers  ## kill everything under load and count what became of each job: JOBS=10000 FAULTS=200 SEED=1 NODES=3
	@JOBS="$(JOBS)" FAULTS="$(FAULTS)" SEED="$(SEED)" NODES="$(NODES)" $(BIN)/python -m chaos

soak: $(DEV) servers  ## offer half of full load for long and see that nothing grows: MINUTES=30 SEED=1
	@MINUTES="$(MINUTES)" SEED="$(SEED)" RATE="$(RATE)" $(BIN)/python -m soak

lint: $(DEV)  ## check style, types, import rules and the files that are not Python
	$(BIN)/ruff check
	$(BIN)/ruff format --check
	$(BIN)/mypy
	$(BIN)/lint-imports
	$(BIN)/yamllint --strict .
	$(BIN)/hadolint --config .hadolint.yaml deploy/*.Dockerfile

format: $(DEV)  ## write the code the way lint wants it
	$(BIN)/ruff check --fix
	$(BIN)/ruff format

constraints:  ## resolve config/constraints anew, with the newest releases that pyproject.toml allows
	@sh deploy/constraints.sh

clean:  ## remove .venv and caches, not the data in .errand
	rm -rf .venv .mypy_cache .ruff_cache .pytest_cache .import_linter_cache .hypothesis errand.egg-info build

servers:
	@sh tests/support/install.sh

.venv/bin/python:
	@sh deploy/venv.sh .venv

$(RUN): $(PINS) | .venv/bin/python
	@echo "installing what running needs into .venv ..."
	@$(PIP) install --constraint config/constraints/api.txt --constraint config/constraints/workers.txt \
	    --constraint config/constraints/embedded.txt --editable ".[api,workers,embedded]"
	@touch $@

$(DEV): $(PINS) config/constraints/dev.txt | .venv/bin/python
	@echo "installing what running, testing and linting need into .venv ..."
	@$(PIP) install --constraint config/constraints/dev.txt --editable ".[api,workers,embedded,dev]"
	@touch $(RUN) $@
