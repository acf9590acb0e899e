"""Everything the report needs from the record, read once."""

from __future__ import annotations

import json
from collections import Counter
from dataclasses import dataclass
from datetime import UTC, datetime
from typing import Any

import pandas as pd

from analysis.record_losses import record_losses
from sweeps.record import find_plan
from sweeps.store import Store
from sweeps.views import connect

TRIALS = """
    with done as (select trial_id, max(step) as step, max(wall_time) as seen, arg_max(loss, step) as loss,
                         median(tokens_per_second) as pace, sum(step_seconds) as seconds from metrics group by 1),
    last as (select trial_id, arg_max(device, attempt) as device, arg_max(host, attempt) as host,
                    arg_max(workers, attempt) as workers from claims group by 1)
    select p.position as n, t.trial_id, p.purpose, t.family, t.depth, t.width, t.params, t.params_total, t.tokens,
           t.seed, t.learning_rate, t.status, t.attempts, d.step, t.last_step, coalesce(t.loss, d.loss) as loss,
           t.eval_loss, t.eval_loss_se, d.pace, d.seconds, d.seen, l.device, l.host, l.workers
    from plans p join trials t using (trial_id) left join done d using (trial_id) left join last l using (trial_id)
    where p.sweep = ? and p.plan = ? order by p.position
"""

# Eight points of a training curve for each doubling of its steps look continuous and keep a page small.
CURVES = """
    select trial_id, max(tokens) as tokens, avg(loss) as loss
    from metrics where loss is not null and trial_id in (select trial_id from plans where sweep = ? and plan = ?)
    group by trial_id, floor(8 * log2(greatest(step, 1))) order by trial_id, tokens
"""

PLACES = """
    select device, host, workers, threads, versions, count(*) as attempts, min(claimed_at) as first
    from claims where trial_id in (select trial_id from plans where sweep = ? and plan = ?)
    group by all order by first
"""


@dataclass(frozen=True, slots=True, kw_only=True)
class Reading:
    """A sweep as its record has it at one moment.

    trials      one row a planned trial, in the plan's order; `state` is the kind of its status, `reason` the rest
    curves      by trial: (tokens seen, training loss), averaged over steps evenly spaced in their logarithm
    losses      the loss table (analysis.losses)
    places      device, host, workers, threads and versions of attempts, each combination once
    spec, notes, waiting, versions   of the plan's footer; `imported`, where a table that is no sweep of ours is from
    """

    sweep: str
    plan: str
    planned_at: datetime
    read_at: datetime
    trials: tuple[dict[str, Any], ...]
    curves: dict[str, tuple[list[float], list[float]]]
    losses: pd.DataFrame
    places: tuple[dict[str, Any], ...]
    spec: dict[str, Any]
    imported: dict[str, Any]
    notes: tuple[str, ...]
    waiting: tuple[str, ...]
    versions: dict[str, str]
    numerics: tuple[int, ...]
    corpora: tuple[str, ...]

    @property
    def states(self) -> Counter[str]:
        """Trials by state."""
        return Counter(trial["state"] for trial in self.trials)

    @property
    def running(self) -> bool:
        """Whether something is still to come: a trial planned, unfinished, or waited for."""
        return bool(self.waiting) or any(trial["state"] in UNENDED for trial in self.trials)


# States after which a trial goes on, or has not begun.
UNENDED = frozenset({"planned", "unfinished", "interrupted", "lost"})


def read(store: Store, sweep: str) -> Reading:
    """The sweep's record now. Raises NoSuchSweep, RecordError."""
    plan = find_plan(store, sweep)
    key = [plan.sweep, plan.plan]
    with connect(store) as connection:
        trials = connection.sql(TRIALS, params=key).to_arrow_table().to_pylist()
        points = connection.sql(CURVES, params=key).fetchall()
        places = connection.sql(PLACES, params=key).to_arrow_table().to_pylist()
    for trial in trials:
        trial["state"], _, trial["reason"] = trial["status"].partition(": ")
    curves: dict[str, tuple[list[float], list[float]]] = {}
    for trial, tokens, loss in points:
        xs, ys = curves.setdefault(trial, ([], []))
        xs.append(float(tokens))
        ys.append(float(loss))
    configs = [json.loads(config) for config in plan.rows.column("config").to_pylist()]
    corpora = [corpus for corpus in plan.rows.column("corpus").to_pylist() if corpus]
    return Reading(
        sweep=plan.sweep,
        plan=plan.plan,
        planned_at=plan.planned_at,
        read_at=datetime.now(UTC),
        trials=tuple(trials),
        curves=curves,
        losses=record_losses(store, f"{plan.sweep}@{plan.plan}"),
        places=tuple(place | {"versions": dict(place["versions"] or [])} for place in places),
        spec=json.loads(plan.footer.get("interplay.spec", "{}")),
        imported=json.loads(plan.footer.get("interplay.imported", "{}")),
        notes=tuple(json.loads(plan.footer.get("interplay.notes", "[]"))),
        waiting=tuple(reason for _, _, reason in json.loads(plan.footer.get("interplay.waiting", "[]"))),
        versions=json.loads(plan.footer.get("interplay.versions", "{}")),
        numerics=tuple(sorted({c["numerics_version"] for c in configs if "numerics_version" in c})),
        corpora=tuple(dict.fromkeys(corpora)),
    )
