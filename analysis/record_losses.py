"""A sweep's record as a loss table: one row for each training that was asked for its loss."""

from __future__ import annotations

import json

import numpy as np
import pandas as pd

from analysis.law import BLOCKS_ALONE
from analysis.rates import rate_curvature
from sweeps.record import find_plan
from sweeps.store import Store
from sweeps.views import connect


def record_losses(store: Store, sweep: str) -> pd.DataFrame:
    """The loss table (analysis.losses) of a sweep's plan, every planned training in it, finished or not.

    The loss is the held-out one at the end. `rate_error` of a row whose learning rate was tuned on proxies is
    curvature × rate_log_error², the expected rise of a parabola missed by that much in ln(rate), with the curvature
    of the proxies' own losses. Raises NoSuchSweep, RecordError.
    """
    plan = find_plan(store, sweep)
    with connect(store) as connection:
        table = connection.sql(
            """
            select t.trial_id, p.run, t.depth, t.width, t.params, t.params_total, t.tokens, t.eval_loss as loss,
                   t.eval_loss_se as loss_se, t.seed, t.learning_rate, p.rate_log_error, t.vocabulary, t.context,
                   split_part(t.status, ':', 1) as status, p.purpose, p.flag, p.rate_error, p.counting
            from plans p join trials t using (trial_id)
            where p.sweep = ? and p.plan = ? and p.purpose <> 'trunk' order by p.position
            """,
            params=[plan.sweep, plan.plan],
        ).to_arrow_table()
    whole: pd.DataFrame = table.to_pandas()
    rows = whole[whole["purpose"] == "result"].drop(columns="purpose").reset_index(drop=True)
    rows["flag"] = rows["flag"].astype("object").where(rows["flag"].notna(), None)
    rows["counting"] = rows["counting"].astype("object").where(rows["counting"].notna(), BLOCKS_ALONE)
    tuned = rows["rate_log_error"].notna()
    if tuned.any():
        curvature = _proxy_curvature(whole[whole["purpose"] == "proxy"])
        rows.loc[tuned & rows["rate_error"].isna(), "rate_error"] = curvature * rows["rate_log_error"] ** 2
    return rows


def sweep_notes(store: Store, sweep: str) -> list[str]:
    """What the plan noted: cells left out, a best rate at the edge."""
    notes: list[str] = json.loads(find_plan(store, sweep).footer.get("interplay.notes", "[]"))
    return notes


def _proxy_curvature(proxies: pd.DataFrame) -> float:
    """Nats per (ln rate)², NaN where fewer than three proxies have a loss."""
    known = proxies[proxies["loss"].notna() & proxies["learning_rate"].notna()].sort_values("learning_rate")
    log_rates = np.log(known["learning_rate"].to_numpy(float))
    return rate_curvature(log_rates, known["loss"].to_numpy(float))
