# The same words for people and CI; `make help` lists them. PYTHON=python3.12 chooses a Python, ARGS="-k login" goes to pytest.

AIRFLOW := 3.3.2
OLDEST := 3.1.8
VENV := .venv
BIN := $(VENV)/bin
IN_AIRFLOW := airflow

# the newest Python that both Airflows run on, unless one is given
SUITABLE := import sys, venv, ensurepip; sys.exit(not (3, 11) <= sys.version_info[:2] <= (3, 13))
ifndef PYTHON
PYTHON := $(shell for python in python3.13 python3.12 python3.11 python3 /usr/bin/python3; do \
	$$python -c '$(SUITABLE)' 2>/dev/null && echo $$python && break; done)
endif
VERSION = $(shell $(PYTHON) -c '$(SUITABLE)' 2>/dev/null && $(PYTHON) -c 'import sys; print("%d.%d" % sys.version_info[:2])')
NO_PYTHON = $(if $(PYTHON),$(PYTHON) is not one,none was found); name yours with PYTHON=/path/to/python
INSTALLED = $(VENV)/installed-$(or $(VERSION),without-python)

# those that run in a real Airflow come last and by themselves; pytest's 5 says that ARGS leaves none of these
pytest = $(BIN)/python -m pytest $(1) $(ARGS) || [ $$? -eq 5 ]

.PHONY: help demo ui test test-oldest lint bench chaos waits chaos-extra docs clean
.SILENT:
.DEFAULT_GOAL := help

help:  ## list these words
	awk -F ':.*## ' '/^[a-z-]+:.*## / { printf "make %-12s %s\n", $$1, $$2 }' $(firstword $(MAKEFILE_LIST))

demo: $(INSTALLED)  ## run a DAG over all four products in a real Airflow, against the sandbox, and show what happened
	$(BIN)/python -m demo

ui: $(INSTALLED)  ## the same Airflow and sandbox, left up until Ctrl-C, to click through
	$(BIN)/python -m demo --ui

test: $(INSTALLED)  ## run all tests on the newest supported Airflow
	$(call pytest,-n 4 --dist loadscope -m "not airflow")
	$(call pytest,-m "$(IN_AIRFLOW)")

test-oldest:  ## the same tests on the oldest supported Airflow, without those that take minutes
	$(MAKE) test AIRFLOW=$(OLDEST) VENV=$(VENV)-oldest IN_AIRFLOW="airflow and not long"

lint: $(INSTALLED)  ## check format, style and types
	$(BIN)/ruff format --check
	$(BIN)/ruff check
	$(BIN)/mypy

bench: $(INSTALLED)  ## measure how fast it is
	$(BIN)/python -m benchmarks

chaos: chaos-extra  ## kill, refuse, lose and restart while 800 tasks run in a real Airflow, and count what they did
	$(BIN)/python -m chaos $(ARGS)

waits: chaos-extra  ## let a thousand tasks wait deferred in a real Airflow, and count what they asked
	$(BIN)/python -m chaos.waits $(ARGS)

chaos-extra: $(INSTALLED)
	$(BIN)/python -m pip install --disable-pip-version-check --quiet --constraint constraints/airflow-$(AIRFLOW).txt \
		--editable ".[chaos]"

docs: $(INSTALLED)  ## make anew what the docs show of the code: screenshots (with Chromium) and the sandbox's routes
	$(BIN)/python -m pip install --disable-pip-version-check --quiet --constraint constraints/airflow-$(AIRFLOW).txt \
		--editable ".[browser]"
	$(BIN)/python -m self_hosted.sandbox.imitated > docs/sandbox_routes.md
	$(BIN)/python -m pytest tests/ui --screenshots docs/images

clean:  ## remove everything that these words have made
	rm -rf .venv .venv-oldest .airflow .chaos .demo .mypy_cache .pytest_cache .ruff_cache .coverage build dist
	find . -name __pycache__ -type d -prune -exec rm -rf {} +

# done again when the dependencies change; the stamp names the Python, so that another PYTHON installs anew
$(VENV)/installed-%: pyproject.toml constraints/airflow-$(AIRFLOW).txt
	$(if $(VERSION),,$(error this needs Python 3.11, 3.12 or 3.13 with its venv module, and $(NO_PYTHON)))
	echo "Installing Airflow $(AIRFLOW) into $(VENV), once; this takes about a minute ..."
	$(PYTHON) -m venv --clear $(VENV)
	$(BIN)/python -m pip install --disable-pip-version-check --constraint constraints/airflow-$(AIRFLOW).txt \
		"apache-airflow==$(AIRFLOW)" --editable ".[test,lint]" > $(VENV)/install.log 2>&1 || \
		{ echo "The packages could not be installed: is there a network? pip's own words are in $(VENV)/install.log"; exit 1; }
	touch $@
