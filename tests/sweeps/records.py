"""Records made by hand: what attempts leave, without training."""

from datetime import UTC, datetime
from typing import Any

from sweeps.planning import plan
from sweeps.record import claim, part_name, publish_plan
from sweeps.rows import METRICS, encode
from sweeps.store import Store
from sweeps.views import connect
from tests.sweeps.specs import small

PLAN = plan(small(), "c" * 64, {})
TRIALS = [planned.trial.trial_id for planned in PLAN.trials]


def planned_record(store: Store) -> Store:
    """The store with PLAN in it."""
    publish_plan(store, PLAN, small().model_dump(mode="json"), {"python": "3"})
    return store


def attempt(
    store: Store, trial: str, number: int, resume: int, until: int, end: str | None = None, per_part: int = 4
) -> None:
    """The rows an attempt leaves: steps resume+1..until, each loss naming attempt and step, in parts."""
    claim(store, trial, number, {"driver": "d"})
    position = {"trial_id": trial, "attempt": number, "resume_step": resume, "wall_time": datetime.now(UTC)}
    rows: list[dict[str, Any]] = [position | {"step": resume, "event": "start", "reason": "initialisation"}]
    rows += [position | {"step": step, "loss": number + step / 1000} for step in range(resume + 1, until + 1)]
    if end:
        rows.append(position | {"step": until, "event": "end", "reason": end, "eval_loss": 1.0 + number})
    for seq, row in enumerate(rows):
        row |= {"seq": seq, "tokens": row["step"] * 256, "flops": 1.0}
    for seq in range(0, len(rows), per_part):
        store.publish(part_name(trial, number, seq), encode(rows[seq : seq + per_part], METRICS))


def everything(store: Store) -> dict[str, list[Any]]:
    """All rows of all views, in one order."""
    with connect(store) as connection:
        views = ("plans", "attempts", "trials", "metrics")
        return {view: connection.execute(f"select * from {view} order by all").fetchall() for view in views}
