# Each target does its own set-up: a bare machine needs Python 3.11, make and git, and reaches a package index.
SHELL := /bin/bash
PYTHON ?= $(shell command -v python3.11 || command -v python3)
AIRFLOW ?= 3.3
UV_VERSION := 0.13.9

VENV := .venv
UV := $(VENV)/bin/uv
BIN := $(VENV)/bin
SDK_VERSIONS := 0.1.211 0.1.145
SDK_ENVIRONMENTS := $(SDK_VERSIONS:%=.venvs/sdk-%/.ready)
EMULATOR_ENVIRONMENT := .venvs/emulator/.ready
# Not "?=": a shell may export LINES, the height of its window.
LINES := 2.11 3.1 3.2 3.3
# Airflow 3.3 stands in .venv already; each older line has an environment of its own.
OLDER_LINES := $(filter-out $(AIRFLOW),$(LINES))
LINE_ENVIRONMENTS := $(OLDER_LINES:%=.venvs/airflow-%/.ready)
PYTEST_ARGS ?=
# Files of tests go to so many processes; 0 runs all in one. On two cores it is one more: some tests wait most of their time.
TEST_PROCESSES ?= 3
# In the order of tests/conftest.py, where the longest begin.
IN_PROCESSES = -n $(TEST_PROCESSES) --dist loadfile --no-loadscope-reorder
SMOKE_ARGS ?=
SOAK_MINUTES ?= 60
SOAK_ARGS ?=
CLUSTER_ARGS ?=

unexport PYTHONDONTWRITEBYTECODE
# Nothing outside the checkout is touched, not even the caches of the package clients.
export UV_CACHE_DIR ?= $(CURDIR)/.work/cache/uv
export PIP_CACHE_DIR ?= $(CURDIR)/.work/cache/pip

.DEFAULT_GOAL := help
.PHONY: help demo play test test-quick test-system coverage readers soak soak-histories soak-waiting cluster cluster-short e2e matrix lowest wheel bench docs smoke check reference format changelog fragment dist clean chromium redis-server python \
  ci-targets $(LINES:%=matrix-%)

# What .ci/run makes, in this order. The workflows in .github/ make the same; tests/packaging compares them.
# The lowest versions are those of Airflow 2.11, so this line is not tested again with newer ones, as the workflows do.
CI_TARGETS := check test test-system demo docs lowest e2e cluster-short

ci-targets:
	@echo $(CI_TARGETS)

help:  ## what there is
	@grep -hE '^[a-z0-9-]+:.*## ' $(MAKEFILE_LIST) | awk -F ':.*## ' '{printf "make %-10s %s\n", $$1, $$2}'

demo: $(VENV)/.ready $(EMULATOR_ENVIRONMENT)  ## the main job, end to end, on the emulator (no account needed)
	$(BIN)/python -m demo

# A second playground at the same time needs a directory of its own.
PLAY_DIRECTORY ?= .work/play
play: $(VENV)/.ready $(EMULATOR_ENVIRONMENT)  ## Airflow's pages with the example DAGs, on the emulator, to click through
	@$(BIN)/python -m playground --directory '$(PLAY_DIRECTORY)'

test: $(VENV)/.ready $(EMULATOR_ENVIRONMENT) $(SDK_ENVIRONMENTS) redis-server  ## the tests that are quick, or have no reason to be slow
	$(BIN)/python -m pytest $(IN_PROCESSES) -m 'not system' $(PYTEST_ARGS)

test-system: $(VENV)/.ready $(EMULATOR_ENVIRONMENT)  ## deployments of Airflow, installed wheels, examples, killed processes, moves of every operator, what the documents show
	$(BIN)/python -m pytest $(IN_PROCESSES) -m system $(PYTEST_ARGS)

# No Airflow, no deployments, no vendor's SDK: what a change of the client or of the work below the operators breaks first.
QUICK_TESTS := tests/client tests/wire tests/sources tests/item_metadata tests/prelabels tests/registration
# They wait for servers that are slow.
WAITING_TESTS := tests/client/transport/test_faults.py tests/client/transport/test_slow_servers.py
test-quick: $(VENV)/.ready $(EMULATOR_ENVIRONMENT)  ## the tests below Airflow, in about a minute
	$(BIN)/python -m pytest $(IN_PROCESSES) $(QUICK_TESTS) $(WAITING_TESTS:%=--ignore %) $(PYTEST_ARGS)

# Lines and branches of the package that the tests run, also in subprocesses, and in the emulator: here it runs in the environment
# that has coverage. Tracing makes every test slower, so .ci/run leaves it out. 96.27 % were measured without the
# tests of deployments, histories, moves and documents.
COVERAGE_FLOOR := 95
# They look at what a fresh process has imported: with coverage that is more.
NOT_WITH_COVERAGE := \
  tests/emulator/test_process.py::test_the_pytest_plugin_and_the_starter_load_nothing_heavy \
  tests/airflow_layer/package/test_provider_info.py::test_reading_the_provider_info_imports_nothing_but_the_version
coverage: $(VENV)/.ready $(EMULATOR_ENVIRONMENT) $(SDK_ENVIRONMENTS)  ## the tests with coverage; fails below COVERAGE_FLOOR
	rm -rf .work/coverage && mkdir -p .work/coverage
	ENCORD_EMULATOR_PYTHON='$(CURDIR)/$(BIN)/python' HYPOTHESIS_PROFILE=steady \
	  $(BIN)/coverage run -m pytest $(IN_PROCESSES) \
	  $(NOT_WITH_COVERAGE:%=--deselect %) $(PYTEST_ARGS)
	$(BIN)/coverage combine --quiet
	$(BIN)/coverage html --quiet
	$(BIN)/coverage report --fail-under=$(COVERAGE_FLOOR)

# Without this environment, the suite skips these tests: with PyTorch it takes 6 GB.
readers: $(VENV)/.ready $(EMULATOR_ENVIRONMENT) .venvs/readers/.ready  ## training sets, opened by the libraries that they are for
	$(BIN)/python -m pytest tests/airflow_layer/training/readers $(PYTEST_ARGS)

# A fraction for a try: make soak HOURS=0.1. The report is .work/soak/report.html.
HOURS ?= 2
soak: .venvs/cluster/.ready $(EMULATOR_ENVIRONMENT)  ## everything at once with faults, for HOURS (2): what is lost, doubled or grows
	.venvs/cluster/bin/python -m tests.soak $(HOURS) $(SOAK_ARGS)

soak-histories: $(VENV)/.ready $(EMULATOR_ENVIRONMENT)  ## random histories of tasks, people and faults, for SOAK_MINUTES (60)
	$(BIN)/python -m tests.histories.soak $(SOAK_MINUTES) $(SOAK_ARGS)

soak-waiting: $(VENV)/.ready $(EMULATOR_ENVIRONMENT)  ## sensors and watchers that come and go, for SOAK_MINUTES (60): do they leak?
	$(BIN)/python -m tests.sensors.soak $(SOAK_MINUTES)

# Airflow on CeleryExecutor, PostgreSQL, Redis and an S3 server, in .work/cluster.
cluster: .venvs/cluster/.ready $(EMULATOR_ENVIRONMENT)  ## everything at once on many workers that are killed; fifty minutes
	.venvs/cluster/bin/python -m tests.cluster long $(CLUSTER_ARGS)

cluster-short: .venvs/cluster/.ready $(EMULATOR_ENVIRONMENT)  ## the same with less work and fewer kills, in minutes
	.venvs/cluster/bin/python -m tests.cluster short $(CLUSTER_ARGS)

# Two processes, and the tests of a line of Airflow in one: a deployment each, and a browser that waits for it most of the time.
e2e: $(VENV)/.ready $(LINE_ENVIRONMENTS) $(EMULATOR_ENVIRONMENT) chromium  ## the connection form, a DAG and the pages of projects, in a real browser
	$(BIN)/python -m pytest -n 2 --dist loadfile --no-loadscope-reorder tests/e2e $(PYTEST_ARGS)

# The part of the suite that meets Airflow.
MATRIX_TESTS := tests/airflow_layer tests/operators tests/sensors tests/task_actions tests/gates
# Older lines keep no state of tasks, so there the moves of operators that use it are played, too.
MOVES_WITHOUT_STATE := tests/moves -k "Register or Sync or Link or Remove or Snapshot or row"

matrix: $(LINES:%=matrix-%)  ## the tests of the Airflow layer on every supported line (LINES="2.11 3.3" for some)

matrix-$(AIRFLOW): $(VENV)/.ready $(EMULATOR_ENVIRONMENT)
	$(BIN)/python -m pytest $(IN_PROCESSES) $(MATRIX_TESTS) $(PYTEST_ARGS)

$(filter-out matrix-$(AIRFLOW),$(LINES:%=matrix-%)): matrix-%: .venvs/airflow-%/.ready $(EMULATOR_ENVIRONMENT)
	ENCORD_EMULATOR_PYTHON='$(CURDIR)/.venvs/emulator/bin/python' \
	  .venvs/airflow-$*/bin/python -m pytest -p no:cacheprovider $(IN_PROCESSES) $(MATRIX_TESTS) $(PYTEST_ARGS)
	ENCORD_EMULATOR_PYTHON='$(CURDIR)/.venvs/emulator/bin/python' \
	  .venvs/airflow-$*/bin/python -m pytest -p no:cacheprovider $(IN_PROCESSES) $(MOVES_WITHOUT_STATE) $(PYTEST_ARGS)

# The lowest versions that pyproject.toml allows, on the oldest line.
lowest: .venvs/lowest/.ready redis-server  ## the tests of the Airflow layer and the client with the lowest versions of every dependency
	ENCORD_EMULATOR_PYTHON='$(CURDIR)/.venvs/lowest/bin/python' \
	  .venvs/lowest/bin/python -m pytest -p no:cacheprovider $(IN_PROCESSES) \
	  $(MATRIX_TESTS) tests/client $(PYTEST_ARGS)
	ENCORD_EMULATOR_PYTHON='$(CURDIR)/.venvs/lowest/bin/python' \
	  .venvs/lowest/bin/python -m pytest -p no:cacheprovider $(IN_PROCESSES) $(MOVES_WITHOUT_STATE) $(PYTEST_ARGS)

# A folder with a wheel and a source distribution; they are built if it is not named.
DISTRIBUTIONS ?=
wheel: $(VENV)/.ready  ## the built wheel, installed on every line (LINES="2.11 3.3" for some)
	WHEEL_LINES='$(LINES)' DISTRIBUTIONS='$(DISTRIBUTIONS)' $(BIN)/python -m pytest tests/packaging/test_wheel.py \
	  tests/packaging/test_installed.py $(PYTEST_ARGS)

docs: $(VENV)/.ready  ## the documentation, warnings are errors; it opens at .work/docs/index.html
	$(BIN)/python -m sphinx --fresh-env --fail-on-warning --keep-going --quiet docs .work/docs

smoke: $(VENV)/.ready  ## read-only requests with your own connection, and a report for an issue
	$(BIN)/python -m airflow_provider_encord.smoke $(SMOKE_ARGS)

bench: $(VENV)/.ready $(EMULATOR_ENVIRONMENT) $(SDK_ENVIRONMENTS)  ## measurements, side by side; FULL=1: in the sizes of benchmarks/README.md
	$(BIN)/python -m benchmarks.imports
	$(BIN)/python -m benchmarks.calls $(if $(FULL),--full)
	$(BIN)/python -m benchmarks.listing $(if $(FULL),--full)
	$(BIN)/python -m benchmarks.label_rows $(if $(FULL),--full)
	$(BIN)/python -m benchmarks.upload $(if $(FULL),--full)
	$(BIN)/python -m benchmarks.register $(if $(FULL),--full)
	$(BIN)/python -m benchmarks.resuming $(if $(FULL),--full)
	$(BIN)/python -m benchmarks.export $(if $(FULL),--full)
	$(BIN)/python -m benchmarks.import_labels $(if $(FULL),--full)
	$(BIN)/python -m benchmarks.floors $(if $(FULL),--full)
	$(BIN)/python -m benchmarks.training_set $(if $(FULL),--full)
	$(BIN)/python -m benchmarks.waiting $(if $(FULL),--full)
	$(BIN)/python -m benchmarks.rate_limit $(if $(FULL),--full)
	$(BIN)/python -m benchmarks.agent $(if $(FULL),--full)
	$(BIN)/python -m benchmarks.agent_faults $(if $(FULL),--full)
	$(BIN)/python -m benchmarks.webhook $(if $(FULL),--full)
	$(BIN)/python -m benchmarks.scale
	$(BIN)/python -m benchmarks.project_pages

check: $(VENV)/.ready  ## format, lint, types, Dockerfile, plain English, line ends; changes nothing
	$(BIN)/ruff format --check .
	$(BIN)/ruff check .
	$(BIN)/mypy
	$(BIN)/hadolint --no-color emulator/Dockerfile
	$(BIN)/python -m tests.docs.plain_english
	@$(BIN)/python -m tests.packaging.text_files

reference: $(VENV)/.ready  ## the generated pages, diagrams and JSON Schemas, from the code
	$(BIN)/python -m tests.docs.schemas
	$(BIN)/python -m tests.docs.table_schemas
	$(BIN)/python -m tests.docs.pages.arguments_page
	$(BIN)/python -m tests.docs.pages.configuration_page
	$(BIN)/python -m tests.docs.pages.public_page
	$(BIN)/python -m tests.docs.pages.operations_page
	$(BIN)/python -m tests.docs.pages.emulator_page
	$(BIN)/python -m tests.docs.pages.operators_table
	$(BIN)/python -m tests.docs.diagrams

format: $(VENV)/.ready  ## format and mend what can be mended
	$(BIN)/ruff check --fix-only .
	$(BIN)/ruff format .

changelog: $(VENV)/.ready  ## what the fragments in newsfragments/ add to CHANGELOG.md; changes nothing
	$(BIN)/towncrier build --draft

COMPARE_WITH ?= origin/main
fragment: $(VENV)/.ready  ## whether this branch adds a fragment; compares with COMPARE_WITH (origin/main)
	$(BIN)/towncrier check --compare-with $(COMPARE_WITH)

dist: $(VENV)/.ready  ## the source distributions and the wheels, in dist/
	rm -rf dist
	$(UV) build --quiet --out-dir dist .
	$(UV) build --quiet --out-dir dist emulator

clean:  ## remove everything that make has made
	rm -rf .venv .venvs .work build dist .mypy_cache .pytest_cache .ruff_cache .hypothesis
	find . -name __pycache__ -type d -prune -exec rm -rf {} +

# The tests in a browser say what is missing, and fail in CI.
# Tests that need it say so, and are skipped where it is missing, except in CI.
redis-server:
	@command -v redis-server >/dev/null || { test "$$(id -u)" = 0 && command -v apt-get >/dev/null \
	  && apt-get update -qq && DEBIAN_FRONTEND=noninteractive apt-get install -y -qq --no-install-recommends redis-server >/dev/null; } \
	  || echo "redis-server is not here and cannot be installed without being root on Debian"

chromium:
	@command -v chromium >/dev/null || { test "$$(id -u)" = 0 && command -v apt-get >/dev/null \
	  && apt-get update -qq && DEBIAN_FRONTEND=noninteractive apt-get install -y -qq --no-install-recommends chromium >/dev/null; } \
	  || echo "chromium is not here and cannot be installed without being root on Debian"

python:
	@test -n "$(PYTHON)" || { echo "Python 3.11 or newer is missing: install it, or name it with make PYTHON=..." >&2; exit 1; }
	@$(PYTHON) -c 'import sys; sys.exit(sys.version_info < (3, 11))' \
	  || { echo "$(PYTHON) is older than Python 3.11; name another with make PYTHON=..." >&2; exit 1; }
	@$(PYTHON) -c 'import venv, ensurepip' 2>/dev/null \
	  || { echo "$(PYTHON) has no venv module (on Debian: install the package python3-venv)." >&2; exit 1; }

$(UV): | python
	@echo "This installs Airflow $(AIRFLOW), this provider and what its tests need: about 190 packages, 900 MB in .venv." \
	  "It takes half a minute to a few minutes, depending on your network. Nothing is left outside this directory."
	$(PYTHON) -m venv $(VENV)
	$(BIN)/python -m pip install --quiet --disable-pip-version-check uv==$(UV_VERSION)

$(VENV)/.ready: pyproject.toml emulator/pyproject.toml constraints/airflow-$(AIRFLOW).txt $(UV)
	$(UV) pip install --quiet --python $(BIN)/python --constraint constraints/airflow-$(AIRFLOW).txt \
	  --editable '.[dev]'
	touch $@

.venvs/airflow-%/.ready: pyproject.toml emulator/pyproject.toml constraints/airflow-%.txt $(UV)
	$(UV) venv --quiet --clear --python $(BIN)/python .venvs/airflow-$*
	$(UV) pip install --quiet --python .venvs/airflow-$*/bin/python --constraint constraints/airflow-$*.txt \
	  --editable '.[test]'
	$(UV) pip install --quiet --python .venvs/airflow-$*/bin/python --no-deps --editable ./emulator
	touch $@

.venvs/lowest/.ready: pyproject.toml emulator/pyproject.toml constraints/lowest.txt $(UV)
	$(UV) venv --quiet --clear --python $(BIN)/python .venvs/lowest
	$(UV) pip install --quiet --python .venvs/lowest/bin/python --resolution lowest-direct \
	  --constraint constraints/lowest.txt --editable '.[emulator,test]'
	touch $@

$(EMULATOR_ENVIRONMENT): emulator/pyproject.toml constraints/emulator.txt $(UV)
	$(UV) venv --quiet --clear --python $(BIN)/python .venvs/emulator
	$(UV) pip install --quiet --python .venvs/emulator/bin/python --requirement constraints/emulator.txt
	$(UV) pip install --quiet --python .venvs/emulator/bin/python --no-deps --editable ./emulator
	touch $@

# Ultralytics asks for another build of OpenCV, which needs libraries of a desktop.
READERS := tests/airflow_layer/training/readers
.venvs/readers/.ready: $(READERS)/requirements.txt $(READERS)/requirements-alone.txt $(UV)
	$(UV) venv --quiet --clear --python $(BIN)/python .venvs/readers
	$(UV) pip install --quiet --python .venvs/readers/bin/python --requirement $(READERS)/requirements.txt
	$(UV) pip install --quiet --python .venvs/readers/bin/python --no-deps \
	  --requirement $(READERS)/requirements-alone.txt
	touch $@

# What Airflow's own constraints do not pin stands in requirements.txt.
.venvs/cluster/.ready: pyproject.toml emulator/pyproject.toml constraints/airflow-$(AIRFLOW).txt tests/cluster/requirements.txt $(UV)
	$(UV) venv --quiet --clear --python $(BIN)/python .venvs/cluster
	$(UV) pip install --quiet --python .venvs/cluster/bin/python --constraint constraints/airflow-$(AIRFLOW).txt \
	  --requirement tests/cluster/requirements.txt --editable '.[redis]'
	$(UV) pip install --quiet --python .venvs/cluster/bin/python --no-deps --editable ./emulator
	touch $@

.venvs/sdk-%/.ready: tests/sdk/requirements-%.txt $(UV)
	$(UV) venv --quiet --clear --python $(BIN)/python .venvs/sdk-$*
	$(UV) pip install --quiet --python .venvs/sdk-$*/bin/python --requirement $<
	touch $@
