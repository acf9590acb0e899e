"""Every number of docs/two-cores.md, from the committed record."""

from __future__ import annotations

from typing import Any

import numpy as np
import pandas as pd

from analysis.catalogue import published
from analysis.cells import SAME_BUDGET, Cells, budgets, cells_of
from analysis.crossings import Crossing, Verdict, adjacent, crossings
from analysis.losses import checked, used
from analysis.record_losses import record_losses
from analysis.study import Study, by_size, measured_noise, study
from sweeps.record import find_plan
from sweeps.store import Store
from sweeps.views import connect

MAIN, RATES, VOCABULARY = "two-cores", "two-cores-rates", "two-cores-vocabulary"
LAW = "levine2020"
TOKENS = 8e6  # the budget that is concluded from; the smaller ones show what tokens change


def studies(store: Store) -> dict[float, Study]:
    """Of each of the sweep's token budgets, smallest first."""
    rows = record_losses(store, MAIN)
    return {tokens: study(rows, tokens=tokens, laws=(LAW,)) for tokens in sorted(budgets(checked(rows)))}


def numbers(store: Store, made: dict[float, Study]) -> dict[str, Any]:
    """Everything the page says, as JSON has it."""
    rows, other = record_losses(store, MAIN), record_losses(store, VOCABULARY)
    early, late = sorted(budgets(checked(other)))
    return {
        "history": [history(store, MAIN), history(store, RATES, without=MAIN), history(store, VOCABULARY)],
        "proxies": proxies(store, MAIN),
        "rate": float(rows["learning_rate"].iloc[0]),
        "rate_error": float(rows["rate_error"].max()),
        "budgets": [budget(one) for one in made.values()],
        "rates": other_rates(rows, record_losses(store, RATES)),
        "vocabulary": {
            "early": losses(cells_of(checked(other), early)),
            **budget(study(other, tokens=late, laws=(LAW,))),
        },
        "counted_whole": [
            {"tokens": TOKENS, "crossings": counted_whole(rows, TOKENS)},
            {"tokens": late, "crossings": counted_whole(other, late)},
        ],
        "paper": published(LAW)[1].values,
    }


def history(store: Store, sweep: str, without: str | None = None) -> dict[str, Any]:
    """What the record says of a run itself, less what another sweep had trained before it: hours, resumes, failures."""
    trials = asked(
        store,
        sweep,
        """
        select count(*) as trainings, count(*) filter (where purpose = 'result') as results,
               count(distinct (depth, width)) filter (where purpose = 'result') as shapes,
               sum((last_step - first_step) * batch_tokens) as tokens, sum(flops) as flops,
               sum(attempts - 1) as resumes, count(*) filter (where status <> 'completed') as failures
        from trials join mine using (trial_id)
        """,
        without,
    )[0]
    # no step of these networks takes a minute: between two that are so far apart the sweep stood still
    clock = asked(
        store,
        sweep,
        """,
        steps as (select wall_time, step_seconds from metrics join mine using (trial_id)),
        gaps as (select epoch(wall_time - lag(wall_time) over (order by wall_time)) as seconds from steps)
        select sum(seconds) filter (where seconds < 60) / 3600 as hours,
               count(*) filter (where seconds >= 60) as pauses,
               (select sum(step_seconds) / 3600 from steps) as core_hours
        from gaps
        """,
        without,
    )[0]
    counted = {name: None if value is None else float(value) for name, value in trials.items()}
    # DuckDB adds in whatever order its threads end, and the last digits of a sum go by that
    return {"sweep": sweep} | counted | {name: round(float(value), 6) for name, value in clock.items()}


def proxies(store: Store, sweep: str) -> list[dict[str, Any]]:
    """Losses of the networks on which the rate was tuned."""
    return asked(
        store,
        sweep,
        "select learning_rate as rate, eval_loss as loss from trials join mine using (trial_id) "
        "where purpose = 'proxy' order by rate",
    )


def asked(store: Store, sweep: str, sql: str, without: str | None = None) -> list[dict[str, Any]]:
    """Rows of a SELECT that sees the trials of the sweep's plan as `mine`, less those of the plan of `without`."""
    plan, other = find_plan(store, sweep), find_plan(store, without) if without else None
    mine = """
        with mine as (
            select trial_id from plans where sweep = ? and plan = ?
            except select trial_id from plans where sweep = ? and plan = ?
        )
    """
    params = [plan.sweep, plan.plan, other and other.sweep, other and other.plan]  # null is equal to nothing
    with connect(store) as connection:
        rows: list[dict[str, Any]] = connection.sql(f"{mine} {sql}", params=params).to_arrow_table().to_pylist()
    return rows


def budget(made: Study) -> dict[str, Any]:
    """One token budget: losses by size and depth, noise, crossings, law."""
    return {
        "tokens": made.cells.tokens,
        "networks": len(made.cells.loss),
        "runs": made.cells.rows,
        "noise": made.noise.sd,
        "noise_source": made.noise.source,
        "scatter": scatter(made),
        "losses": losses(made.cells),
        "transition": made.transition,
        "crossings": [said_of(one) for one in adjacent(made.crossings)],
        "law": law(made),
    }


def losses(cells: Cells) -> list[dict[str, Any]]:
    return [{"params": row.params, "best": row.best, "by_depth": row.losses} for row in by_size(cells)]


def scatter(made: Study) -> dict[str, Any] | None:
    """How unlike in noise the cells of three seeds or more are: the median standard deviation, and the worst cell."""
    sds = {
        label: float(np.std(deviations, ddof=1))
        for label, deviations in zip(made.cells.labels, made.cells.deviations, strict=True)
        if len(deviations) > 2
    }
    if not sds:
        return None
    worst = max(sds, key=lambda label: sds[label])
    place = made.cells.labels.index(worst)
    each = sorted(float(made.cells.loss[place] + deviation) for deviation in made.cells.deviations[place])
    return {"cells": len(sds), "median": float(np.median(list(sds.values()))), "worst": worst, "losses": each}


def said_of(one: Crossing) -> dict[str, Any]:
    return {
        "pair": f"{one.shallow:g} → {one.deep:g}",
        "verdict": one.verdict,
        "params": one.params,
        "interval": one.interval,
        "flags": one.flags,
    }


def law(made: Study) -> dict[str, Any]:
    """The paper's law as fitted, constants with their intervals; or why not."""
    if LAW not in made.fits:
        return {"refused": made.refused[LAW]}
    fit = made.fits[LAW]
    return {"status": fit.status, "values": fit.law.values, "intervals": fit.intervals, "notes": fit.notes}


def other_rates(rows: pd.DataFrame, tried: pd.DataFrame) -> dict[str, Any]:
    """What half and twice the rate do to the cells that were tried at them, and to the crossings beside these.

    A crossing is computed again with the cells' losses replaced: all at the same factor, each at the best of the three,
    each alone at half and at twice. The replacements have the seeds that were tried, also where the factor is 1 and the
    sweep has more. The noise is that of the sweep as it was.
    """
    rows, tried = ended_at(rows), ended_at(tried)
    (base,) = set(rows["learning_rate"])
    rows = rows.assign(factor=1.0, cell=cell(rows))
    tried = tried.assign(factor=(tried["learning_rate"] / base).round(3), cell=cell(tried))
    near = sorted(set(tried["cell"]))
    same = rows[rows["cell"].isin(near) & rows["seed"].isin(tried["seed"])]
    known = pd.concat([same, tried])
    means = known.groupby(["cell", "factor"])["loss"].mean().unstack()
    depths = set(tried["depth"])
    plain = [one for one in adjacent(crossed(rows)) if {one.shallow, one.deep} <= depths]

    def moved(name: str, factors: dict[str, float]) -> dict[str, Any]:
        kept = rows[~rows["cell"].isin(factors)]
        swapped = [known[(known["cell"] == one) & (known["factor"] == factor)] for one, factor in factors.items()]
        now = {(one.shallow, one.deep): one for one in adjacent(crossed(pd.concat([kept, *swapped]), like=rows))}
        pairs = [(now[was.shallow, was.deep], was) for was in plain if (was.shallow, was.deep) in now]
        return {"case": name, "crossings": [said_of(one) | {"within": within(one, was)} for one, was in pairs]}

    best = {name: float(means.loc[name].idxmin()) for name in near}
    cases = [moved(f"all at {factor:g} ×", dict.fromkeys(near, factor)) for factor in sorted(set(known["factor"]))]
    cases.append(moved("each at its best", best))
    tries = sorted(set(tried["factor"]))
    cases += [moved(f"{name} alone at {factor:g} ×", {name: factor}) for name in near for factor in tries]
    return {
        "seeds": sorted({int(seed) for seed in tried["seed"]}),
        "cells": [
            {"cell": name, "losses": {f"{factor:g}": loss for factor, loss in means.loc[name].items()}} for name in near
        ],
        "crossings": [said_of(one) for one in plain],
        "cases": cases,
    }


def counted_whole(rows: pd.DataFrame, tokens: float) -> list[dict[str, Any]]:
    """The crossings if N counted embedding and head too."""
    whole = checked(rows.assign(params=rows["params_total"], counting="all parameters"))
    cells = cells_of(whole, tokens)
    return [said_of(one) for one in adjacent(crossings(cells, measured_noise(cells)))]


def ended_at(rows: pd.DataFrame) -> pd.DataFrame:
    """The losses at TOKENS."""
    table = used(checked(rows))
    return table[np.abs(np.log(table["tokens"] / TOKENS)) < np.log(SAME_BUDGET)]


def cell(rows: pd.DataFrame) -> pd.Series[str]:
    return rows["depth"].astype(int).astype(str) + "×" + rows["width"].astype(int).astype(str)


def crossed(rows: pd.DataFrame, like: pd.DataFrame | None = None) -> tuple[Crossing, ...]:
    """Every pair's crossing, under the noise of the rows themselves or of `like`."""
    noise = measured_noise(cells_of(checked(rows if like is None else like), TOKENS))
    return crossings(cells_of(checked(rows), TOKENS), noise)


def within(now: Crossing, was: Crossing) -> bool | None:
    """Whether the place of a crossing is in the interval that it had; None where it has or had none."""
    if now.params is None or was.verdict not in (Verdict.CROSSES, Verdict.LIKELY):
        return None
    low, high = was.interval
    return (low or 0.0) <= now.params <= (high or np.inf)
