"""A sweep's record as a loss table: one row for each training that was asked for its loss."""

from __future__ import annotations

import json

import pandas as pd

from sweeps.record import find_plan
from sweeps.store import Store
from sweeps.views import connect


def record_losses(store: Store, sweep: str) -> pd.DataFrame:
    """The loss table (analysis.losses) of a sweep's plan, every planned training in it, finished or not.

    The loss is the held-out one at the end. Raises NoSuchSweep, RecordError.
    """
    plan = find_plan(store, sweep)
    with connect(store) as connection:
        table = connection.sql(
            """
            select t.trial_id, p.run, t.depth, t.width, t.params, t.params_total, t.tokens, t.eval_loss as loss,
                   t.eval_loss_se as loss_se, t.seed, t.learning_rate, p.rate_log_error, t.vocabulary, t.context,
                   split_part(t.status, ':', 1) as status
            from plans p join trials t using (trial_id)
            where p.sweep = ? and p.plan = ? and p.purpose = 'result' order by p.position
            """,
            params=[plan.sweep, plan.plan],
        ).to_arrow_table()
    rows: pd.DataFrame = table.to_pandas()
    rows["flag"] = pd.Series([None] * len(rows), dtype="object")
    return rows


def sweep_notes(store: Store, sweep: str) -> list[str]:
    """What the plan noted: cells left out, a best rate at the edge."""
    notes: list[str] = json.loads(find_plan(store, sweep).footer.get("interplay.notes", "[]"))
    return notes
