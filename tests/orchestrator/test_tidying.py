"""A run's end merges many parts by itself: quietly, safe to be killed, and never to the run's harm."""

import signal
import subprocess
from pathlib import Path

import pytest

from orchestrator.commands.run import command
from orchestrator.run import Outcome
from orchestrator.tidying import tidy
from sweeps.store import FolderStore
from tests.sweeps.records import PLAN, TRIALS, attempt, everything, planned_record
from tests.sweeps.test_intact import emptied

SPEC = Path(__file__).parents[2] / "sweeps" / "quickstart.yaml"


@pytest.fixture
def store(tmp_path: Path) -> FolderStore:
    """Two finished trials of three parts each, and one that is not finished."""
    store = FolderStore(tmp_path / "r")
    planned_record(store)
    attempt(store, TRIALS[0], 1, 0, 9, "completed")
    attempt(store, TRIALS[1], 1, 0, 9, "completed")
    attempt(store, TRIALS[2], 1, 0, 3)
    return store


def test_many_parts_are_merged_quietly(store: FolderStore, capfd: pytest.CaptureFixture[str]) -> None:
    before, said = everything(store), list[str]()
    tidy(store, TRIALS[:2], said.append, many=7)
    assert store.names("compact") == [], "six parts are not many"
    tidy(store, TRIALS[:2], said.append, many=6)
    assert len(store.names("compact")) == 1
    assert everything(store) == before
    assert (said, *capfd.readouterr()) == ([], "", "")


def test_what_is_merged_is_not_merged_again(store: FolderStore, monkeypatch: pytest.MonkeyPatch) -> None:
    tidy(store, TRIALS[:2], pytest.fail, many=6)
    monkeypatch.setattr(subprocess, "run", pytest.fail)
    tidy(store, TRIALS[:2], pytest.fail, many=1)


def test_killed_on_the_way_it_is_one_line_and_the_record_as_it_was(
    store: FolderStore, monkeypatch: pytest.MonkeyPatch
) -> None:
    before, said = everything(store), list[str]()
    monkeypatch.setenv("INTERPLAY_FAULT", "compact: written")
    tidy(store, TRIALS[:2], said.append, many=6)
    assert said == ["the record was not compacted, and is as it was: ended with -9"]
    assert store.names("compact") == []
    assert everything(store) == before


@pytest.mark.parametrize("folder", ["metrics", "compact"])
def test_a_damaged_record_is_one_line(store: FolderStore, folder: str) -> None:
    store.publish("compact/0123456789abcdef.parquet", b"")
    if folder == "metrics":
        store.delete("compact/0123456789abcdef.parquet")
        emptied(store.root / folder / store.names(folder)[0])
    said = list[str]()
    tidy(store, TRIALS[:2], said.append, many=6)
    (line,) = said
    assert line.startswith(f"the record was not compacted, and is as it was: {store.uri}/{folder}/")
    assert "\n" not in line


@pytest.mark.parametrize(("left", "merges"), [(0, [TRIALS]), (1, [])])
def test_a_run_asks_for_it_once_nothing_is_left(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, left: int, merges: list[list[str]]
) -> None:
    ended = Outcome(plan=PLAN, trained=4 - left, already=0, unusable=0, left=left, barred=0, stopped=False)
    asked = list[list[str]]()
    monkeypatch.setattr(signal, "signal", lambda *_: None)
    monkeypatch.setattr("orchestrator.run.run", lambda *_, **__: ended)
    monkeypatch.setattr("orchestrator.tidying.tidy", lambda _, trials, say: asked.append(trials))
    monkeypatch.setattr("orchestrator.commands.closing.close", lambda *_: None)
    assert command(SPEC, str(tmp_path)) == (75 if left else 0)
    assert asked == merges
