"""A sweep seen from its record alone, and the people's commands that read and write it."""

import json
import os
import time
from pathlib import Path

import pytest

from orchestrator.owners import Heart, started
from orchestrator.retrying import given_up, pardon_all
from orchestrator.stacks import left_stacks, watched
from orchestrator.trial_history import history, told
from orchestrator.trial_log import keep, keep_lost, read_log, relevant
from orchestrator.watching import Watcher
from orchestrator.work import Assigned, Work
from sweeps.record import publish_plan
from sweeps.safe_yaml import SpecError
from sweeps.store import Store, open_store
from tests.sweeps.specs import small
from tests.sweeps.test_views import PLAN, TRIALS, attempt


@pytest.fixture
def store(tmp_path: Path) -> Store:
    store = open_store(tmp_path)
    publish_plan(store, PLAN, small().model_dump(mode="json"), {})
    attempt(store, TRIALS[0], 1, 0, 25, "completed")
    attempt(store, TRIALS[1], 1, 0, 9, "error: ValueError: no")
    attempt(store, TRIALS[1], 2, 8, 10)
    attempt(store, TRIALS[2], 1, 0, 3, "diverged: the loss is nan at step 3")
    return store


def sign(store: Store, beat: int, pid: int | None = None) -> None:
    pid = pid or os.getpid()
    facts = {"beat": beat, "host": os.uname().nodename, "pid": pid, "started": started(os.getpid()), "sweep": "small"}
    store.replace("drivers/d.json", json.dumps(facts).encode())


def test_what_runs_is_what_a_living_driver_has(store: Store) -> None:
    watcher = Watcher(store, "small")
    board = watcher.look()
    assert board.running == ()
    assert board.said == "nobody is training this sweep now; d gives no sign of life; `sweep run` with its spec goes on"
    sign(store, 1)
    board = watcher.look()
    assert [(row.trial_id, row.attempt, row.step, row.loss) for row in board.running] == [(TRIALS[1], 2, 10, 2.01)]
    assert (board.trials, board.finished, board.failed, board.troubled, board.left) == (
        4, 1, (("diverged", 1),), (("error", 1),), 1,
    )  # fmt: skip
    sign(store, 2, pid=2**22 + 1)  # its process is no more
    assert watcher.look().running == ()


def test_a_driver_that_stays_silent_for_a_lease_is_dead(store: Store, monkeypatch: pytest.MonkeyPatch) -> None:
    now = [100.0]
    monkeypatch.setattr("orchestrator.watching.time.monotonic", lambda: now[0])
    sign(store, 1)
    watcher = Watcher(store, "small")
    assert len(watcher.look().running) == 1
    now[0] += 14
    assert watcher.look().running[0].age == 14
    now[0] += 2
    assert watcher.look().running == ()
    sign(store, 2)
    assert len(watcher.look().running) == 1


def test_a_heart_hears_a_request_to_stop(store: Store, monkeypatch: pytest.MonkeyPatch) -> None:
    from sweeps.requests import ask_to_stop
    from tests.e2e.sweeping import until

    monkeypatch.setattr("orchestrator.owners.BEAT_SECONDS", 0.05)
    with Heart(store, "small") as heart:
        until(lambda: store.names("drivers"))
        assert heart.asked is None
        ask_to_stop(store, heart.driver)
        until(lambda: heart.asked is not None, seconds=10)
    assert store.names("drivers") == []
    assert store.names("stops") == [f"{heart.driver}.json"]


def test_given_up_trials_get_another_go(store: Store) -> None:
    rows = given_up(store, "small", trials=(), kinds=())
    assert [(row.trial_id, row.kind, row.attempts) for row in rows] == [(TRIALS[2], "diverged", 1)]
    assert given_up(store, "small", trials=(), kinds=["hung"]) == []
    with pytest.raises(SpecError, match=r"--kind completed: what can be retried ended as diverged, error, hung, out_"):
        given_up(store, "small", trials=(), kinds=["completed"])
    with pytest.raises(SpecError, match=r"--trial zz: no trial of small begins so; `sweep status small` lists them"):
        given_up(store, "small", trials=["zz"], kinds=())
    pardon_all(store, rows)
    assert given_up(store, "small", trials=(), kinds=()) == []
    assert Watcher(store, "small").look().failed == ()


def test_every_counted_end_is_pardoned(store: Store) -> None:
    for number in range(1, 5):
        attempt(store, TRIALS[3], number, 0, number, f"error: try {number}")
    rows = given_up(store, "small", trials=[TRIALS[3][:6]], kinds=["error"])
    assert [row.counting for row in rows] == [(1, 2, 3, 4)]
    pardon_all(store, rows)
    attempt(store, TRIALS[3], 5, 0, 6, "error: try 5")
    assert given_up(store, "small", trials=[TRIALS[3]], kinds=()) == []  # one of three allowed


def test_the_history_of_a_trial(store: Store) -> None:
    try:
        raise ValueError("no")
    except ValueError as error:
        keep(store, TRIALS[1], 1, error)
    text = "\n".join(told(history(store, TRIALS[1][:5])))
    for phrase in (
        f"trial {TRIALS[1]}: 1 layers × 16",
        "state: unfinished",
        "attempt 1, claimed",
        "ended at step 9, loss 1.0090: error: ValueError: no",
        "  | ValueError: no",
        "attempt 2, claimed",
        "began at step 8 from initialisation",
        "has not ended in the record: last heard of at step 10, loss 2.0100; it runs, or was lost with its driver",
    ):
        assert phrase in text, phrase
    with pytest.raises(SpecError, match="has no trial that begins with 'nope'"):
        history(store, "nope")


def test_what_is_kept_is_the_exception_and_the_process_s_own_words(store: Store) -> None:
    def fails() -> None:
        raise MemoryError("4 GiB wanted")

    try:
        fails()
    except MemoryError as error:
        keep(store, TRIALS[0], 7, error)
        keep(store, TRIALS[0], 7, RuntimeError("a second one changes nothing"))
    text = read_log(store, TRIALS[0], 7)
    assert text is not None
    assert "in fails" in text
    assert relevant(text, 1) == ["MemoryError: 4 GiB wanted"]
    assert read_log(store, TRIALS[0], 8) is None


def test_the_stacks_of_a_process_that_hung_are_kept_by_whoever_is_left(
    store: Store, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr("tempfile.tempdir", str(tmp_path))
    work = Work(
        trial=PLAN.trials[0].trial,
        attempt=3,
        driver="d",
        results=store.uri,
        assigned=Assigned(workers=1, micro_batch=8, threads=1, cpus=1),
        keep_moments=False,
        checkpoint_seconds=1,
        hang_seconds=0.05,
    )
    with watched(work, 0):
        pass
    assert left_stacks(TRIALS[0], 3) == []
    with watched(work, 0):
        time.sleep(0.3)
    keep_lost(store, TRIALS[0], 3)
    text = read_log(store, TRIALS[0], 3)
    assert text is not None
    assert "its process hung" in text
    assert "test_the_stacks_of_a_process_that_hung" in text
    assert left_stacks(TRIALS[0], 3) == []
    keep_lost(store, TRIALS[0], 4)
    assert read_log(store, TRIALS[0], 4) is None
