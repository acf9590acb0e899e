"""How far sweeps are, from the record alone."""

from __future__ import annotations

from collections import Counter
from typing import Any

from sweeps.record import PlanFile, find_plan, plan_names, read_plan
from sweeps.store import Store
from sweeps.views import connect


def sweep_status(store: Store) -> list[dict[str, Any]]:
    """For each sweep's latest plan: trials in all, and by state."""
    latest: dict[str, PlanFile] = {}
    for name, plan in plan_names(store):
        file = read_plan(store, name, plan)
        if name not in latest or file.planned_at > latest[name].planned_at:
            latest[name] = file
    rows = []
    with connect(store) as connection:
        states = dict(connection.execute("select trial_id, split_part(status, ':', 1) from trials").fetchall())
    for name, file in sorted(latest.items()):
        counts = Counter(states[trial] for trial in file.trial_ids)
        unusable = counts["diverged"] + counts["stopped"]
        unfinished = counts.total() - counts["completed"] - unusable - counts["planned"]
        rows.append(
            {
                "sweep": name,
                "plan": file.plan,
                "trials": counts.total(),
                "completed": counts["completed"],
                "unusable": unusable,
                "unfinished": unfinished,
                "planned": counts["planned"],
            }
        )
    return rows


def trial_status(store: Store, sweep: str) -> list[dict[str, Any]]:
    """Every trial of a sweep's plan in its order: shape, state, steps done, loss. Raises NoSuchSweep."""
    plan = find_plan(store, sweep)
    with connect(store) as connection:
        found = connection.sql(
            """
            with done as (select trial_id, max(step) as step, arg_max(loss, step) as loss from metrics group by 1)
            select p.position as n, t.trial_id, p.purpose, t.depth, t.width, t.params, t.tokens, t.seed,
                   t.learning_rate, t.status, t.attempts, d.step, t.last_step, coalesce(t.loss, d.loss) as loss,
                   t.eval_loss
            from plans p join trials t using (trial_id) left join done d using (trial_id)
            where p.sweep = ? and p.plan = ? order by p.position
            """,
            params=[plan.sweep, plan.plan],
        ).to_arrow_table()
        rows: list[dict[str, Any]] = found.to_pylist()
    return rows
