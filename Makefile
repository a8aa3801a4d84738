# The same targets for people and CI; `make help` lists them. PYTHON=python3.12 chooses a Python, ARGS="-k login" goes to pytest.

AIRFLOW := 3.3.2
BETWEEN := 3.2.2
OLDEST := 3.1.8
VENV := .venv
BIN := $(VENV)/bin
# markers of the unit tests, and of the tests in a real Airflow
UNIT := not airflow
IN_AIRFLOW := airflow

# the newest Python that this version of Airflow supports, unless one is given
NEWEST_MINOR := $(if $(filter 3.1.%,$(AIRFLOW)),13,14)
PROBE := import sys, venv, ensurepip; version = sys.version_info[:2]; \
	print("%d.%d" % version) if (3, 11) <= version <= (3, $(NEWEST_MINOR)) else sys.exit(1)
ifndef PYTHON
PYTHON := $(shell for python in python3.14 python3.13 python3.12 python3.11 python3 /usr/bin/python3; do \
	$$python -c '$(PROBE)' >/dev/null 2>&1 && echo $$python && break; done)
endif
VERSION := $(if $(PYTHON),$(shell $(PYTHON) -c '$(PROBE)' 2>/dev/null))
NO_PYTHON = $(if $(PYTHON),$(PYTHON) is not one,none was found); name yours with PYTHON=/path/to/python
INSTALLED = $(VENV)/installed-$(or $(VERSION),without-python)

# each task of Airflow is a process that imports the operators, and each process of pytest compiles all tests
unexport PYTHONDONTWRITEBYTECODE

# the tests in a real Airflow run last and alone; exit code 5 of pytest means that ARGS selects none of them
pytest = $(BIN)/python -m pytest $(1) $(ARGS) || [ $$? -eq 5 ]

.PHONY: help demo ui test test-between test-oldest lint bench bench-extra sync-campaign chaos waits chaos-extra docs clean
.SILENT:
.DEFAULT_GOAL := help

help:  ## list the targets
	awk -F ':.*## ' '/^[a-z-]+:.*## / { printf "make %-13s %s\n", $$1, $$2 }' $(firstword $(MAKEFILE_LIST))

demo: $(INSTALLED)  ## run a DAG over all four products in a real Airflow, against the sandbox, and show the results
	$(BIN)/python -m demo

ui: $(INSTALLED)  ## start the same Airflow and sandbox, and keep them running until Ctrl-C
	$(BIN)/python -m demo --ui

test: $(INSTALLED)  ## run all tests on the newest supported Airflow
	$(call pytest,-n 6 --dist loadscope -m "$(UNIT)")
	$(call pytest,-n 2 --dist loadgroup -m "$(IN_AIRFLOW)")

sync-campaign: $(INSTALLED)  ## run the property tests of the sync engine with 50 times as many random examples
	SYNC_EXAMPLES=50 $(BIN)/python -m pytest -n 2 tests/core/sync/test_properties.py $(ARGS)

test-between:  ## run the unit tests and one DAG over all products on the Airflow between the oldest and the newest
	$(MAKE) test AIRFLOW=$(BETWEEN) VENV=$(VENV)-between UNIT="not airflow and not meta" IN_AIRFLOW=joined

test-oldest:  ## run the unit tests and one DAG over all products on the oldest supported Airflow
	$(MAKE) test AIRFLOW=$(OLDEST) VENV=$(VENV)-oldest UNIT="not airflow and not meta" IN_AIRFLOW=joined

lint: $(INSTALLED)  ## check format, style and types
	$(BIN)/ruff format --check
	$(BIN)/ruff check
	$(BIN)/mypy

bench: bench-extra  ## run the benchmarks
	$(BIN)/python -m benchmarks

bench-extra: $(INSTALLED)
	$(BIN)/python -m pip install --disable-pip-version-check --quiet --constraint constraints/airflow-$(AIRFLOW).txt \
		--editable ".[bench]"

chaos: chaos-extra  ## inject faults and kills while 800 tasks run in a real Airflow, and count their effects
	$(BIN)/python -m chaos $(ARGS)

waits: chaos-extra  ## let 1,000 tasks wait deferred in a real Airflow, and count their requests
	$(BIN)/python -m chaos.waits $(ARGS)

chaos-extra: $(INSTALLED)
	$(BIN)/python -m pip install --disable-pip-version-check --quiet --constraint constraints/airflow-$(AIRFLOW).txt \
		--editable ".[chaos]"

docs: $(INSTALLED)  ## regenerate tables, routes of the sandbox, and screenshots (requires Chromium)
	$(BIN)/python -m pip install --disable-pip-version-check --quiet --constraint constraints/airflow-$(AIRFLOW).txt \
		--editable ".[browser]"
	$(BIN)/python -m tests.meta.rules.generated
	$(BIN)/python -m self_hosted.sandbox.route_coverage > docs/sandbox_routes.md
	$(BIN)/python -m pytest tests/ui --screenshots docs/images

clean:  ## remove everything that these targets create
	rm -rf .venv .venv-between .venv-oldest .airflow .chaos .demo .mypy_cache .pytest_cache .ruff_cache .hypothesis .coverage build dist
	find . -name __pycache__ -type d -prune -exec rm -rf {} +

# repeated when the dependencies change; the stamp names the Python, so that another PYTHON reinstalls
$(VENV)/installed-%: pyproject.toml constraints/airflow-$(AIRFLOW).txt
	$(if $(VERSION),,$(error Airflow $(AIRFLOW) needs Python 3.11 to 3.$(NEWEST_MINOR) with its venv module, and $(NO_PYTHON)))
	echo "Installing Airflow $(AIRFLOW) into $(VENV), once; this takes about a minute ..."
	$(PYTHON) -m venv --clear $(VENV)
	$(BIN)/python -m pip install --disable-pip-version-check --constraint constraints/airflow-$(AIRFLOW).txt \
		"apache-airflow==$(AIRFLOW)" --editable ".[test,lint]" > $(VENV)/install.log 2>&1 || \
		{ echo "The packages could not be installed: is there a network? the output of pip is in $(VENV)/install.log"; exit 1; }
	touch $@
