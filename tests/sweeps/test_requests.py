"""What people ask of a sweep: made once, never changed, and read where it counts."""

from pathlib import Path

import pytest

from orchestrator.failures import is_final
from sweeps.record import publish_plan
from sweeps.requests import ask_to_stop, asked_to_stop, pardon, pardons
from sweeps.states import states
from sweeps.store import Store, open_store
from sweeps.views import connect
from tests.sweeps.specs import small
from tests.sweeps.test_views import PLAN, TRIALS, attempt


@pytest.fixture
def store(tmp_path: Path) -> Store:
    store = open_store(tmp_path)
    publish_plan(store, PLAN, small().model_dump(mode="json"), {})
    return store


def test_the_first_request_to_stop_stands(store: Store, monkeypatch: pytest.MonkeyPatch) -> None:
    assert asked_to_stop(store, "host-1-abc") is None
    monkeypatch.setenv("LOGNAME", "ada")
    assert ask_to_stop(store, "host-1-abc")["user"] == "ada"
    monkeypatch.setenv("LOGNAME", "bob")
    assert ask_to_stop(store, "host-1-abc")["user"] == "ada"
    assert asked_to_stop(store, "host-1-abc") == ask_to_stop(store, "host-1-abc")
    assert asked_to_stop(store, "host-2-def") is None


def test_a_pardoned_end_no_longer_counts_and_is_still_there(store: Store) -> None:
    attempt(store, TRIALS[0], 1, 0, 4, "diverged: the loss is nan at step 4")
    attempt(store, TRIALS[1], 1, 0, 4, "diverged: the loss is nan at step 4")
    assert pardon(store, TRIALS[0], 1)
    assert not pardon(store, TRIALS[0], 1)
    assert pardons(store) == [(TRIALS[0], 1)]
    with connect(store) as connection:
        known = states(connection, TRIALS)
        status = dict(connection.execute("select trial_id, status from trials").fetchall())
        ended = connection.execute("select ended from attempts where trial_id = ?", [TRIALS[0]]).fetchall()
    assert [is_final(known[trial].endings, 3) for trial in TRIALS[:2]] == [False, True]
    assert known[TRIALS[0]].endings == ("pardoned: diverged: the loss is nan at step 4",)
    assert (status[TRIALS[0]], status[TRIALS[1]][:8]) == ("unfinished", "diverged")
    assert ended == [("diverged: the loss is nan at step 4",)]


def test_the_attempt_after_a_pardon_counts_again(store: Store) -> None:
    attempt(store, TRIALS[0], 1, 0, 4, "diverged: x")
    pardon(store, TRIALS[0], 1)
    attempt(store, TRIALS[0], 2, 0, 4, "diverged: y")
    with connect(store) as connection:
        known = states(connection, TRIALS)
        status = dict(connection.execute("select trial_id, status from trials").fetchall())
    assert is_final(known[TRIALS[0]].endings, 3)
    assert status[TRIALS[0]] == "diverged: y"
