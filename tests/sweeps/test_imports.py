"""Imported rows in the record: seen by every view, each once, whatever is imported again."""

from pathlib import Path
from typing import Any

import pytest

from sweeps.imports import KEYS, publish_import
from sweeps.record import find_plan
from sweeps.safe_yaml import SpecError
from sweeps.status import sweep_status
from sweeps.store import Store, open_store
from sweeps.views import connect


@pytest.fixture
def store(tmp_path: Path) -> Store:
    return open_store(tmp_path)


def row(depth: int, loss: float | None, **others: Any) -> dict[str, Any]:
    known = {"run": f"r{depth}", "width": 64, "params": 12 * depth * 64**2, "tokens": 1e9, "status": "completed"}
    return dict.fromkeys(KEYS) | {"trial_id": f"row {depth}", "depth": depth, "loss": loss} | known | others


def publish(store: Store, rows: list[dict[str, Any]], sweep: str = "theirs") -> tuple[str, int]:
    return publish_import(store, sweep, rows, notes=["from a test"], facts={"file": "runs.csv"})


def asked(store: Store, sql: str) -> list[tuple[Any, ...]]:
    with connect(store) as connection:
        return connection.execute(sql).fetchall()


def test_every_view_has_them(store: Store) -> None:
    publish(store, [row(2, 3.0, counting="all", rate_error=0.01), row(4, None, status="diverged", flag="odd")])
    assert asked(store, "select depth, status, eval_loss, step from trials order by depth") == [
        (2, "completed", 3.0, 1),
        (4, "diverged", None, 1),
    ]
    assert asked(store, "select counting, rate_error, flag from plans order by depth") == [
        ("all", 0.01, None),
        (None, None, "odd"),
    ]
    assert asked(store, "select count(*), min(eval_loss), max(tokens) from metrics") == [(2, 3.0, 10**9)]
    assert [(line["trials"], line["completed"], line["unusable"]) for line in sweep_status(store)] == [(2, 1, 1)]


def test_the_same_table_again_adds_nothing_and_a_longer_one_only_what_is_new(store: Store) -> None:
    plan, new = publish(store, [row(2, 3.0), row(4, 2.9)])
    assert new == 2
    assert publish(store, [row(2, 3.0), row(4, 2.9)]) == (plan, 0)
    longer, new = publish(store, [row(2, 3.0), row(4, 2.9), row(8, 2.8)])
    assert new == 1
    assert longer != plan
    assert asked(store, "select count(*) from metrics") == [(3,)]
    assert len(find_plan(store, "theirs").trial_ids) == 3


def test_a_mended_row_is_another_trial_and_the_latest_plan_has_it(store: Store) -> None:
    publish(store, [row(2, 3.0)])
    publish(store, [row(2, 2.5)])
    wanted = find_plan(store, "theirs").trial_ids
    assert asked(store, f"select eval_loss from trials where trial_id = '{wanted[0]}'") == [(2.5,)]


def test_a_name_that_is_none_is_refused(store: Store) -> None:
    with pytest.raises(SpecError, match="--name 'My Runs' cannot name a sweep: lower-case letters"):
        publish(store, [row(2, 3.0)], sweep="My Runs")
