# Trax: everything that one does with this repository. `make` alone lists it.
#
# Variables, e.g. `make setup PYTHON=python3.12`:
#   PYTHON  the Python to make the environment with (3.11 or newer)
#   TORCH   cpu (default), cuda, or a requirement of your own: see requirements/install-torch
#   TESTERS how many processes test at once (default: 2; 0: all in one)
#   ARGS    passed on: `make serve ARGS="--port 9000"`, `make test ARGS="-k endpointing"`

PYTHON ?= python3
VENV   ?= .venv
# What was chosen before stays, so that a GPU machine need not say it every time.
TORCH  ?= $(or $(shell cat $(VENV)/.torch 2>/dev/null),cpu)
TESTERS ?= 2
ARGS   ?=

SDK := clients/js
PAGE := $(SDK)/page
PAGE_SOURCES = $(shell find $(SDK)/src $(PAGE)/src -type f 2>/dev/null) $(PAGE)/index.html \
  $(PAGE)/vite.config.ts

BIN := $(VENV)/bin
PIP := $(BIN)/python -m pip
# One mistake here must not end where every line and branch counts.
FULLY_COVERED := streaming/core/*,server/wire.py,server/conversation.py

.DEFAULT_GOAL := help
.PHONY: help setup serve page dev test test-js check static format lint types layers models \
  test-models tools floors lock clean

help: ## list these targets
	@awk -F ':.*## ' '/^[a-z]+:.*## /{printf "  make %-8s %s\n", $$1, $$2}' $(MAKEFILE_LIST)

# --- Run ------------------------------------------------------------------------------------------

setup: $(VENV)/.serve models ## make the environment, fetch the models, build the web page
	@$(MAKE) --no-print-directory page || echo "The web page could not be built; all else works."

serve: setup ## set up, then start the server on http://127.0.0.1:8000
	$(BIN)/trax serve $(ARGS)

models: $(VENV)/.serve
	@$(BIN)/trax models fetch

# The server runs without, and its page then says how to build it. Vite wants ^20.19 or >=22.12.
NODE := $(shell command -v npm >/dev/null && node -p \
  'const [a, b] = process.versions.node.split(".").map(Number); \
  a > 22 || (a == 22 && b > 11) || (a == 20 && b > 18)' \
  2>/dev/null)
ifeq ($(NODE),true)
page: server/web/.built ## build the web page that the server shows
else
page:
	@echo "The web page is not built: that needs Node 20.19, 22.12 or newer, with npm. All else works without."
endif

dev: $(VENV)/.dev test-models ## install what tests and benchmarks need besides

# Servers that tests start for themselves, and a compiler.
tools:
	@requirements/install-for-tests

# The server does not need it; the tests want a model that knows one language only.
test-models: models
	@$(BIN)/trax models fetch whisper-tiny.en

# --- Prove ----------------------------------------------------------------------------------------

ifeq ($(strip $(ARGS)),)
test: test-js ## set up, then run every test and check what they cover
	$(BIN)/coverage erase
	$(BIN)/coverage run -m pytest --numprocesses=$(TESTERS) --dist=loadfile
	@$(MAKE) --no-print-directory floors
else
test: $(VENV)/.dev test-models tools
	$(BIN)/python -m pytest $(ARGS)
endif

# Both start real servers and speak into them in Chromium.
test-js: $(VENV)/.dev $(SDK)/node_modules/.installed server/web/.built test-models tools ## test the JavaScript client and the web page
	cd $(SDK) && npm run --silent check && TRAX_PYTHON=$(abspath $(BIN))/python npm run --silent test
	cd $(PAGE) && npm run --silent check && npm run --silent test
	cd $(PAGE) && TRAX_PYTHON=$(abspath $(BIN))/python npm run --silent test:browser

floors:
	$(BIN)/coverage combine --quiet
	$(BIN)/coverage report
	$(BIN)/coverage report --include='$(FULLY_COVERED)' --fail-under=100

check: static test ## all that must hold before a commit: format, lint, types, layers, tests

static: lint types layers

lint: $(VENV)/.dev ## check format and style
	$(BIN)/ruff format --check
	$(BIN)/ruff check

types: $(VENV)/.dev ## check types
	$(BIN)/mypy

layers: $(VENV)/.dev ## check who imports whom
	$(BIN)/lint-imports --no-logo

# --- Keep -----------------------------------------------------------------------------------------

format: $(VENV)/.dev ## format the code and mend what can be mended by itself
	$(BIN)/ruff format
	$(BIN)/ruff check --fix

lock: ## resolve the dependencies anew and rewrite requirements/*.lock
	requirements/make-locks $(PYTHON)

clean: ## remove the environment and all caches; models and recordings stay
	rm -rf $(VENV) build dist htmlcov .coverage .coverage.* .mypy_cache .ruff_cache .pytest_cache \
	  .hypothesis .import_linter_cache server/web $(SDK)/dist $(SDK)/node_modules $(PAGE)/node_modules
	find . -name __pycache__ -type d -prune -exec rm -rf {} +

# --- The environment, in steps that are skipped while nothing they depend on has changed ----------

$(VENV)/.created:
	@$(PYTHON) -c 'import sys; sys.exit(sys.version_info < (3, 11))' || { \
	  echo "Trax needs Python 3.11 or newer. 'make setup PYTHON=python3.12' chooses another."; exit 1; }
	@$(PYTHON) -c 'import ensurepip, venv' 2>/dev/null || { \
	  echo "This Python has no venv module. On Debian and Ubuntu: sudo apt-get install python3-venv"; \
	  exit 1; }
	$(PYTHON) -m venv $(VENV)
	@touch $@

# Holds the choice of torch; another choice installs again.
$(VENV)/.torch: $(VENV)/.created requirements/install-torch pyproject.toml \
    $(if $(filter-out $(TORCH),$(shell cat $(VENV)/.torch 2>/dev/null)),FORCE)
	@echo "Installing torch ($(TORCH)), about 200 MB for cpu ..."
	requirements/install-torch $(BIN)/python '$(TORCH)'
	@echo '$(TORCH)' > $@

$(VENV)/.serve: $(VENV)/.torch requirements/serve.lock pyproject.toml clients/py/pyproject.toml
	@echo "Installing what the server needs, about 280 MB ..."
	$(PIP) install --no-deps -r requirements/serve.lock
	$(PIP) install --no-deps --no-build-isolation -e . -e clients/py
	@touch $@

$(VENV)/.dev: $(VENV)/.serve requirements/dev.lock | tools
	@echo "Installing what tests and checks need ..."
	$(PIP) install --no-deps -r requirements/dev.lock
	@touch $@

%/node_modules/.installed: %/package.json %/package-lock.json
	@echo "Installing what $* is built with, about 200 MB ..."
	cd $* && npm ci --no-progress
	@touch $@

# Files are packed here, once, and not by the server for everybody.
server/web/.built: $(PAGE)/node_modules/.installed $(PAGE_SOURCES)
	cd $(PAGE) && npm run --silent build -- --logLevel warn
	gzip --keep --best --force server/web/assets/*.js server/web/assets/*.css
	@touch $@

FORCE:
