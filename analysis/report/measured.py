"""What was measured, size by size, no law assumed: the best of the depths trained, and by how much it leads.

Networks of about one size still differ in N, and a larger one is better for that alone; so their losses are first
moved to the middle of their sizes along the trend common to all depths.
"""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np

from analysis.cells import SAME_SIZE
from analysis.curves import common_trend
from analysis.report.wording import count, number, size
from analysis.study import Study, by_size


@dataclass(frozen=True, slots=True, kw_only=True)
class Measured:
    """One size (N): the best depth trained and its network; lead over the next best depth, nats, with its error.

    apart   by what factor in N those two networks differ
    sure    whether the lead is beyond noise at 95 %, for this pair alone
    """

    params: float
    depth: int
    label: str
    runner_up: int | None
    lead: float | None
    error: float | None
    apart: float
    sure: bool

    def sentence(self) -> str:
        """Its lead, in words."""
        if self.lead is None or self.error is None:
            return "only one depth"
        if self.apart > SAME_SIZE:
            return f"none: {self.runner_up} layers is {number(self.apart, 2)}× apart in N"
        noise = "" if self.sure else " (within noise)"
        return f"{self.lead:.4f} ± {self.error:.4f} over {count(self.runner_up or 0, 'layer')}{noise}"


def measured(study: Study) -> tuple[Measured, ...]:
    """Smallest size first; sizes with one depth only where no size has two."""
    cells, noise = study.cells, study.noise
    trend, middle = common_trend(cells), float(cells.log_params.mean())
    variance = cells.variance(noise.sd)
    found = []
    for row in by_size(cells):
        places = [
            int(np.flatnonzero((cells.depth == depth) & (cells.loss == loss))[0]) for depth, loss in row.losses.items()
        ]
        here = trend(np.log(row.params) - middle)
        levelled = cells.loss[places] - trend(cells.log_params[places] - middle) + here
        order = np.argsort(levelled)
        first, second = places[int(order[0])], places[int(order[1])] if len(order) > 1 else None
        lead = error = None
        if second is not None:
            lead = float(levelled[order[1]] - levelled[order[0]])
            error = float(np.sqrt(variance[first] + variance[second]))
        found.append(
            Measured(
                params=row.params,
                depth=int(cells.depth[first]),
                label=f"{cells.depth[first]:g} × {cells.width[first]:,.0f}",
                runner_up=None if second is None else int(cells.depth[second]),
                lead=lead,
                error=error,
                apart=1.0 if second is None else float(np.exp(abs(cells.log_params[first] - cells.log_params[second]))),
                sure=lead is not None and error is not None and lead > noise.quantile(0.95) * error,
            )
        )
    compared = tuple(one for one in found if one.runner_up is not None)
    return compared or tuple(found)


def best_by_size(rows: tuple[Measured, ...]) -> str:
    """Runs of sizes with one best depth: “1 layer up to 19K, then 2 layers up to 160K”."""
    runs: list[list[Measured]] = []
    for row in rows:
        if runs and runs[-1][0].depth == row.depth:
            runs[-1].append(row)
        else:
            runs.append([row])
    if len(runs) > 8:
        first, last = rows[0], rows[-1]
        return f"from {count(first.depth, 'layer')} at {size(first.params)} to {last.depth} at {size(last.params)}"
    return ", then ".join(f"{count(run[0].depth, 'layer')} up to {size(run[-1].params)}" for run in runs)
