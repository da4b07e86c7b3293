# SPDX-License-Identifier: Apache-2.0
# Short names for long commands; `make` alone prints them. Every command sets up what it needs first.
BIN := .venv/bin
# T SEED SIM ENDS WAVES J go from make's command line to hilnic as options
SIM_OPTIONS = $(if $(SEED),--seed $(SEED)) $(if $(SIM),--sim $(SIM)) $(if $(ENDS),--ends $(ENDS)) \
              $(if $(filter-out 0 no off,$(WAVES)),--waves) $(if $(J),--jobs $(J))

.DEFAULT_GOAL := help
.PHONY: help setup test examples sim soak live waves shot bench lint format regs docs synth formal lock clean ci
# one command at a time shares the environment, build/ and the processors; parallelism is each command's own (J=)
.NOTPARALLEL:

help:           ## what can be made
	@sed -nE 's/^([a-z]+): *[a-z-]* *## */\1|/p' $(firstword $(MAKEFILE_LIST)) | awk -F '|' '{ printf "  make %-8s %s\n", $$1, $$2 }'
	@echo "  Variables: T=test SEED=n SIM=icarus|verilator ENDS=hdl|cocotbext WAVES=1 J=jobs, as in: make sim T=smoke SIM=verilator"

setup:          ## install everything, once (operating-system packages, .venv, the C library)
	@tools/setup

setup-synth:
	@tools/setup synth

setup-view:
	@tools/setup view

setup-plot:
	@tools/setup plot

test: setup     ## the host-only tests, no simulator (T=expression picks)
	@$(BIN)/python -m pytest $(if $(T),-k '$(T)') -n $(or $(J),auto) --junitxml=build/reports/test.xml

examples: setup ## every example, also those that start a simulator
	@$(BIN)/python -m pytest -m 'simulator or not simulator' tests/examples --junitxml=build/reports/examples.xml

sim: setup      ## the co-simulation regression (T= SEED= SIM= ENDS= WAVES= J=)
	@$(BIN)/hilnic sim $(if $(T),'$(T)') $(SIM_OPTIONS)

soak: setup     ## the long ones: Verilator, many seeds; every schedule of two CPUs; six corners of live; each WDK function and handler as a no-op
	@$(BIN)/hilnic sim $(if $(T),'$(T)') --soak $(SIM_OPTIONS)
	@$(if $(T),,HILNIC_SOAK=1 $(BIN)/python -m pytest tests/ndis/test_concurrency.py tests/signalling/test_fuzz.py \
	  tests/protocols/test_call_fuzz.py -n $(or $(J),auto))
	@$(if $(T),,$(BIN)/python -m pytest -m simulator tests/apps/test_live_corners.py)
	@$(if $(T),,$(BIN)/python -m hilnic.apps.noop)

live: setup     ## the Linux kernel's ping and HTTP through the simulated NIC (SIM= MINIPORT= PROTOCOL=)
	@$(BIN)/hilnic live $(if $(SIM),--sim $(SIM)) $(if $(MINIPORT),--miniport $(MINIPORT)) $(if $(PROTOCOL),--protocol $(PROTOCOL))

waves: setup-view ## a test's waveform in GTKWave (T=)
	@$(BIN)/hilnic waves $(if $(T),'$(T)') $(if $(SIM),--sim $(SIM))

shot: setup-view ## the waveform picture of the README (T=)
	@$(BIN)/hilnic waves $(if $(T),'$(T)') $(if $(SIM),--sim $(SIM)) --shot

bench: setup    ## frames per second and latency (SIM= ENDS= SEED=)
	@$(BIN)/hilnic bench $(if $(SIM),--sim $(SIM)) $(if $(ENDS),--ends $(ENDS)) $(if $(SEED),--seed $(SEED)) --json build/bench.json

lint: setup     ## ruff, mypy --strict, verilator -Wall
	@$(BIN)/python tools/lint.py

format: setup   ## let ruff format the Python sources
	@$(BIN)/ruff format .

regs: setup     ## generate everything from the register map again
	@$(BIN)/python tools/gen_regs.py

docs: setup     ## generate the generated parts of docs/ again
	@$(BIN)/python tools/docs.py

synth: setup-synth ## area and clock of the NIC on an ECP5
	@$(BIN)/hilnic synth

formal: setup-synth ## proofs about single blocks of the NIC (T=)
	@$(BIN)/hilnic formal $(if $(T),'$(T)')

lock:           ## resolve pyproject.toml's dependencies anew into the lock files
	@tools/lock

clean:          ## remove what was built (the environment .venv stays)
	@rm -rf build dist .pytest_cache .mypy_cache .ruff_cache .hypothesis

ci: ## what the gate runs
	@.ci/run
