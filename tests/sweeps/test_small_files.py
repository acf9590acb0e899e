"""Files are opened when a query asks for what is in them, and no others; what it sees does not depend on how."""

from pathlib import Path

import pytest

from sweeps import small_files
from sweeps.record import claim
from sweeps.small_files import SmallFiles
from sweeps.states import states
from sweeps.store import FolderStore, open_store
from sweeps.views import connect
from tests.sweeps.records import TRIALS, attempt, everything, planned_record


@pytest.fixture
def store(tmp_path: Path) -> FolderStore:
    """Two finished trials, and one that is not."""
    store = planned_record(open_store(tmp_path))
    assert isinstance(store, FolderStore)
    attempt(store, TRIALS[0], 1, 0, 9)
    attempt(store, TRIALS[0], 2, 6, 12, "completed")
    attempt(store, TRIALS[1], 1, 0, 9, "completed")
    attempt(store, TRIALS[2], 1, 0, 3)
    return store


@pytest.fixture
def opened(store: FolderStore, monkeypatch: pytest.MonkeyPatch) -> list[str]:
    """The names of the files that are read from here on."""
    names = list[str]()
    rows = SmallFiles.rows
    monkeypatch.setattr(SmallFiles, "rows", lambda self, file, schema: names.append(file) or rows(self, file, schema))
    return names


def test_nothing_is_opened_before_it_is_asked(store: FolderStore, opened: list[str]) -> None:
    with connect(store) as connection:
        connection.execute("drop view if exists none")
        assert [name for name in opened if TRIALS[0] not in name] == []  # of that the resumed steps are asked at once
        connection.execute("select count(*) from plans").fetchall()
    assert [name for name in opened if TRIALS[0] not in name] == [f"plans/{store.names('plans')[0]}"]


def test_a_claim_is_opened_for_what_its_name_does_not_say(store: FolderStore, opened: list[str]) -> None:
    with connect(store) as connection:
        statuses = connection.execute("select status from trials order by 1").fetchall()
        assert statuses == [("completed",), ("completed",), ("planned",), ("unfinished",)]
        assert not [name for name in opened if name.startswith("attempts/")]
        assert connection.execute("select count(*) from claims where driver = 'd'").fetchall() == [(4,)]
        assert sum(name.startswith("attempts/") for name in opened) == 4


def test_only_the_claims_of_what_has_no_end_say_whose_they_are(store: FolderStore, opened: list[str]) -> None:
    claim(store, TRIALS[1], 2, {"driver": "another"})
    with connect(store) as connection:
        known = states(connection, TRIALS)
    assert {trial: state.owner for trial, state in known.items()} == {
        TRIALS[0]: None,
        TRIALS[1]: "another",
        TRIALS[2]: "d",
    }
    assert sorted({name for name in opened if name.startswith("attempts/")}) == sorted(
        f"attempts/{name}" for trial in TRIALS[1:3] for name in store.names("attempts") if name.startswith(trial)
    )


def test_a_claim_by_another_name_is_opened(store: FolderStore) -> None:
    (store.root / "attempts" / store.names("attempts")[0]).rename(store.root / "attempts" / "copied.parquet")
    with connect(store) as connection:
        assert connection.execute("select count(distinct trial_id), count(*) from claims").fetchall() == [(3, 4)]


@pytest.mark.parametrize(
    ("sql", "expected"),
    [("select count(*) from rows", 33), ("select count(*) from rows where loss > 1 or step = 0", 30)],
)
def test_batches_do_not_show(store: FolderStore, monkeypatch: pytest.MonkeyPatch, sql: str, expected: int) -> None:
    before = everything(store)
    with connect(store) as connection:
        counted = connection.execute(sql).fetchall()
    monkeypatch.setattr(small_files, "NEAR", (2, 1))
    assert everything(store) == before
    with connect(store) as connection:
        assert connection.execute(sql).fetchall() == counted == [(expected,)]
        order = connection.execute("select trial_id, attempt, seq from rows").fetchall()
    assert order == sorted(order)


def test_object_storage_answers_the_same(store: FolderStore) -> None:
    far = open_store("memory://small-files")
    for folder in ("plans", "attempts", "metrics"):
        for name in store.names(folder):
            far.publish(f"{folder}/{name}", store.read(f"{folder}/{name}"))
    assert everything(far) == everything(store)
    far.delete(f"metrics/{store.names('metrics')[-1]}")
    assert everything(far) != everything(store)
