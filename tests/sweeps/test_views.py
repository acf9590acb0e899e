"""The record through its views: each step once, whatever happened on the way."""

from datetime import datetime, timedelta
from pathlib import Path
from typing import Any

import duckdb
import pandas as pd
import polars as pl
import pyarrow.parquet as pq
import pytest

from sweeps import record
from sweeps.asking import answer
from sweeps.planning import plan
from sweeps.record import claim, find_plan, part_name, publish_plan
from sweeps.rows import METRICS
from sweeps.safe_yaml import SpecError
from sweeps.states import TrialState, states
from sweeps.status import sweep_status, trial_status
from sweeps.store import Store, open_store
from sweeps.views import connect
from tests.sweeps.records import PLAN, TRIALS, attempt, planned_record
from tests.sweeps.specs import small


@pytest.fixture
def store(tmp_path: Path) -> Store:
    return planned_record(open_store(tmp_path))


def losses(store: Store, trial: str) -> list[float]:
    with connect(store) as connection:
        found = connection.execute("select loss from metrics where trial_id = ? order by step", [trial]).fetchall()
    return [loss for (loss,) in found]


def test_an_undisturbed_attempt(store: Store) -> None:
    attempt(store, TRIALS[0], 1, 0, 9, "completed")
    assert losses(store, TRIALS[0]) == [1 + step / 1000 for step in range(1, 10)]


def test_what_a_later_attempt_recomputed_is_dropped(store: Store) -> None:
    attempt(store, TRIALS[0], 1, 0, 9)
    attempt(store, TRIALS[0], 2, 6, 12, "completed")
    attempt(store, TRIALS[1], 1, 0, 9, "completed")
    expected = [1 + step / 1000 for step in range(1, 7)] + [2 + step / 1000 for step in range(7, 13)]
    assert losses(store, TRIALS[0]) == expected
    assert losses(store, TRIALS[1]) == [1 + step / 1000 for step in range(1, 10)]


def test_three_attempts_one_of_which_went_back_further(store: Store) -> None:
    attempt(store, TRIALS[0], 1, 0, 9)
    attempt(store, TRIALS[0], 2, 8, 11)
    attempt(store, TRIALS[0], 3, 4, 12, "completed")
    assert losses(store, TRIALS[0]) == [1 + s / 1000 for s in range(1, 5)] + [3 + s / 1000 for s in range(5, 13)]


def test_an_attempt_that_wrote_nothing_drops_nothing(store: Store) -> None:
    attempt(store, TRIALS[0], 1, 0, 9)
    claim(store, TRIALS[0], 2, {"driver": "d"})
    assert len(losses(store, TRIALS[0])) == 9


def test_states(store: Store) -> None:
    attempt(store, TRIALS[0], 1, 0, 9, "interrupted: SIGTERM")
    attempt(store, TRIALS[0], 2, 9, 25, "completed")
    attempt(store, TRIALS[1], 1, 0, 3)
    with connect(store) as connection:
        found = states(connection, TRIALS)
        status = dict(connection.execute("select trial_id, status from trials").fetchall())
    assert found == {
        TRIALS[0]: TrialState(endings=("interrupted: SIGTERM", "completed"), eval_loss=3.0, owner=None),
        TRIALS[1]: TrialState(endings=(None,), eval_loss=None, owner="d"),
    }
    assert status == {TRIALS[0]: "completed", TRIALS[1]: "unfinished", TRIALS[2]: "planned", TRIALS[3]: "planned"}
    row = sweep_status(store)[0]
    assert (row["trials"], row["completed"], row["unfinished"], row["planned"]) == (4, 1, 1, 2)
    assert [(r["status"], r["step"]) for r in trial_status(store, "small")][:2] == [
        ("completed", 25),
        ("unfinished", 3),
    ]


def test_other_tools_read_the_files_directly(store: Store, tmp_path: Path) -> None:
    attempt(store, TRIALS[0], 1, 0, 9, "completed")
    part = tmp_path / part_name(TRIALS[0], 1, 0)
    assert pd.read_parquet(part)["loss"].count() == 3
    assert pl.read_parquet(part)["loss"].count() == 3
    assert duckdb.sql(f"select count(loss) from '{tmp_path}/metrics/*.parquet'").fetchall() == [(9,)]
    assert pq.read_schema(part).field("trial_id").type == METRICS.field("trial_id").type


def test_missing_is_null_and_never_zero(store: Store) -> None:
    attempt(store, TRIALS[0], 1, 0, 3, "completed")
    rows = answer(store, "select grad_norm, eval_loss from metrics").to_pylist()
    assert rows == [{"grad_norm": None, "eval_loss": None}] * 3


def test_plans_are_found_by_name_and_hash(store: Store) -> None:
    assert find_plan(store, "small").plan == PLAN.hash
    assert find_plan(store, f"small@{PLAN.hash[:5]}").trial_ids == TRIALS
    with pytest.raises(SpecError, match=r"there is no sweep 'smal' in .*; sweeps there: small"):
        find_plan(store, "smal")


def test_the_same_plan_is_recorded_once(store: Store) -> None:
    publish_plan(store, PLAN, small().model_dump(mode="json"), {})
    assert answer(store, "select count(*) as n from plans").to_pylist() == [{"n": 4}]


@pytest.mark.parametrize(
    ("sql", "message"),
    [
        ("select * from trials; select 1", "a query is one SELECT"),
        ("copy trials to '/tmp/x.csv'", "a query is one SELECT"),
        ("attach '/tmp/x.db'", "a query is one SELECT"),
        ("install httpfs", "a query is one SELECT"),
        ("load httpfs", "a query is one SELECT"),
        ("set memory_limit = '1TB'", "a query is one SELECT"),
        ("create table t as select 1", "a query is one SELECT"),
        ("delete from claims", "a query is one SELECT"),
        ("", "a query is one SELECT"),
        ("selec 1", "this is not SQL"),
        ("select * from read_text('/etc/hostname')", "the query was refused: Permission Error"),
        ("select * from '/etc/hostname'", "the query was refused"),
        ("select * from glob('/*')", "the query was refused"),
        ("select * from read_csv('https://localhost/x')", "the query was refused"),
        ("select getenv('HOME')", "the query was refused"),
        ("select * from nothing", "the query was refused: Catalog Error"),
        ("select sum(a.range * b.range) from range(10000000) a, range(10000000) b", "took longer than 3 s"),
        ("select length(repeat('x', 2000000000)) + length(repeat('y', 2000000000))", "more than 500 MB of memory"),
    ],
)  # fmt: skip
def test_the_box_keeps_everything_else_out(store: Store, sql: str, message: str) -> None:
    with pytest.raises(SpecError) as refused:
        answer(store, sql, seconds=3 if "took longer" in message else 60, memory_mb=500)
    assert message in str(refused.value)


def test_the_last_plan_is_the_last_though_the_clock_went_back(store: Store, monkeypatch: pytest.MonkeyPatch) -> None:
    class Earlier(datetime):
        @classmethod
        def now(cls, tz: Any = None) -> datetime:
            return datetime.now(tz) - timedelta(hours=1)

    monkeypatch.setattr(record, "datetime", Earlier)
    grown = plan(small(grid={"depths": [1, 2, 3]}), "c" * 64, {})
    publish_plan(store, grown, {}, {})
    assert find_plan(store, "small").plan == grown.hash
