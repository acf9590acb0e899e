"""What a sweep says, on paper: the loss table, the transition, the laws, and what the published law would do."""

from __future__ import annotations

from typing import TYPE_CHECKING

from orchestrator.commands.guidelines import guideline_table
from orchestrator.commands.printing import print_table

if TYPE_CHECKING:
    import pandas as pd

    from analysis.study import SizeRow, Study

MOST_DEPTHS = 8  # columns of the loss table


def print_losses(study: Study) -> None:
    """Held-out loss by size and depth, the best of each size marked."""
    from analysis.study import by_size

    sizes = by_size(study.cells)
    depths = sorted({depth for row in sizes for depth in row.losses})
    title = f"Held-out loss, nats per token, after {study.cells.tokens:.3g} tokens (* best of its size)"
    if len(depths) > MOST_DEPTHS:
        print_table(["N", "depth: loss"], [[f"{row.params:.2g}", listed(row)] for row in sizes], title=title)
        print(f"N counts {study.cells.counting}")
        return
    rows = []
    for row in sizes:
        losses = {depth: f"{loss:.4f}{' *' if depth == row.best else '  '}" for depth, loss in row.losses.items()}
        rows.append([f"{row.params:.2g}", *[losses.get(depth) for depth in depths], row.best])
    print_table(
        ["N", *[f"{depth} layer{'s' if depth > 1 else ''}" for depth in depths], "best depth"], rows, title=title
    )
    print(f"N counts {study.cells.counting}")


def listed(row: SizeRow) -> str:
    """Losses of one size by depth, for tables whose depths are too many for columns."""
    return ", ".join(f"{depth}: {loss:.4f}{' *' if depth == row.best else ''}" for depth, loss in row.losses.items())


def print_groups(study: Study) -> None:
    """Networks of nearly one size: does the deepest win, and how sure is that? Only where depths make no curves."""
    if study.crossings:
        return
    for group in study.groups:
        print(group.sentence())


def print_transition(study: Study) -> None:
    """The sentence, and each pair of neighbouring depths with its interval."""
    from analysis.crossings import adjacent

    print(f"Transition: {study.transition}")
    rows = []
    for one in adjacent(study.crossings):
        low, high = (None if bound is None else f"{bound:.2g}" for bound in one.interval)
        params = None if one.params is None else f"{one.params:.2g}"
        rows.append([f"{one.shallow:g} → {one.deep:g}", str(one.verdict), params, low, high, "; ".join(one.flags)])
    if rows:
        print_table(["layers", "verdict", "N", "from", "to", "flags"], rows)
    print(f"Noise of one loss: {study.noise.sd:.4f} nats ({study.noise.source})")


def print_fits(study: Study) -> None:
    """Every law that could be fitted, with its constants; every law that could not, with the reason."""
    for name, fit in study.fits.items():
        rows = []
        for constant, value in fit.law.values.items():
            low, high = fit.intervals.get(constant) or (None, None)
            rows.append([constant, value, low, high])
        print_table(
            ["constant", "value", "from", "to"], rows, title=f"{name}: {fit.status}, {fit.runs} runs, {fit.rows} rows"
        )
        for note in fit.notes:
            print(f"{name}: {note}")
    for name, reason in study.refused.items():
        print(f"{name}: not fitted: {reason}")
    for sentence in study.disagreements:
        print(sentence)


def print_ranking(study: Study) -> None:
    """Laws by error on held-out larger sizes."""
    if study.ranking:
        rows = [[one.law, one.shape_error, one.loss_error, one.networks, one.reason] for one in study.ranking]
        columns = ["law", "error of shape", "error of loss", "networks", "why not"]
        print_table(columns, rows, title="Laws by error on held-out larger sizes, nats per token")


def print_token_budgets(rows: pd.DataFrame) -> None:
    """Where networks were trained on several token budgets: the best depth at the middle size by each of them."""
    import numpy as np

    from analysis.cells import budgets
    from analysis.laws.levine2020 import LAW
    from analysis.losses import checked, used
    from analysis.token_budgets import best_depth_by_tokens

    table = checked(rows)
    if len(budgets(table)) < 2:
        return
    params = float(np.exp(np.log(used(table)["params"].to_numpy(float)).mean()))
    cells = []
    for one in best_depth_by_tokens(table, LAW, params):
        depth = None if one.depth is None else f"{one.depth:.2g}"
        interval = None if one.interval is None else f"{one.interval[0]:.2g}–{one.interval[1]:.2g}"
        cells.append([f"{one.tokens:.3g}", one.networks, depth, interval, one.reason])
    title = f"Best depth at N = {params:.2g} by token budget ({LAW.card.name})"
    print_table(["tokens", "networks", "best depth", "95 % interval", "why none"], cells, title=title)


def print_published_guideline() -> None:
    """The table of the published law to one trillion parameters."""
    from analysis.source import source_of_published

    columns, rows = guideline_table([source_of_published("levine2020")])
    print_table(columns, rows, title="The published law: depth × width for N parameters (Levine et al. 2020)")
