"""Killed at every step of writing a part, a checkpoint, a compacted file, and of collecting: nothing half-made counts."""

import os
import signal
import subprocess
import sys
from pathlib import Path

import pytest

from sweeps.store import FolderStore, open_store
from tests.faults.invariants import counted
from tests.orchestrator.gangs import planned, rows, run_gang
from tests.orchestrator.test_upkeep import CODE
from tests.sweeps.records import TRIALS, attempt, everything, planned_record
from tests.sweeps.specs import small

SHAPE = {"depths": [2], "widths": [16]}
POINTS = [
    "publish: opened", "publish: written", "publish: flushed", "publish: linked",
    "part: encoded", "part: published",
    "checkpoint: shard", "checkpoint: before manifest", "checkpoint: published",
]  # fmt: skip


@pytest.fixture(scope="module")
def whole(tmp_path_factory: pytest.TempPathFactory) -> list[tuple[object, ...]]:
    """Rows of a trial that nothing happened to."""
    store = open_store(tmp_path_factory.mktemp("whole"))
    trial = planned(small(grid=SHAPE), store).trials[0].trial
    assert run_gang(store, trial, 1) == [0]
    return rows(store, trial)


@pytest.mark.parametrize("point", POINTS)
def test_training(tmp_path: Path, whole: list[tuple[object, ...]], point: str) -> None:
    with counted(f"kill -9 at {point!r}, twice"):
        store = open_store(tmp_path)
        trial = planned(small(grid=SHAPE), store).trials[0].trial
        for number in (1, 2):
            killed = run_gang(store, trial, number, environment={"INTERPLAY_FAULT": f"{point}#{3 - number}"})
            assert killed == [-signal.SIGKILL]
        assert run_gang(store, trial, 3) == [0]
        assert rows(store, trial) == whole
        assert [path.name for path in tmp_path.rglob(".*")] == []


@pytest.mark.parametrize(
    ("what", "point"), [("compact", "compact: written"), ("compact", "compact: published"), ("gc", "gc: deleted")]
)
def test_upkeep(tmp_path: Path, what: str, point: str) -> None:
    with counted(f"kill -9 at {point!r}"):
        store = FolderStore(tmp_path)
        planned_record(store)
        attempt(store, TRIALS[0], 1, 0, 9)
        attempt(store, TRIALS[0], 2, 6, 25, "completed")
        before = everything(store)
        words = [sys.executable, "-c", CODE]
        if what == "gc":
            subprocess.run([*words, "compact", store.uri], check=True)
        done = subprocess.run([*words, what, store.uri], env=os.environ | {"INTERPLAY_FAULT": point}, check=False)
        assert done.returncode == -signal.SIGKILL
        assert everything(store) == before
        for command in ("compact", "gc"):
            subprocess.run([*words, command, store.uri], check=True)
        assert everything(store) == before
