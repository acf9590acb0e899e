"""From the committed record to every number and figure of docs/two-cores.md: make reproduce.

    python examples/two-cores/reproduce.py           numbers.json and report.html here, docs/two-cores.md, figures
    python examples/two-cores/reproduce.py --check   writes nothing; exit 1 where numbers or page would change

The words of the page are in page.md; its `{names}` are what is computed here.
"""

from __future__ import annotations

import argparse
import json
import subprocess
import sys
from pathlib import Path
from typing import Any

import numpy as np
import pandas as pd
from matplotlib.figure import Figure

from analysis.catalogue import published
from analysis.cells import budgets
from analysis.crossings import Crossing, Verdict, adjacent
from analysis.figures.losses import loss_figure
from analysis.figures.style import LINES, MARKERS, blank, shade, styled, write
from analysis.figures.transition import transition_figure
from analysis.losses import checked
from analysis.record_losses import record_losses
from analysis.study import Study, by_size, study
from sweeps.asking import answer
from sweeps.record import find_plan
from sweeps.store import Store, open_store

ROOT = Path(__file__).parents[2]
HERE = Path(__file__).parent
MAIN, RATES, VOCABULARY = "two-cores", "two-cores-rates", "two-cores-vocabulary"
LAW = "levine2020"
TOKENS = 8e6  # the budget that is concluded from; the smaller ones show what tokens change
PAUSE = "interval 60 seconds"  # nothing of the record is older than this while anything trains
FIGURES = ROOT / "docs" / "figures"


def study_of(rows: pd.DataFrame, tokens: float, laws: tuple[str, ...] = ()) -> Study:
    return study(rows, tokens=tokens, laws=laws)


def history(store: Store) -> dict[str, Any]:
    """What the record says of the runs themselves: trainings, tokens, hours, resumes, failures."""
    plans = [find_plan(store, sweep) for sweep in (MAIN, RATES, VOCABULARY)]
    mine = "(select trial_id from plans where (sweep, plan) in ({}))".format(
        ", ".join(f"('{plan.sweep}', '{plan.plan}')" for plan in plans)
    )
    trials = answer(
        store,
        f"""
        select count(*) as trials, sum((purpose = 'result')::int) as results,
               count(distinct (depth, width)) filter (where purpose = 'result') as shapes,
               sum((last_step - first_step) * batch_tokens) as tokens, sum(attempts - 1) as resumes,
               sum((status <> 'completed')::int) as failures, sum(flops) as flops
        from trials where trial_id in {mine}
        """,
    ).to_pylist()[0]
    clock = answer(
        store,
        f"""
        with steps as (select wall_time, step_seconds from metrics where trial_id in {mine}),
             moments as (select wall_time as t, lag(wall_time) over (order by wall_time) as before from steps)
        select sum(epoch(t - before)) filter (where t - before < {PAUSE}) / 3600 as hours,
               count(*) filter (where t - before >= {PAUSE}) as pauses,
               (select sum(step_seconds) / 3600 from steps) as core_hours
        from moments
        """,
    ).to_pylist()[0]
    return {name: None if value is None else float(value) for name, value in (trials | clock).items()}


def crossing_row(one: Crossing) -> dict[str, Any]:
    return {
        "pair": f"{one.shallow:g} → {one.deep:g}",
        "verdict": str(one.verdict),
        "params": one.params,
        "interval": list(one.interval),
        "flags": list(one.flags),
    }


def law_row(made: Study) -> dict[str, Any]:
    """The paper's law as fitted: constants with intervals; or why not."""
    if LAW not in made.fits:
        return {"refused": made.refused.get(LAW)}
    fit = made.fits[LAW]
    return {
        "status": str(fit.status),
        "values": fit.law.values,
        "intervals": {name: None if pair is None else list(pair) for name, pair in fit.intervals.items()},
        "notes": list(fit.notes),
        "runs": fit.runs,
    }


def budget_row(made: Study) -> dict[str, Any]:
    """One token budget: losses by size and depth, noise, crossings, law."""
    return {
        "tokens": made.cells.tokens,
        "networks": len(made.cells.loss),
        "runs": made.cells.rows,
        "noise": made.noise.sd,
        "noise_source": str(made.noise.source),
        "losses": [{"params": row.params, "best": row.best, "by_depth": row.losses} for row in by_size(made.cells)],
        "transition": made.transition,
        "crossings": [crossing_row(one) for one in adjacent(made.crossings)],
        "law": law_row(made),
    }


def rate_rows(rows: pd.DataFrame, tried: pd.DataFrame) -> list[dict[str, Any]]:
    """For each cell tried at other rates: its losses, and where its crossings would be had it been trained at those."""
    base = float(rows["learning_rate"].iloc[0])
    plain = adjacent(study_of(rows, TOKENS).crossings)
    found = []
    for (depth, width), mine in tried.groupby(["depth", "width"]):
        here = (rows["depth"] == depth) & (rows["width"] == width)
        near = np.abs(np.log(rows["tokens"] / TOKENS)) < 0.01
        for rate, at in mine.groupby("learning_rate"):
            if rate == base:
                continue
            seeds = sorted(set(at["seed"]))
            swapped = pd.concat([rows[~here], at], ignore_index=True)
            moved = {(one.shallow, one.deep): one for one in adjacent(study_of(swapped, TOKENS).crossings)}
            end = at[np.abs(np.log(at["tokens"] / TOKENS)) < 0.01]
            same = rows[here & near & rows["seed"].isin(seeds)]
            found.append(
                {
                    "cell": f"{depth}×{width}",
                    "params": float(at["params"].iloc[0]),
                    "factor": round(float(rate) / base, 3),
                    "seeds": len(seeds),
                    "loss": float(end["loss"].mean()),
                    "rise": float(end["loss"].mean() - same["loss"].mean()),
                    "crossings": [
                        crossing_row(moved[one.shallow, one.deep])
                        | {"within": within(moved[one.shallow, one.deep].params, one)}
                        for one in plain
                        if depth in (one.shallow, one.deep) and (one.shallow, one.deep) in moved
                    ],
                }
            )
    return found


def within(params: float | None, one: Crossing) -> bool | None:
    """Whether a size is in a crossing's interval; None where either is not known."""
    low, high = one.interval
    if params is None or one.verdict not in (Verdict.CROSSES, Verdict.LIKELY):
        return None
    return (low or 0.0) <= params <= (high or np.inf)


def studies(store: Store) -> dict[str, Study]:
    """By name: of each token budget of the main sweep, and of the other vocabulary's largest."""
    rows = record_losses(store, MAIN)
    made = {f"{tokens:.2g}": study_of(rows, tokens, (LAW,)) for tokens in budgets(checked(rows))}
    other = record_losses(store, VOCABULARY)
    return made | {VOCABULARY: study_of(other, max(budgets(checked(other))), (LAW,))}


def numbers(store: Store, made: dict[str, Study]) -> dict[str, Any]:
    """Everything the page says, as the record has it."""
    proxies = answer(
        store,
        "select distinct learning_rate as rate, eval_loss as loss, vocabulary from trials where purpose = 'proxy' "
        "order by vocabulary, rate",
    ).to_pylist()
    rows = record_losses(store, MAIN)
    paper = published(LAW)[0]
    return {
        "history": history(store),
        "proxies": proxies,
        "rate": float(rows["learning_rate"].iloc[0]),
        "rate_error": float(rows["rate_error"].max()),
        "budgets": [budget_row(one) for name, one in made.items() if name != VOCABULARY],
        "vocabulary": budget_row(made[VOCABULARY]),
        "rates": rate_rows(rows, record_losses(store, RATES)),
        "paper": paper.values,
    }


def size(value: float | None) -> str:
    """Of a number of parameters, for people; an en dash where it is not known."""
    return "–" if value is None else f"{value:,.2g}" if value < 100 else f"{float(f'{value:.2g}'):,.0f}"


def table(columns: list[str], rows: list[list[str]]) -> str:
    lines = ["| " + " | ".join(columns) + " |", "|---" * len(columns) + "|"]
    return "\n".join([*lines, *("| " + " | ".join(row) + " |" for row in rows)])


def losses_table(one: dict[str, Any]) -> str:
    depths = sorted({int(depth) for row in one["losses"] for depth in row["by_depth"]})
    rows = []
    for row in one["losses"]:
        by_depth = {int(depth): loss for depth, loss in row["by_depth"].items()}
        shown = [f"{by_depth[d]:.4f}" if d in by_depth else "–" for d in depths]
        bold = [f"**{text}**" if d == row["best"] else text for d, text in zip(depths, shown, strict=True)]
        rows.append([size(row["params"]), *bold])
    return table(["N", *(f"{depth} layer{'s' if depth > 1 else ''}" for depth in depths)], rows)


def crossings_table(found: list[dict[str, Any]]) -> str:
    rows = []
    for one in found:
        for c in one["crossings"]:
            sizes = [size(value) for value in (c["params"], *c["interval"])]
            rows.append([f"{one['tokens'] / 1e6:.0f}M", c["pair"], c["verdict"], *sizes])
    return table(["tokens", "layers", "verdict", "N", "from", "to"], rows)


def laws_table(found: dict[str, Any]) -> str:
    rows = []
    for one in found["budgets"]:
        law, name = one["law"], f"{one['tokens'] / 1e6:.0f}M"
        if "values" not in law:
            rows.append([name, "–", "–", str(law["refused"])])
            continue
        a, b = (
            f"{law['values'][c]:.3g}" + (f" ({pair[0]:.3g} to {pair[1]:.3g})" if (pair := law["intervals"][c]) else "")
            for c in ("a", "b")
        )
        rows.append([name, a, b, law["status"]])
    paper = found["paper"]
    rows.append(["the paper", f"{paper['a']:.3g}", f"{paper['b']:.3g}", "1e6 to 6e8 parameters, 6.6e10 tokens"])
    return table(["tokens", "a", "b, a layer", "state"], rows)


def rates_table(found: list[dict[str, Any]]) -> str:
    rows = []
    for one in found:
        for c in one["crossings"]:
            low, high = c["interval"]
            said = {True: "yes", False: "no", None: "–"}[c["within"]]
            rows.append(
                [
                    one["cell"],
                    f"{one['factor']:g}",
                    f"{one['rise']:+.4f}",
                    c["pair"],
                    f"{size(c['params'])} ({size(low)} to {size(high)})",
                    said,
                ]
            )
    columns = ["cell", "rate ×", "loss, nats more", "crossing", "N then", "within the interval"]
    return table(columns, rows)


def page(found: dict[str, Any]) -> str:
    """The page, from its words and the numbers."""
    history = found["history"]
    main = max(found["budgets"], key=lambda one: one["tokens"])
    words = (HERE / "page.md").read_text(encoding="utf-8")
    return words.format(
        trainings=f"{history['trials']:,.0f}",
        results=f"{history['results']:,.0f}",
        shapes=f"{history['shapes']:.0f}",
        tokens=f"{history['tokens'] / 1e9:.2f} billion",
        hours=f"{history['hours']:.1f}",
        core_hours=f"{history['core_hours']:.1f}",
        pauses=f"{history['pauses']:.0f}",
        resumes=f"{history['resumes']:.0f}",
        failures=f"{history['failures']:.0f}",
        rate=f"{found['rate']:.3g}",
        rate_error=f"{found['rate_error']:.4f}",
        noise=f"{main['noise']:.4f}",
        noise_source=main["noise_source"],
        transition=main["transition"],
        losses=losses_table(main),
        crossings=crossings_table(found["budgets"]),
        laws=laws_table(found),
        rates=rates_table(found["rates"]),
        vocabulary_losses=losses_table(found["vocabulary"]),
        vocabulary_crossings=crossings_table([found["vocabulary"]]),
        vocabulary_transition=found["vocabulary"]["transition"],
        vocabulary_tokens=f"{found['vocabulary']['tokens'] / 1e6:.0f}M",
    )


def tokens_figure(found: list[dict[str, Any]]) -> Figure:
    """The size at which each next depth takes over, against the tokens trained."""
    with styled():
        figure = blank(6.4, 4.2)
        axes = figure.subplots()
        pairs = list(dict.fromkeys(c["pair"] for one in found for c in one["crossings"]))
        for place, pair in enumerate(pairs):
            colour = shade(place, len(pairs))
            points = [(one["tokens"], c) for one in found for c in one["crossings"] if c["pair"] == pair]
            known = [(x, c) for x, c in points if c["params"] and c["verdict"] in ("crosses", "likely")]
            if known:
                x, y = [x for x, _ in known], [c["params"] for _, c in known]
                low = [c["params"] - (c["interval"][0] or c["params"]) for _, c in known]
                high = [(c["interval"][1] or c["params"]) - c["params"] for _, c in known]
                axes.errorbar(
                    np.array(x) * 1.03 ** (place - len(pairs) / 2),
                    y,
                    [low, high],
                    color=colour,
                    marker=MARKERS[place],
                    linestyle=LINES[place],
                    capsize=2,
                    label=pair,
                )
            for x, c in points:
                bounds = [(b, mark) for b, mark in zip(c["interval"], "^v", strict=True) if b]
                if (x, c) not in known and len(bounds) == 1:
                    (at, mark), *_ = bounds
                    axes.plot([x * 1.03 ** (place - len(pairs) / 2)], [at], marker=mark, color=colour, mfc="white")
        axes.set_xscale("log")
        axes.set_yscale("log")
        axes.set_xticks([one["tokens"] for one in found], [f"{one['tokens'] / 1e6:.0f}M" for one in found], minor=False)
        axes.minorticks_off()
        axes.set_xlabel("tokens trained")
        axes.set_ylabel("N at which the deeper network takes over")
        axes.legend(title="layers")
    return figure


def figures(made: dict[str, Study], found: dict[str, Any]) -> dict[str, Figure]:
    main = made[f"{TOKENS:.2g}"]
    return {
        "two-cores-losses": loss_figure(main.cells, main.noise, main.crossings),
        "two-cores-transition": transition_figure(main.crossings, main.fits.get(LAW)),
        "two-cores-tokens": tokens_figure(found["budgets"]),
    }


def main() -> int:
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--check", action="store_true")
    check = parser.parse_args().check
    store = open_store(HERE / "record")
    made = studies(store)
    found = json.loads(json.dumps(numbers(store, made)))
    texts = {HERE / "numbers.json": json.dumps(found, indent=1) + "\n", ROOT / "docs" / "two-cores.md": page(found)}
    if check:
        other = [path for path, text in texts.items() if path.read_text(encoding="utf-8") != text]
        for path in other:
            print(f"{path.relative_to(ROOT)} is not what the record says; make reproduce")
        return int(bool(other))
    for path, text in texts.items():
        path.write_text(text, encoding="utf-8")
    for name, figure in figures(made, found).items():
        write(figure, FIGURES, name)
    words = ["report", MAIN, "--results", str(HERE / "record"), "--tokens", f"{TOKENS:g}", "--law", LAW]
    report = [sys.executable, "-m", "orchestrator.cli", *words, "--out", str(HERE / "report.html")]
    return subprocess.run(report, cwd=ROOT, check=False).returncode


if __name__ == "__main__":
    sys.exit(main())
