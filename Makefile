# Everything a developer does, one target each; `make` alone lists them.
# Needs Debian (or alike), Python 3.11 or newer, make, and access to PyPI and npm registries.

VENV    ?= .venv
PYTHON3 ?= $(shell command -v python3.11 || command -v python3)
PYTHON  := $(VENV)/bin/python
PORT    ?= 8000
DATA    := $(or $(CANVAS_DATA_DIR),.canvas)
# The service on loopback that the examples call; their parameter `service_url` names this port.
DEMO_PORT := 8100

export PATH := $(CURDIR)/$(VENV)/bin:$(PATH)
export PYTHONPATH := $(CURDIR)
export PIP_DISABLE_PIP_VERSION_CHECK := 1

.DEFAULT_GOAL := help
.PHONY: help setup run build test check fix lock migration docs bench clean

help: ## List the targets
	@awk -F ':.*## ' '/^[a-z-]+:.*## / {printf "  %-10s %s\n", $$1, $$2}' $(MAKEFILE_LIST)

setup: $(VENV)/.run ## Create .venv with the locked dependencies

run: $(VENV)/.run ## Serve Canvas at http://localhost:8000 (PORT=… for another port)
	@$(PYTHON) -m canvas.frontend
	@canvas db upgrade
	@test -e $(DATA)/.examples || { canvas import examples/*.yaml --publish --if-exists skip && touch $(DATA)/.examples; }
	@setpriv --pdeathsig TERM $(PYTHON) -m examples.demo_service $(DEMO_PORT) >$(DATA)/demo_service.log 2>&1 & \
	CANVAS_HTTP_ALLOWED_ORIGINS=127.0.0.1:$(DEMO_PORT) exec canvas serve --port $(PORT)

build: $(VENV)/.run ## Build the pages, if what they are made of has changed
	@$(PYTHON) -m canvas.frontend

test: $(VENV)/.dev ## Run every test, a real Chromium included (ARGS="-k name" for some)
	@$(PYTHON) -m tests.chromium
	@$(PYTHON) -m tests.postgres
	@$(PYTHON) -m canvas.frontend
	@pytest $(ARGS)

check: $(VENV)/.dev ## Lint, formatting, types, import contracts, spelling
	ruff check .
	ruff format --check .
	mypy
	lint-imports --no-logo
	codespell

fix: $(VENV)/.dev ## Let ruff repair what it can
	ruff check --fix .
	ruff format .

lock: $(VENV)/.dev ## Recompile requirements/*.lock from pyproject.toml
	uv pip compile pyproject.toml --extra build --python-version 3.11 --generate-hashes --no-emit-index-url --no-header --universal -o requirements/run.lock
	uv pip compile pyproject.toml --extra dev --extra bench --python-version 3.11 --generate-hashes --no-emit-index-url --no-header -c requirements/run.lock -o requirements/dev.lock

migration: $(VENV)/.dev ## Write a migration from the models: make migration m="what changes"
	@test -n "$(m)" || { echo 'say what changes: make migration m="…"'; exit 2; }
	alembic revision --autogenerate -m "$(m)"

docs: $(VENV)/.dev ## Write the reference pages again, from the code
	$(PYTHON) -m docs.reference
	$(PYTHON) -m docs.expressions_table

bench: $(VENV)/.dev ## Measure the engine (beside DBOS), the browser and the expressions
	@$(PYTHON) -m tests.chromium
	$(PYTHON) -m benchmarks.engine
	$(PYTHON) -m benchmarks.browser
	$(PYTHON) -m benchmarks.expressions

clean: ## Remove the environment and everything built; data in .canvas stays
	rm -rf $(VENV) .web assets/external .pytest_cache .mypy_cache .ruff_cache .import_linter_cache

$(VENV)/.run: requirements/run.lock pyproject.toml | $(VENV)/bin/pip
	@echo "installing the locked dependencies …"
	@$(PYTHON) -m pip install --quiet --require-hashes -r requirements/run.lock
	@$(PYTHON) -m pip install --quiet --no-deps --no-build-isolation -e .
	@touch $@

$(VENV)/.dev: requirements/dev.lock $(VENV)/.run
	@echo "installing the locked development dependencies …"
	@$(PYTHON) -m pip install --quiet --require-hashes -r requirements/dev.lock
	@touch $@

# Debian ships venv apart from Python: use it, else pip, else install it when that is allowed.
$(VENV)/bin/pip:
	@test -n "$(PYTHON3)" || { echo "Python 3.11 or newer is needed: apt install python3 python3-venv" >&2; exit 2; }
	@$(PYTHON3) -c 'import sys; sys.exit(sys.version_info < (3, 11))' || { echo "$(PYTHON3) is older than Python 3.11" >&2; exit 2; }
	@if $(PYTHON3) -c 'import ensurepip' 2>/dev/null; then $(PYTHON3) -m venv --clear $(VENV); \
	elif $(PYTHON3) -m pip --version >/dev/null 2>&1; then \
		$(PYTHON3) -m venv --clear --without-pip $(VENV) && $(PYTHON3) -m pip --python $(PYTHON) install --quiet pip; \
	elif [ "$$(id -u)" = 0 ] && command -v apt-get >/dev/null; then \
		apt-get update -qq && apt-get install -y -qq --no-install-recommends python3-venv >/dev/null && $(PYTHON3) -m venv --clear $(VENV); \
	else echo "Python's venv module is missing: apt install python3-venv, then run make again" >&2; exit 2; fi
