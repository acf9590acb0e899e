"""Loss over depth at fixed size: the valleys, their bottoms, and the fitted surface."""

from typing import Any

import numpy as np
from matplotlib.figure import Figure

from analysis.cells import Cells, size_groups
from analysis.figures.style import LINES, MARKERS, blank, plain_ticks, shade, styled
from analysis.fit import Fit
from analysis.noise import Noise
from analysis.valleys import Bottom

MOST = 6  # sizes drawn


def valley_figure(cells: Cells, noise: Noise, bottoms: tuple[Bottom, ...] = (), fit: Fit | None = None) -> Figure:
    """Left, loss above the best of its size over depth, for up to six sizes, with the fitted valleys; right, the best
    depth over size: local fits with 95 % intervals (hollow where one side of it lies beyond the depths trained), and
    the fitted law.
    """
    groups = size_groups(cells.log_params, 1.4)
    wide = [g for g in np.unique(groups) if len(np.unique(cells.depth[groups == g])) >= 3]
    shown = [wide[int(i)] for i in np.unique(np.linspace(0, len(wide) - 1, MOST).astype(int))] if wide else []
    error = np.sqrt(cells.variance(noise.sd))
    with styled():
        figure = blank(8.4, 4.0)
        left, right = figure.subplots(1, 2)
        right.set_xscale("log")
        right.set_yscale("log")
        slope = np.polyfit(cells.log_params, cells.loss, 2)
        for place, group in enumerate(shown):
            members = groups == group
            middle = cells.log_params[members].mean()
            loss = cells.loss[members] - np.polyval(slope, cells.log_params[members]) + np.polyval(slope, middle)
            order = np.argsort(cells.depth[members])
            depth, above = cells.depth[members][order], (loss - loss.min())[order]
            colour, marker = shade(place, len(shown)), MARKERS[place % len(MARKERS)]
            label = f"{np.exp(middle):.2g}"
            left.errorbar(
                depth, above, error[members][order], fmt=marker, color=colour, markersize=4, linewidth=0.8, label=label
            )
            if fit is not None and fit.valley is not None:
                params = float(np.exp(middle))
                ratio = np.log(depth / fit.law.depth(params, fit.block_coefficient))
                base = float(np.mean(above - fit.valley.penalty(params, ratio)))
                grid = np.geomspace(depth.min(), depth.max(), 100)
                valley = fit.valley.penalty(params, np.log(grid / fit.law.depth(params, fit.block_coefficient)))
                left.plot(grid, valley + base, color=colour, linewidth=1, linestyle=LINES[place % len(LINES)])
        left.set_xscale("log")
        plain_ticks(left.xaxis)
        plain_ticks(right.yaxis)
        left.set_xlabel("L, layers")
        left.set_ylabel("loss above the best of its size, nats")
        left.legend(title="N")
        for bottom in bottoms:
            low, high = bottom.interval
            if bottom.depth:
                bars = [[bottom.depth - (low or bottom.depth)], [(high or bottom.depth) - bottom.depth]]
                look: Any = {"color": "k", "markersize": 4, "linewidth": 0.8}
                filled = "k" if low and high else "white"
                right.errorbar([bottom.params], [bottom.depth], bars, fmt="o", markerfacecolor=filled, **look)
            elif high or low:
                right.plot(
                    [bottom.params],
                    [high or low],
                    marker="v" if high else "^",
                    color="k",
                    markersize=5,
                    markerfacecolor="white",
                )
        if fit is not None:
            sizes = np.geomspace(cells.params.min(), cells.params.max(), 100)
            right.plot(sizes, fit.law.depth(sizes, fit.block_coefficient), color="0.4", label=fit.law.card.name)
            right.legend()
        right.set_xlabel(f"N ({cells.counting})")
        right.set_ylabel("best depth, layers")
    return figure
