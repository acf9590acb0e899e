"""What a fitted surface leaves over, by size and by distance from the best depth."""

from typing import Any

import numpy as np
from matplotlib.figure import Figure

from analysis.cells import Cells
from analysis.figures.style import MARKERS, blank, label_params, shade, styled
from analysis.fit import Fit


def residual_figure(cells: Cells, fit: Fit) -> Figure:
    """Residuals in units of the noise, over N and over ln(L/L*); structure in either is a law or a valley that misfits.

    Raises ValueError for a fit that has no residual for each cell.
    """
    if fit.noise is None or len(fit.residuals) != len(cells.loss):
        raise ValueError("residuals are drawn for a fit of a transition law to these cells")
    standard = fit.residuals / np.sqrt(cells.variance(fit.noise.sd))
    ratio = cells.log_depth - np.log(fit.law.depth(cells.params, fit.block_coefficient))
    depths = np.unique(cells.depth)
    with styled():
        figure = blank(8.0, 3.4)
        left, right = figure.subplots(1, 2, sharey=True)
        for place, depth in enumerate(depths):
            chosen = cells.depth == depth
            look: Any = {"marker": MARKERS[place % len(MARKERS)], "color": shade(place, len(depths)), "s": 16}
            left.scatter(cells.params[chosen], standard[chosen], label=f"{depth:g}", **look)
            right.scatter(ratio[chosen], standard[chosen], **look)
        for axes in (left, right):
            axes.axhline(0, color="0.3", linewidth=0.8)
            axes.axhspan(-2, 2, color="0.93", linewidth=0, zorder=0)
        label_params(left, cells.counting)
        right.set_xlabel("ln(L / best depth)")
        left.set_ylabel("residual, in standard errors")
        right.set_title(
            f"{fit.law.card.name}: noise {fit.noise.sd:.2g} nats ({fit.noise.source})", fontsize=9, loc="left"
        )
        figure.legend(*left.get_legend_handles_labels(), title="layers", loc="outside right center")
    return figure
