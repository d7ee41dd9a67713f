# Every target sets itself up in .venv first; nothing is needed but Python 3.11 or newer, and pip.
#
#   make demo       train on a real year of grocery orders, serve it, ask it over HTTP
#   make test       every test a change has to pass, in under five minutes
#   make check      format, lint, types, architecture, Dockerfile, audit, service-only wheel, lowest versions
#   make bench      speed, as ratios to the bare libraries
#   make evidence   how good the recommendations are: back-tests against the baselines
#   make soak       kill, fuzz and load tests: minutes, not seconds

PYTHON ?= $(shell for p in python3 python3.14 python3.13 python3.12 python3.11; do \
	$$p -c 'import sys; sys.exit(sys.version_info < (3, 11))' 2>/dev/null && { echo $$p; break; }; done)
VENV := .venv
BIN := $(VENV)/bin
READY := $(VENV)/.ready
ARTIFACTS ?= artifacts

# implicit's wheel wants the system's OpenMP library; where that is missing, set-up lends it the copy in faiss-cpu.
OPENMP := $(CURDIR)/$(VENV)/openmp
export LD_LIBRARY_PATH := $(OPENMP)$(if $(LD_LIBRARY_PATH),:$(LD_LIBRARY_PATH))
# Most of a test is the engine compiling queries: two cores halve the time.
PARALLEL := -n auto --maxprocesses 4 --dist worksteal
export PIP_DISABLE_PIP_VERSION_CHECK := 1

.PHONY: demo test check bench evidence soak constraints clean

demo: $(READY)
	$(BIN)/python -m tests.demo --artifacts $(ARTIFACTS)

test: $(READY)
	$(BIN)/python -m pytest -q -m "not soak" $(PARALLEL) $(PYTEST_ARGS)

check: $(READY)
	$(BIN)/ruff format --check .
	$(BIN)/ruff check .
	$(BIN)/mypy
	$(BIN)/mypy tests/checks tests/demo tests/benchmarks tests/soak tests/live_service.py
	$(BIN)/lint-imports
	$(BIN)/hadolint Dockerfile
	$(BIN)/python -m tests.checks.dependency_audit
	$(BIN)/python -m tests.checks.wheel_smoke
	$(BIN)/python -m tests.checks.lowest_versions -q -m "not soak" $(PARALLEL)

bench: $(READY)
	$(BIN)/python -m tests.benchmarks

evidence: $(READY)
	$(BIN)/python -m tests.benchmarks.cdnow_holdout
	$(BIN)/recsvc-train backtest complete_journey --json $(ARTIFACTS)/evidence-complete_journey.json
	$(if $(ONLINE_RETAIL),$(BIN)/recsvc-train backtest online_retail --orders $(ONLINE_RETAIL) \
		--json $(ARTIFACTS)/evidence-online_retail.json,\
		@echo "For Online Retail too: make evidence ONLINE_RETAIL=path/to/the/published.csv.gz")

soak: $(READY)
	$(BIN)/python -m pytest -m soak --timeout 3600 $(PYTEST_ARGS)

# After a change of the dependencies in pyproject.toml.
constraints: $(READY)
	$(BIN)/python -m tests.checks.write_constraints

clean:
	rm -rf $(VENV) .venv-lowest build dist *.egg-info

# A Python without ensurepip (Debian's, without python3-venv) gets its pip from the pip that is there.
$(READY): pyproject.toml constraints.txt
	@test -n "$(PYTHON)" || { echo "Python 3.11 or newer is needed; name it with: make PYTHON=/path/to/python3"; exit 2; }
	@test -x $(BIN)/pip || $(PYTHON) -m venv $(VENV) >/dev/null 2>&1 || { \
		$(PYTHON) -m venv --clear --without-pip $(VENV) && $(PYTHON) -m pip --python $(BIN)/python install -q pip; }
	@echo "Installing into $(VENV) ..."
	@$(BIN)/python -m pip install -qq -c constraints.txt --upgrade pip setuptools
	@$(BIN)/python -m pip install -qq -c constraints.txt --no-build-isolation -e ".[dev]"
	@$(BIN)/python -m tests.checks.openmp $(OPENMP)
	@touch $(READY)
