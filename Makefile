# Two commands for a newcomer: `make run` and `make test`. Each sets up what it needs in .venv.
PYTHON ?= python3
VENV := .venv
BIN := $(VENV)/bin
SETUP := $(VENV)/set-up

.PHONY: run docs test quick test-long test-gpu test-wheel check clean

run: $(SETUP)
	$(BIN)/sweep run sweeps/quickstart.yaml

test: $(SETUP) check
	$(BIN)/python -m pytest

# Without what takes longer than ten seconds.
quick: $(SETUP) check
	$(BIN)/python -m pytest -m "not slow and not long and not gpu and not wheel"

# Several Ray nodes, and every resume on every other number of workers at every stage: about twenty minutes.
test-long: $(SETUP)
	$(BIN)/python -m pytest -m long --timeout 1800

# For whoever has GPUs; skipped where there are none.
test-gpu: $(SETUP)
	$(BIN)/python -m pytest -m gpu --timeout 1800

# The documentation site into site/, every link checked.
docs: $(SETUP)
	NO_MKDOCS_2_WARNING=1 $(BIN)/mkdocs build --strict --quiet

# The wheel in a fresh environment of each Python at hand, light dependencies only: about five minutes.
test-wheel: $(SETUP)
	$(BIN)/python -m pytest -m wheel --timeout 1800

check: $(SETUP)
	$(BIN)/ruff format --check .
	$(BIN)/ruff check .
	$(BIN)/mypy

# torch first and pinned: an open range may bring gigabytes of CUDA to a machine that has no GPU.
$(SETUP): pyproject.toml constraints.txt
	test -x $(BIN)/python || $(PYTHON) -m venv $(VENV)
	$(BIN)/python -m pip install --quiet --disable-pip-version-check -c constraints.txt -e ".[train,s3,datasets,tensorboard,mlflow,wandb,docs,dev]"
	touch $(SETUP)

clean:
	rm -rf $(VENV) results dist site .pytest_cache .mypy_cache .ruff_cache
