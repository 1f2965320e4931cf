# The front door. `make` alone prints the targets.

CARGO      ?= cargo
PATTERN    ?= error-storm
SCALE      ?= 20
DRILL      ?=
OFFSET     ?= 0
STACK      ?= auto
target     := $(or $(CARGO_TARGET_DIR),target)
release    := $(target)/release
drills     := $(if $(DRILL),monitoring/drills/$(DRILL).yaml,monitoring/drills)

# What `make setup` brought comes after what the machine has.
export PATH := $(PATH):$(CURDIR)/target/tools/bin

.DEFAULT_GOAL := help
.PHONY: help setup build demo test check format-check lint rules unit up down status load drill bench fuzz-api dashboards images-local password

help: ## print this
	@awk -F ':.*## ' '/^[a-z-]+:.*## / {printf "  make %-12s %s\n", $$1, $$2}' $(MAKEFILE_LIST)
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
	$(CARGO) test --locked -p dashboards

unit:
	$(CARGO) test --locked --workspace --lib --bins

fuzz-api: ## look for answers that /openapi.json does not promise, with schemathesis, in half a minute
	$(CARGO) build --locked -p api
	api/tests/fuzz/run.sh $(target)/debug/api

# Containers bring what local processes need set-up and a build for.
stack_sh = STACK=$(STACK) OFFSET=$(OFFSET) deploy/compose/stack.sh
ready = $$($(stack_sh) which) && if [ "$$way" = native ]; then $(MAKE) --no-print-directory setup build; fi

up: ## start the whole stack at production timings: STACK=docker, native, or what is there
	@way=$(ready)
	@$(stack_sh) up $(release)/stack

down: ## stop it
	@$(stack_sh) down $(release)/stack

status: ## show what runs, where, with which pid
	@$(stack_sh) status $(release)/stack

dashboards: ## write grafana/dashboards/*.json from grafana/src
	@$(CARGO) run --locked --quiet -p dashboards

images-local: build ## stand-ins of every image, from Debian's packages and what was built here, for machines without a registry
	@deploy/images/build.sh $(release)/api $(release)/loadgen

password: ## show the password of Grafana's first user, in containers
	@docker exec $${COMPOSE_PROJECT_NAME:-firedrill}_grafana_1 cat /run/firedrill/admin_password 2>/dev/null \
	  || docker exec $${COMPOSE_PROJECT_NAME:-firedrill}-grafana-1 cat /run/firedrill/admin_password
	@echo

load: build ## traffic that trips alerts: PATTERN=error-storm, rate-limit-storm, steady
	@$(release)/loadgen run http://127.0.0.1:$$((8000 + $(OFFSET))) --pattern $(PATTERN)

drill: setup build ## every drill on a stack of its own, or one: DRILL=high-error-rate
	@mkdir -p target/drills
	$(release)/stack run --scale $(SCALE) -- $(release)/loadgen drill \
	  --json target/drills/report.json --html target/drills/report.html $(drills)
	@echo "The report is target/drills/report.html"

bench: setup build ## the figures: CPU per request, memory, durable writes, idle connections, limits while Redis fails
	@$(CARGO) bench --locked --workspace --bench gateway
