# The front door. `make` alone prints the targets.

CARGO      ?= cargo
PATTERN    ?= error-storm
SCALE      ?= 20
DRILL      ?=
OFFSET     ?= 0
FUZZ_SECONDS ?= 60
target     := $(or $(CARGO_TARGET_DIR),target)
release    := $(target)/release
drills     := $(if $(DRILL),monitoring/drills/$(DRILL).yaml,monitoring/drills)

# What `make setup` brought comes after what the machine has.
export PATH := $(PATH):$(CURDIR)/target/tools/bin

.DEFAULT_GOAL := help
.PHONY: help setup build demo test check format-check lint rules unit up down status load drill bench fuzz-api fuzz-load

help: ## print this
	@awk -F ':.*## ' '/^[a-z-]+:.*## / {printf "  make %-8s %s\n", $$1, $$2}' $(MAKEFILE_LIST)
	@echo
	@echo "  variables: PATTERN=$(PATTERN) (make load), DRILL=high-error-rate (make drill), SCALE=$(SCALE) (make drill),"
	@echo "             OFFSET=N moves every port of up, down, status and load by N"

setup: ## bring Redis, Prometheus, Alertmanager, the exporter, PostgreSQL, HAProxy, libfaketime; installs nothing system-wide
	@monitoring/stack/setup.sh

build: ## build everything, optimised
	$(CARGO) build --release --locked --workspace

demo: setup build ## from nothing to two proven alerts and a report, in under three minutes after the build
	@mkdir -p target/demo
	$(release)/stack run --scale 20 -- $(release)/loadgen drill \
	  --json target/demo/report.json --html target/demo/report.html \
	  monitoring/drills/high-error-rate.yaml monitoring/drills/rate-limit-hits.yaml
	@echo "The report is target/demo/report.html"

test: setup format-check lint rules ## everything that must hold, every drill end to end included
	$(CARGO) build --locked --workspace
	api/tests/fuzz/run.sh $(target)/debug/api
	loadgen/fuzz/run.sh 20
	$(CARGO) test --locked --workspace

check: setup format-check lint rules unit ## the fast part of `make test`

format-check:
	$(CARGO) fmt --all --check

lint:
	$(CARGO) clippy --locked --workspace --all-targets -- -D warnings

rules:
	promtool check config --syntax-only monitoring/prometheus.yml
	promtool check rules monitoring/alert_rules/*.yml
	promtool test rules monitoring/rule_tests/*.yml
	amtool check-config monitoring/alertmanager.yml

unit:
	$(CARGO) test --locked --workspace --lib --bins

fuzz-api: ## look for answers that /openapi.json does not promise, with schemathesis, in half a minute
	$(CARGO) build --locked -p api
	api/tests/fuzz/run.sh $(target)/debug/api

fuzz-load: ## throw damaged answers at the load generator's parser, for FUZZ_SECONDS=60
	loadgen/fuzz/run.sh $(FUZZ_SECONDS)

up: setup build ## start the whole stack at production timings and come back when it is ready
	@$(release)/stack up --detach --port-offset $(OFFSET)

down: ## stop it
	@if [ -x $(release)/stack ]; then $(release)/stack down --port-offset $(OFFSET); else echo "nothing is built, so nothing runs"; fi

status: ## show what runs, where, with which pid
	@$(release)/stack status --port-offset $(OFFSET)

load: build ## traffic, PATTERN=error-storm and fourteen others (`loadgen patterns` lists them)
	@$(release)/loadgen run http://127.0.0.1:$$((8000 + $(OFFSET))) --pattern $(PATTERN)

drill: setup build ## every drill on a stack of its own, or one: DRILL=high-error-rate
	@mkdir -p target/drills
	$(release)/stack run --scale $(SCALE) -- $(release)/loadgen drill \
	  --json target/drills/report.json --html target/drills/report.html $(drills)
	@echo "The report is target/drills/report.html"

bench: setup build ## the figures of gateway, limits and load generator, beside what they are compared to
	@$(CARGO) bench --locked --workspace --bench gateway
	@$(CARGO) bench --locked -p loadgen --bench generator
