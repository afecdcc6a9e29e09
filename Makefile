# `make demo` shows Headroom at work; `make test` runs what CI runs. Both install what they miss, or say what it is.
SHELL := bash
.SHELLFLAGS := -euo pipefail -c
.DEFAULT_GOAL := help
.PHONY: help setup demo kafka-demo test lint bench

help: ## this list
	@sed -n 's/^\([a-z-]*\):.*## /\1\t/p' $(MAKEFILE_LIST) | expand -t 12

setup: ## install the build's tools, or say what is missing
	@scripts/setup.sh

demo: setup ## build Headroom and show it at work
	@. scripts/env.sh; cargo build --release --locked -p headroom
	@. scripts/env.sh; scripts/demo.sh

kafka-demo: setup ## the same on Kafka: a broker, two nodes, a ledger; one node is killed
	@. scripts/env.sh; cargo build --release --locked -p headroom
	@. scripts/env.sh; scripts/kafka-demo.sh

test: ## everything that CI runs
	@scripts/setup.sh tests
	@scripts/test.sh

lint: setup ## formatting and lints only
	@scripts/test.sh format clippy

bench: setup ## measure
	@. scripts/env.sh; cargo bench --workspace --locked --bench '*'
