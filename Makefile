# Two commands: `make run` and `make test`. `make help` lists the others.
# Everything is made inside this folder; config/system.sh alone installs system packages, and only what is missing.

SHELL := /bin/sh
PYTHON ?= $(shell for p in python3 python3.13 python3.12 python3.11; do \
	$$p -c 'import sys; sys.exit(sys.version_info < (3, 11))' 2>/dev/null && echo $$p && exit; done; echo python3)
PORT ?= 8000
HOST ?= 127.0.0.1
NAME ?=
PROCESSES ?= 2
ROUNDS ?= 10000
HISTORIES ?= 3000
KILLS ?= 50
export PYTHON PORT HOST
# A habit of containers: with it every process compiles all that it imports anew, which is most of the time that it takes to begin.
unexport PYTHONDONTWRITEBYTECODE

BIN := .venv/bin
MANAGE := $(BIN)/python manage.py
SERVICES := $(PYTHON) config/services.py
DURING := $(SERVICES) during
UV_COMPILE := $(BIN)/uv pip compile --universal --generate-hashes --python-version 3.11 -q --custom-compile-command "make lock"

PACKAGES := .venv/.synced
MODULES := frontend/node_modules/.package-lock.json
ASSETS := frontend/static/build/.built
STATIC := var/static/.collected
ASSET_SOURCES := frontend/build.mjs $(shell find frontend/src frontend/styles -type f 2>/dev/null)
STATIC_SOURCES := $(shell find frontend/static -path frontend/static/build -prune -o -type f -print 2>/dev/null)

.PHONY: help run test check lint bench nightly stop reset setup setup-test assets lock requirements system system-test browser
.DEFAULT_GOAL := help

help: ## list the commands
	@awk -F':.*## ' '/^[a-z-]+:.*## / { printf "  make %-13s %s\n", $$1, $$2 }' $(MAKEFILE_LIST)

run: setup ## install what is missing, start the site with its demonstration region; PORT=8001 for another port
	@$(DURING) $(BIN)/python config/run.py

test: setup-test ## lint, types, import contracts, unit, integration and browser tests, on real services
	@rm -f var/requirements.json
	@$(DURING) sh config/test.sh $(PROCESSES)
	@$(BIN)/python config/proved.py report

check: $(PACKAGES) ## lint, types and import contracts: fast, no services
	@$(MAKE) --no-print-directory lint

lint:
	$(BIN)/ruff check .
	$(BIN)/ruff format --check .
	$(BIN)/djlint --lint --quiet --extension jinja frontend/templates
	$(BIN)/djlint --lint --quiet --extension html frontend/templates
	$(BIN)/lint-imports --no-cache | tail -n 3
	$(BIN)/mypy .

bench: setup ## measure against raw floors, write var/bench.json; NAME="rank-sql-100k" for one of them
	@$(DURING) $(BIN)/python -m tests.bench $(NAME)

nightly: setup-test ## let clients race for last places, 10,000 rounds, and write var/races.json; kill each part, 50; rank in memory; nonsense in every box; every journey at both widths, each page with axe in either; ROUNDS=500 KILLS=5 for fewer
	@$(DURING) env LUNE_TEST_DB=test_lune_races LUNE_RACE_ROUNDS=$(ROUNDS) LUNE_RACE_LANES=$(PROCESSES) \
		$(BIN)/pytest -q tests/faults/test_races_of_places.py
	@$(DURING) env LUNE_TEST_DB=test_lune_faults LUNE_FAULT_ROUNDS=$(KILLS) $(BIN)/pytest -q tests/faults/test_killed_in_the_middle.py
	@$(DURING) env LUNE_TEST_DB=test_lune_memory LUNE_SNAPSHOT_ROUNDS=$(ROUNDS) $(BIN)/pytest -q tests/matching/test_snapshot.py
	@$(DURING) env LUNE_TEST_DB=test_lune_histories LUNE_HISTORIES=$(HISTORIES) $(BIN)/pytest -q tests/flow/test_histories.py
	@$(DURING) env LUNE_TEST_DB=test_lune_answers LUNE_ANSWER_ROUNDS=$$(( $(ROUNDS) / 100 )) $(BIN)/pytest -q tests/faults/test_races_of_answers.py tests/faults/test_races_of_records.py
	@$(DURING) env LUNE_TEST_DB=test_lune_access LUNE_ACCESS_EVERY=1 $(BIN)/pytest -q -s tests/test_access_matrix.py tests/test_routes_access.py tests/test_read_audit.py \
		tests/flow/test_row_security.py
	@$(DURING) env LUNE_TEST_DB=test_lune_nonsense LUNE_NONSENSE_EVERY=1 $(BIN)/pytest -q tests/test_hostile_input.py tests/frontend/test_entries_hostile.py
	@$(DURING) env LUNE_TEST_DB=test_lune_widths LUNE_WIDTHS=both $(BIN)/pytest -q -n $(PROCESSES) --dist loadfile --no-loadscope-reorder -m browser tests/journeys

requirements: $(PACKAGES) ## how many requirements the last `make test` proved, and which
	@$(BIN)/python config/proved.py report

stop: ## stop this checkout's PostgreSQL and Redis
	@$(SERVICES) stop

reset: ## stop them and delete their data: the next `make run` begins anew
	@$(SERVICES) destroy

setup: system $(PACKAGES) $(STATIC)

setup-test: system-test $(PACKAGES) browser $(ASSETS)

assets: $(STATIC) ## build scripts and styles, collect static files

lock: $(PACKAGES) ## choose exact versions anew, within pyproject.toml and frontend/package.json
	$(UV_COMPILE) --upgrade pyproject.toml -o config/requirements/base.txt
	$(UV_COMPILE) --upgrade pyproject.toml --group dev -c config/requirements/base.txt -o config/requirements/dev.txt
	cd frontend && npm update --package-lock-only

system:
	@sh config/system.sh run

system-test:
	@sh config/system.sh test

# On Debian the system's Chromium; elsewhere Playwright's own, fetched once.
browser: $(PACKAGES)
	@[ -n "$$LUNE_CHROMIUM" ] || command -v chromium-headless-shell >/dev/null || command -v chromium >/dev/null || command -v google-chrome >/dev/null \
		|| [ -e .venv/.browser ] || { $(BIN)/playwright install --with-deps chromium && touch .venv/.browser; }

$(PACKAGES): config/requirements/dev.txt config/requirements/uv.txt | system
	@echo "Installing Python packages …"
	@[ -x $(BIN)/python ] || $(PYTHON) -m venv .venv
	@$(BIN)/python -m pip install --quiet --disable-pip-version-check --require-hashes -r config/requirements/uv.txt
	@$(BIN)/uv pip sync --quiet --require-hashes --python $(BIN)/python config/requirements/dev.txt
	@touch $@

$(MODULES): frontend/package.json frontend/package-lock.json | system
	@echo "Installing front-end packages …"
	@cd frontend && npm ci --silent
	@touch $@

$(ASSETS): $(ASSET_SOURCES) $(MODULES)
	@echo "Building scripts and styles …"
	@cd frontend && npm run --silent build
	@touch $@

$(STATIC): $(ASSETS) $(STATIC_SOURCES) $(PACKAGES)
	@echo "Collecting static files …"
	@$(MANAGE) collectstatic --no-input --clear --verbosity 0
	@touch $@
