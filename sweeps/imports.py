"""Outside tables in the record: a plan whose trials are the table's rows, and their ends in one file.

An imported trial has no attempt that somebody claimed, no steps but its last, and the row itself as identity: the same
row imported twice is one trial, a mended row is another, and the sweep's latest plan says which of them count. The
rows lie in one file of `compact/`, as if the trials had been trained here and merged; views, status and analysis need
not know the difference.
"""

from __future__ import annotations

import json
import re
from collections.abc import Mapping, Sequence
from datetime import UTC, datetime
from typing import Any

from sweeps.compacted import COVERS, compacted
from sweeps.record import parts, publish_plan_rows
from sweeps.rows import METRICS, encode
from sweeps.safe_yaml import SpecError
from sweeps.store import AlreadyPublished, Store
from sweeps.trial import digest

SWEEP_NAME = re.compile(r"[a-z0-9][a-z0-9._-]{0,62}")
# What a row is to the record; all of it is identity. Depth, width, params, tokens, run and status are never null.
KEYS = (
    "trial_id",
    "run",
    "depth",
    "width",
    "params",
    "params_total",
    "tokens",
    "loss",
    "loss_se",
    "seed",
    "learning_rate",
    "status",
    "flag",
    "rate_error",
    "counting",
)


def publish_import(
    store: Store, sweep: str, rows: Sequence[Mapping[str, Any]], *, notes: Sequence[str], facts: Mapping[str, Any]
) -> tuple[str, int]:
    """Record the rows of a loss table (KEYS) as the sweep's plan and its trials' ends; plan hash and new trials.

    facts   where the table is from, for the plan's footer, in place of a spec

    Raises SpecError for a name that is not one.
    """
    if not SWEEP_NAME.fullmatch(sweep):
        raise SpecError(
            f"--name {sweep!r} cannot name a sweep: lower-case letters, digits, '.', '-' and '_', 63 at the most, the "
            "first a letter or a digit"
        )
    trials = {imported_id(row): row for row in rows}
    plan = digest([sweep, sorted(trials)])[:12]
    known = {trial for whole in compacted(store) for trial in whole.covers} | {match["trial"] for match in parts(store)}
    new = {trial: row for trial, row in trials.items() if trial not in known}
    now = datetime.now(UTC)
    if new:
        ends = [line for trial, row in sorted(new.items()) for line in _lines(trial, row, now)]
        name = f"compact/{digest(sorted(new))[:16]}.parquet"
        try:
            store.publish(name, encode(ends, METRICS, {COVERS: json.dumps(dict.fromkeys(sorted(new), 1))}))
        except AlreadyPublished:
            new = {}
    footer = {
        "interplay.imported": json.dumps(dict(facts), sort_keys=True),
        "interplay.notes": json.dumps(list(notes)),
        "interplay.waiting": "[]",
    }
    planned = [_plan_row(sweep, plan, place, trial, row, now) for place, (trial, row) in enumerate(trials.items())]
    publish_plan_rows(store, sweep, plan, planned, footer)
    return plan, len(new)


def imported_id(row: Mapping[str, Any]) -> str:
    """Of the row's every value: 16 hex digits, as of any trial."""
    return digest({"imported": {key: row.get(key) for key in KEYS}})[:16]


def _lines(trial: str, row: Mapping[str, Any], now: datetime) -> list[dict[str, Any]]:
    """The one step of an imported trial that is known, and its end."""
    step = {
        "trial_id": trial,
        "attempt": 1,
        "resume_step": 0,
        "seq": 0,
        "step": 1,
        "tokens": round(row["tokens"]),
        "flops": 6.0 * row["params"] * row["tokens"],
        "eval_loss": row["loss"],
        "eval_loss_se": row["loss_se"],
        "wall_time": now,
    }
    return [step, step | {"seq": 1, "event": "end", "reason": row["status"]}]


def _plan_row(sweep: str, plan: str, place: int, trial: str, row: Mapping[str, Any], now: datetime) -> dict[str, Any]:
    """Steps and FLOPs stay null: the table does not say them."""
    copied = (
        "run",
        "depth",
        "width",
        "params",
        "params_total",
        "tokens",
        "seed",
        "learning_rate",
        "counting",
        "flag",
        "rate_error",
    )
    return {
        "sweep": sweep,
        "plan": plan,
        "planned_at": now,
        "position": place,
        "trial_id": trial,
        "purpose": "result",
        "config": json.dumps({"imported": row["trial_id"]}),
    } | {key: row[key] for key in copied}
