# Two commands for a newcomer: `make run` and `make test`. Each sets up what it needs in .venv.
PYTHON ?= python3
VENV := .venv
BIN := $(VENV)/bin
SETUP := $(VENV)/set-up
EXTRAS := train,s3,datasets,tensorboard,mlflow,wandb,docs,dev

.PHONY: run reproduce docs test quick test-long test-faults test-gpu test-wheel bench bench-scale check lock clean

run: $(SETUP)
	$(BIN)/sweep run sweeps/quickstart.yaml

test: $(SETUP) check
	$(BIN)/python -m pytest

# From the committed record of the two-core sweep to its numbers, figures and page: docs/two-cores.md.
reproduce: $(SETUP)
	$(BIN)/python examples/two-cores/reproduce.py

# Without what takes longer than ten seconds.
quick: $(SETUP) check
	$(BIN)/python -m pytest -m "not slow and not faults and not long and not gpu and not wheel"

# Several Ray nodes, and every resume on every other number of workers at every stage: about twenty minutes.
test-long: $(SETUP)
	$(BIN)/python -m pytest -m long --timeout 1800

# For whoever has GPUs; skipped where there are none.
test-gpu: $(SETUP)
	$(BIN)/python -m pytest -m gpu --timeout 1800

# Faults injected for real, and ten minutes of chaos; writes docs/reliability.md. CHAOS=1 shortens it.
CHAOS ?= 10
test-faults: $(SETUP)
	rm -rf $(VENV)/faults
	INTERPLAY_TALLY=$(VENV)/faults INTERPLAY_RELIABILITY=docs/reliability.md INTERPLAY_CHAOS_MINUTES=$(CHAOS) \
		$(BIN)/python -m pytest -m "" tests/faults

# The documentation site into site/, every link checked.
docs: $(SETUP)
	NO_MKDOCS_2_WARNING=1 $(BIN)/mkdocs build --strict --quiet

# The wheel in a fresh environment of each Python at hand, light dependencies only: about five minutes.
test-wheel: $(SETUP)
	$(BIN)/python -m pytest -m wheel --timeout 1800

# Every figure that is claimed, beside its peer, into docs/performance.md: fifteen minutes on two cores with nothing else on
# them. The second: how costs grow, twenty.
bench: $(SETUP)
	$(BIN)/python -m pip install --quiet --disable-pip-version-check -c constraints.txt -e ".[bench]"
	$(BIN)/python -m benchmarks.report

bench-scale: $(SETUP)
	$(BIN)/python -m pip install --quiet --disable-pip-version-check -c constraints.txt -e ".[bench]"
	$(BIN)/python -m benchmarks.report --scale

check: $(SETUP)
	$(BIN)/ruff format --check .
	$(BIN)/ruff check .
	$(BIN)/mypy

# Everything with its hash, but torch, whose builds differ by platform under one version; the last line finds all there.
$(SETUP): pyproject.toml constraints.txt requirements.lock
	test -x $(BIN)/python || $(PYTHON) -m venv $(VENV)
	$(BIN)/python -m pip install --quiet --disable-pip-version-check --require-hashes --no-deps -r requirements.lock
	$(BIN)/python -m pip install --quiet --disable-pip-version-check -c constraints.txt -e ".[$(EXTRAS)]"
	touch $(SETUP)

# After a change of constraints.txt: the hashes of every file of every pinned version, from the package index.
lock: $(SETUP)
	$(BIN)/python -m pip install --quiet --disable-pip-version-check uv
	$(BIN)/python .ci/pinned.py $(EXTRAS) | $(BIN)/uv pip compile - --quiet --no-deps --universal --python-version 3.11.5 \
		--generate-hashes --no-header --no-annotate --output-file requirements.lock

clean:
	rm -rf $(VENV) results dist site .pytest_cache .mypy_cache .ruff_cache
