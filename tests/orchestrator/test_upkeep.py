"""Compaction, collection and migration of a record: the same answers before, after, and killed at any point."""

import os
import signal
import subprocess
import sys
import time
from pathlib import Path

import pyarrow.parquet as pq
import pytest

from orchestrator.audit import record_findings
from orchestrator.compaction import compact
from orchestrator.migration import migrate
from orchestrator.reclaim import reclaim
from sweeps.record import RecordError, part_name
from sweeps.rows import METRICS
from sweeps.safe_yaml import SpecError
from sweeps.store import FolderStore, open_store
from tests.sweeps.records import TRIALS, attempt, everything, planned_record
from tests.sweeps.test_intact import emptied, flipped

CODE = """
import sys
from orchestrator.compaction import compact
from orchestrator.reclaim import reclaim
from sweeps.store import open_store
{"compact": compact, "gc": reclaim}[sys.argv[1]](open_store(sys.argv[2]))
"""


@pytest.fixture
def store(tmp_path: Path) -> FolderStore:
    """Two finished trials, one of which was resumed, and one that is not finished."""
    store = FolderStore(tmp_path / "r")
    planned_record(store)
    attempt(store, TRIALS[0], 1, 0, 9)
    attempt(store, TRIALS[0], 2, 6, 25, "completed")
    attempt(store, TRIALS[1], 1, 0, 25, "completed")
    attempt(store, TRIALS[2], 1, 0, 3)
    for trial in TRIALS[:3]:
        for step in (5, 9):
            stem = f"checkpoints/{trial}/{step:010d}-a0001"
            store.publish(f"{stem}-0.safetensors", b"0")
            store.publish(f"{stem}.json", b'{"shards": {}}')
    return store


def test_compacted_and_collected_it_answers_the_same(store: FolderStore) -> None:
    before = everything(store)
    name, trials = compact(store)
    assert (name is not None, trials) == (True, 2)
    assert everything(store) == before
    assert compact(store) == (None, 0)
    deleted = [file for file, _ in reclaim(store)]
    assert sum(file.startswith("metrics/") for file in deleted) == 3 + 6 + 7
    assert everything(store) == before
    assert store.names("metrics") == [Path(part_name(TRIALS[2], 1, 0)).name]
    assert store.names(f"checkpoints/{TRIALS[0]}") == ["0000000009-a0001-0.safetensors", "0000000009-a0001.json"]
    assert len(store.names(f"checkpoints/{TRIALS[2]}")) == 4, "an unfinished trial's are not touched"
    assert reclaim(store) == []
    assert record_findings(store) == []


def test_compacted_twice_and_by_two_at_once_nothing_counts_twice(store: FolderStore) -> None:
    compact(store)
    attempt(store, TRIALS[2], 2, 3, 25, "completed")
    attempt(store, TRIALS[3], 1, 0, 25, "diverged: the loss is nan at step 25")
    before = everything(store)
    assert compact(store)[1] == 4
    assert len(store.names("compact")) == 2
    assert everything(store) == before
    reclaim(store)
    assert len(store.names("compact")) == 1
    assert everything(store) == before


def test_what_is_trained_after_compaction_counts(store: FolderStore) -> None:
    compact(store)
    attempt(store, TRIALS[1], 2, 20, 30, "completed")
    rows = [row for row in everything(store)["metrics"] if row[0] == TRIALS[1]]
    assert [(row[1], row[4]) for row in rows] == [(1, s) for s in range(1, 21)] + [(2, s) for s in range(21, 31)]
    expected = everything(store)
    assert compact(store)[1] == 2
    assert everything(store) == expected


@pytest.mark.parametrize(
    ("what", "point"),
    [("compact", "compact: written"), ("compact", "compact: published"), ("gc", "gc: deleted#1"), ("gc", "gc: deleted#20")],
)  # fmt: skip
def test_killed_at_any_point_nothing_is_lost(store: FolderStore, what: str, point: str) -> None:
    before = everything(store)
    if what == "gc":
        compact(store)
    environment = os.environ | {"INTERPLAY_FAULT": point}
    done = subprocess.run([sys.executable, "-c", CODE, what, store.uri], env=environment, check=False)
    assert done.returncode == -signal.SIGKILL
    assert everything(store) == before
    compact(store)
    reclaim(store)
    assert everything(store) == before
    for path in store.root.glob("*/.*"):
        os.utime(path, (time.time() - 7200,) * 2)
    reclaim(store)
    assert list(store.root.rglob(".*")) == []


def test_a_damaged_compacted_file_keeps_its_parts(store: FolderStore) -> None:
    before = everything(store)
    name, _ = compact(store)
    flipped(store.root / str(name))
    with pytest.raises(RecordError, match=r"compact/.* is damaged.*nothing was deleted: delete it and compact again"):
        reclaim(store)
    store.delete(str(name))
    assert everything(store) == before


def test_the_signs_of_dead_drivers_are_collected(store: FolderStore) -> None:
    store.replace("drivers/gone.json", f'{{"host": "{os.uname().nodename}", "pid": 1, "started": "0"}}'.encode())
    assert ("drivers/gone.json", "its driver is dead") in reclaim(store, dry_run=True)
    assert store.exists("drivers/gone.json")
    reclaim(store)
    assert not store.exists("drivers/gone.json")


def test_a_migrated_record_is_equal_and_the_old_one_untouched(store: FolderStore, tmp_path: Path) -> None:
    old = store.root / part_name(TRIALS[1], 1, 0)
    table = pq.read_table(old)
    pq.write_table(table.drop_columns(["grad_norm"]).replace_schema_metadata({b"interplay.schema": b"0"}), old)
    files = {path: path.read_bytes() for path in store.root.rglob("*") if path.is_file()}
    compact(store)
    new = open_store(tmp_path / "new")
    copied = migrate(store, new)
    assert copied["metrics"] == 17
    assert everything(new) == everything(store)
    assert pq.read_schema(tmp_path / "new" / part_name(TRIALS[1], 1, 0)).metadata[b"interplay.schema"] == b"1"
    assert pq.read_schema(tmp_path / "new" / part_name(TRIALS[1], 1, 0)).names == METRICS.names
    assert {path: path.read_bytes() for path in files} == files
    assert migrate(store, new) == copied, "broken off, it goes on"
    assert record_findings(new) == []


def test_what_migration_refuses(store: FolderStore, tmp_path: Path) -> None:
    with pytest.raises(SpecError, match="cannot be migrated into itself; name another place with --to"):
        migrate(store, FolderStore(store.root))
    other = open_store(tmp_path / "other")
    other.publish(part_name(TRIALS[1], 1, 0), b"something else")
    with pytest.raises(RecordError, match="is there already, and is another file; name an empty place"):
        migrate(store, other)
    emptied(store.root / part_name(TRIALS[1], 1, 0))
    with pytest.raises(RecordError, match="is damaged"):
        migrate(store, open_store(tmp_path / "third"))
