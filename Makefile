# Entry points for developers and CI. `make` without a target prints the targets.

CARGO      ?= cargo
PATTERN    ?=
SCALE      ?= 20
DRILL      ?=
OFFSET     ?= 0
PROOFS_DIR ?= deploy/proofs
SHARDS     ?= 6
JOBS       ?= $(SHARDS)
FUZZ_SECONDS ?= 60
FUZZ       ?=
FAULTS_SECONDS ?= 5
SEED       ?=
MINUTES    ?= 3
STACK      ?= auto
target     := $(or $(CARGO_TARGET_DIR),target)
release    := $(target)/release
shards     := $(if $(DRILL),1,$(SHARDS))
drills     := $(if $(DRILL),monitoring/drills/$(DRILL).yaml,monitoring/drills)

# Programs of the machine take precedence over those of `make setup`.
export PATH := $(PATH):$(CURDIR)/target/tools/bin

# Where checks that could not run leave a line.
export SKIPPED := $(abspath $(target))/skipped

.DEFAULT_GOAL := help
.PHONY: help setup build demo test test-all skipped check format-check lint deny rules unit up down status load drill mutate quiet bench faults fuzz fuzz-api dashboards images-local password versions pictures docs

help: ## print the targets
	@awk -F ':.*## ' '/^[a-z-]+:.*## / {printf "  make %-12s %s\n", $$1, $$2}' $(MAKEFILE_LIST)
	@echo
	@echo "  SCALE=$(SCALE): the time scale of drills; SHARDS=$(SHARDS) (drill), JOBS=$(JOBS) (mutate): stacks at once;"
	@echo "  OFFSET=N adds N to every port of up, down, status and load;"
	@echo "  PROOFS_DIR=$(PROOFS_DIR) stores the proofs of drills, for the inbox of make up"

setup: ## install the servers for stack and tests into target/tools
	@monitoring/stack/setup.sh

build: ## build all binaries, optimised
	$(CARGO) build --release --locked --workspace

demo: setup build ## start a stack, prove two alerts, write a report
	@mkdir -p target/demo
	$(release)/stack run --scale 20 -- $(release)/loadgen drill \
	  --json target/demo/report.json --html target/demo/report.html \
	  monitoring/drills/high-error-rate.yaml monitoring/drills/rate-limit-hits.yaml
	@echo "The report is target/demo/report.html"

test: ## run all checks and tests, including every drill end to end
	@rm -f $(SKIPPED)
	@$(MAKE) --no-print-directory test-all
	@$(MAKE) --no-print-directory skipped

test-all: setup format-check lint rules
	$(CARGO) build --locked --workspace
	api/tests/fuzz/run.sh $(target)/debug/api
	fuzz/run.sh 5
	$(CARGO) test --locked --workspace

# Checks that could not be installed, for example without a package registry. In CI (the variable is set) that is a failure.
skipped:
	@[ ! -s $(SKIPPED) ] || { sort -u $(SKIPPED); [ -z "$$CI" ]; }

check: setup format-check lint deny rules unit ## run the fast part of `make test`

format-check:
	$(CARGO) fmt --all --check

lint:
	$(CARGO) clippy --locked --workspace --all-targets -- -D warnings

deny: ## check licences, sources and versions of dependencies, if cargo-deny is installed
	@if $(CARGO) deny --version >/dev/null 2>&1; then $(CARGO) deny --locked check --hide-inclusion-graph bans licenses sources; \
	  else echo "deny: skipped, cargo-deny is not installed: cargo install --locked cargo-deny"; fi

rules: ## check rules, rule tests, both configurations, routes and coverage
	promtool check config --syntax-only monitoring/prometheus.yml
	promtool check rules monitoring/alert_rules/*.yml
	promtool test rules monitoring/rule_tests/*.yml
	amtool check-config monitoring/alertmanager.yml
	$(CARGO) run --quiet --locked -p loadgen -- coverage --proofs $(PROOFS_DIR)
	$(CARGO) run --quiet --locked -p loadgen -- routes --alertmanager-config monitoring/alertmanager.yml --assertions monitoring/routes.yaml
	$(CARGO) test --locked -p dashboards

unit:
	$(CARGO) test --locked --workspace --lib --bins

versions: ## run `make rules` with newer Prometheus and Alertmanager
	@monitoring/versions.sh

pictures: setup build ## render the pictures of docs/reference/receivers.md; needs chromium
	@docs/pictures/receivers.sh

docs: ## build the documents as a site with search in target/docs; needs mdbook
	@docs/site.sh

faults: setup ## break everything the gateway needs under load, for FAULTS_SECONDS=5 each; SEED=N draws them, for MINUTES=3
	FAULTS_SECONDS=$(FAULTS_SECONDS) SEED=$(SEED) MINUTES=$(MINUTES) $(CARGO) test --locked -p api --test faults

fuzz-api: ## check that responses match /openapi.json
	$(CARGO) build --locked -p api
	api/tests/fuzz/run.sh $(target)/debug/api

fuzz: ## fuzz each parser for FUZZ_SECONDS=60, or some: FUZZ="promql rules"
	fuzz/run.sh $(FUZZ_SECONDS) $(FUZZ)

# Only local processes need `make setup` and a build.
stack_sh = STACK=$(STACK) OFFSET=$(OFFSET) deploy/compose/stack.sh
ready = $$($(stack_sh) which) && if [ "$$way" = native ]; then $(MAKE) --no-print-directory setup build; fi

up: ## start the stack in containers or as processes; STACK=docker or native
	@way=$(ready)
	@$(stack_sh) up $(release)/stack

down: ## stop the stack
	@$(stack_sh) down $(release)/stack

status: ## show the services with addresses and pids
	@$(stack_sh) status $(release)/stack

dashboards: ## write grafana/dashboards/*.json from grafana/src
	@$(CARGO) run --locked --quiet -p dashboards

images-local: build ## build stand-ins for every image, without a registry
	@deploy/images/build.sh $(release)/api $(release)/loadgen

password: ## show the password of Grafana's first user in containers
	@docker exec $${COMPOSE_PROJECT_NAME:-firedrill}_grafana_1 cat /run/firedrill/admin_password 2>/dev/null \
	  || docker exec $${COMPOSE_PROJECT_NAME:-firedrill}-grafana-1 cat /run/firedrill/admin_password
	@echo

load: build ## send traffic, PATTERN=error-storm; `loadgen patterns` lists more
	@echo "One address gets 100 requests per second; a tool such as ab meets that limit: docs/guide/load-testing.md"
	@$(release)/loadgen run http://127.0.0.1:$$((8000 + $(OFFSET))) --pattern $(or $(PATTERN),error-storm) \
	  --prometheus-addr 127.0.0.1:$$((9464 + $(OFFSET)))

drill: setup build ## run every drill on SHARDS stacks, or one: DRILL=high-error-rate
	@mkdir -p target/drills
	$(release)/stack run --shards $(shards) --scale $(SCALE) -- $(release)/loadgen drill --proofs $(PROOFS_DIR) \
	  --json target/drills/report.json --html target/drills/report.html --junit target/drills/junit.xml $(drills)
	@echo "The report is target/drills/report.html"

quiet: setup build ## run the negative controls: healthy traffic fires nothing
	@mkdir -p target/quiet
	$(release)/stack run --shards 4 --scale $(SCALE) -- $(release)/loadgen drill \
	  --json target/quiet/report.json --html target/quiet/report.html \
	  monitoring/drills/suite.yaml monitoring/drills/long monitoring/drills/quiet-*.yaml

mutate: setup build ## break each rule and route, its drill must notice; PATTERN=
	@$(release)/stack mutate --jobs $(JOBS) --scale $(SCALE) $(if $(PATTERN),"$(PATTERN)")

bench: setup build ## measure gateway, limits and load generator
	@$(CARGO) bench --locked --workspace --bench gateway
	@$(CARGO) bench --locked -p loadgen --bench generator
