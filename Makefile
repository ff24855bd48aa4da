# Shopfloor: every task of the repository. `make help` lists them.
# ARGS passes arguments on: make demo ARGS="--port 8080", make test ARGS="tests/plant -x"

PYTHON ?= python3
VENV := .venv
BIN := $(VENV)/bin
STAMP := $(VENV)/.installed
BUNDLE := dashboards/shopfloor/dashboards/static/index.html
ROOTS := plant gateway models services simulators dashboards
DOCTESTS := $(foreach root,$(ROOTS),$(root)/shopfloor)
PAGES := $(wildcard dashboards/*.json dashboards/*.ts dashboards/*.js dashboards/index.html) \
         $(shell find dashboards/src -type f 2>/dev/null)
NEEDED := pyproject.toml requirements.lock dashboards/build_hook.py $(PAGES)
BUILD_PINS := hatchling>=1.27\nnodejs-wheel-binaries>=24,<25\nuv\n
# Whole files go to a process, plants first (tests/conftest.py). A run with ARGS stays in one process. The order within
# a file changes from run to run, but not in CI: there one commit gives one answer.
PARALLEL := -n logical --maxprocesses 4 --dist loadfile --no-loadscope-reorder $(if $(CI),--randomly-seed=1)
ARGS ?=

.DEFAULT_GOAL := help
.PHONY: help install demo test check shot lock docs notebooks clean FORCE

help: ## List the tasks
	@awk -F ':.*## ' '/^[a-z]+:.*## / { printf "  make %-9s %s\n", $$1, $$2 }' $(MAKEFILE_LIST)

install: $(STAMP) ## Prepare .venv with everything pinned in requirements.lock; quick when nothing changed

# A bundle that somebody deleted is compiled again, although no source of it is newer than the stamp.
$(STAMP): $(NEEDED) $(if $(SHOPFLOOR_SKIP_DASHBOARDS)$(wildcard $(BUNDLE)),,FORCE)
	@PYTHON="$(PYTHON)" VENV="$(VENV)" sh deploy/install.sh
	@touch $@

demo: install ## Start the whole plant on this machine and open its pages
	@exec $(BIN)/shopfloor demo $(ARGS)

test: install ## Run every test; installs Chromium, mosquitto, InfluxDB and VictoriaMetrics when root and missing
	@sh tests/prepare.sh
ifeq ($(ARGS),)
	@$(BIN)/python -m pytest -q --doctest-modules $(DOCTESTS)
	@$(BIN)/python -m pytest $(PARALLEL) tests
else
	@$(BIN)/python -m pytest $(ARGS)
endif

check: install ## Formatting, lint, types, layers, and the types of the pages
	$(BIN)/ruff format --check .
	$(BIN)/ruff check .
	$(BIN)/mypy
	$(BIN)/lint-imports
	@if [ ! -d dashboards/node_modules ]; then cd dashboards && npm ci --no-audit --no-fund --loglevel=error; fi
	cd dashboards && npm run --silent check

shot: install ## Take the README's screenshots of a running plant into docs/
	@sh tests/prepare.sh
	@$(BIN)/python docs/shot.py $(ARGS)

docs: install ## Write docs/plant-file.md from the models of the plant file
	@$(BIN)/python docs/plant_file.py

notebooks: install ## Run the notebooks of docs/ and write docs/notebooks.md
	@$(BIN)/python docs/notebooks_page.py

lock: install ## Resolve requirements.lock anew
	@printf '# Every package of shopfloor[dev] and of its build; written by `make lock`.\n' > requirements.lock.tmp
	@printf '$(BUILD_PINS)' | $(BIN)/uv pip compile pyproject.toml - --extra dev --universal --python-version 3.11 \
	  --upgrade --quiet --no-header --no-annotate --no-emit-index-url --no-emit-find-links >> requirements.lock.tmp
	@mv requirements.lock.tmp requirements.lock

clean: ## Remove what was built; the data of a plant stays
	rm -rf $(VENV) build dist dashboards/node_modules dashboards/shopfloor/dashboards/static
	rm -rf .mypy_cache .ruff_cache .pytest_cache .import_linter_cache .hypothesis
	find . -name __pycache__ -type d -prune -exec rm -rf {} +
