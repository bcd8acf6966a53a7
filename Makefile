# WasmGear. `make` shows what there is. Every target says what it does while it does it, installs nothing behind your back
# but what .ci/tools lists, and is fast the second time.
#
# The work is done by the scripts in .ci/ and e2e/lab/; this file only names it.

SHELL := /bin/bash
.SHELLFLAGS := -euo pipefail -c
.DEFAULT_GOAL := help
.DELETE_ON_ERROR:
MAKEFLAGS += --no-print-directory --no-builtin-rules

# What a person may type behind a target.
PROFILE ?= dev
REGISTRY ?= wasmgear.test
LEVELS ?=
TEETH ?=
OUTPUT ?= table

# A cluster that the project did not make is used only when it is typed. A CLUSTER that lies about in the environment could
# be anybody's.
ifneq ($(filter-out undefined command,$(firstword $(origin CLUSTER))),)
$(error CLUSTER=$(CLUSTER) comes from the $(origin CLUSTER); unset it, and type it if you mean it: make <target> CLUSTER=<context>)
endif

.PHONY: help
help: ## Show the targets
	@printf 'WasmGear: wasm gears for fluxrig streams, on Kubernetes\n\n'
	@sed -n 's/^\([a-z-]*\):.*## \(.*\)/  make \1\t\2/p' $(MAKEFILE_LIST) | expand -t 22
	@printf '\nTyped behind a target:\n'
	@printf '  PROFILE=release       images: optimised programs in place of the tests'"'"' profile\n'
	@printf '  REGISTRY=<name>       images: first part of their names (%s)\n' '$(REGISTRY)'
	@printf '  LEVELS="unit real"    test: only these levels\n'
	@printf '  TEETH="name …"        teeth: only these of e2e/teeth; OUTPUT=json prints the result for programs\n'
	@printf '  QUICK=1               bench: a smaller run, not to be quoted (1 min); OUTPUT=json as above\n'
	@printf '  CLUSTER=<context>     a cluster of your own in place of the lab, for what needs a cluster\n'

# --- what is needed

.PHONY: tools
tools: ## Install what building, testing and the lab need, each once (10 min the first time)
	@.ci/tools/install.sh

# --- building

.PHONY: build
build: ## Compile the operator, the sidecar and the command line (development profile)
	cargo build --locked --workspace --bins

.PHONY: guests
guests: ## Build the example gears and the fixture guests into target/guests
	cargo xtask guests

.PHONY: images
images: ## Write container images of the operator and the sidecar as an OCI layout, images/
	@PROFILE='$(PROFILE)' REGISTRY='$(REGISTRY)' .ci/images/build.sh product

# --- the lab: a real one-node cluster on this machine

lab_only = $(if $(CLUSTER),$(error CLUSTER=$(CLUSTER) makes no sense here: the lab is this project's own cluster; leave CLUSTER out))

.PHONY: lab-up
lab-up: ## Bring up a real one-node Kubernetes with DNS and NATS on this machine (20 s; needs root)
	$(lab_only)
	@e2e/lab/lab up

.PHONY: lab-down
lab-down: ## Take it down and leave nothing
	$(lab_only)
	@e2e/lab/lab down

.PHONY: lab-status
lab-status: ## Show what runs in it
	$(lab_only)
	@e2e/lab/lab status

.PHONY: oracle
oracle: ## Build the programs that generate, count and scan, which share no code with ours, into target/oracle/bin
	@mkdir -p target/oracle/bin
	@GOFLAGS='' go -C e2e/oracle build -o ../../target/oracle/bin/ ./cmd/generate ./cmd/count ./cmd/scan

.PHONY: demo
demo: tools guests images oracle ## See it work: chart, gear, a minute of card payments, another version in the middle
	@e2e/lab/with $(if $(CLUSTER),--cluster $(CLUSTER)) -- e2e/demo/demo

# --- checking

.PHONY: test
test: tools guests images oracle ## Run all levels of tests and count them; nothing may be ignored or filtered out
	@TEST_CLUSTER='$(CLUSTER)' .ci/test.sh $(LEVELS)

.PHONY: teeth
teeth: tools ## Switch off one control at a time and show the test that goes red (10 min; the first time 20)
	@cargo xtask guests >&2
	@cargo xtask teeth --output $(OUTPUT) $(TEETH)

.PHONY: bench
bench: tools ## Measure the sidecar beside a bare loop, and hold the figures to their bars (10 min)
	@cargo xtask guests >&2
	@.ci/bench.sh $(if $(QUICK),--quick) --output '$(OUTPUT)'

.PHONY: lint
lint: ## Run every check that needs no program of ours running
	@.ci/lint.sh

.PHONY: fmt
fmt: ## Format Rust and Go
	cargo fmt --all
	git ls-files '*.go' | xargs gofmt -w

.PHONY: deny
deny: ## Check licences, sources and duplicates of the dependencies
	@.ci/tools/install.sh cargo-deny
	@.ci/lint.sh deny

.PHONY: clean
clean: ## Remove target/ and images/, when nothing is building and the lab is down (tools stay in ~/.cache/wasmgear)
	@.ci/clean.sh
