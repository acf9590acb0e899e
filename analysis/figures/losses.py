"""Loss against size by depth, with the crossings."""

import numpy as np
from matplotlib.axes import Axes
from matplotlib.figure import Figure

from analysis.arrays import Array
from analysis.cells import Cells
from analysis.crossings import Crossing, Verdict, adjacent
from analysis.curves import common_trend, curves_of, losses_at
from analysis.figures.style import LINES, MARKERS, blank, label_params, shade, styled
from analysis.noise import Noise


def loss_figure(cells: Cells, noise: Noise, found: tuple[Crossing, ...] = ()) -> Figure:
    """Above, loss by depth; below, the same less a smooth trend in N common to all, where crossings can be seen.

    Bars are one standard deviation of the noise. A vertical line is a crossing of neighbouring depths, its band the
    95 % interval; a crossing that only this pair's own noise supports is dotted.
    """
    with styled():
        figure = blank(6.4, 6.4)
        top, bottom = figure.subplots(2, 1, sharex=True, height_ratios=(1, 1.3))
        middle = cells.log_params.mean()
        trend = common_trend(cells)
        error = np.sqrt(cells.variance(noise.sd))
        _draw(top, cells, error, lambda log_params: np.zeros_like(log_params))
        _draw(bottom, cells, error, lambda log_params: trend(log_params - middle))
        _mark(bottom, found)
        top.set_ylabel("loss, nats per token")
        bottom.set_ylabel("loss less common trend")
        label_params(bottom, cells.counting)
        top.legend(title="layers", ncols=2)
        top.set_title(f"{len(cells.loss)} networks at {cells.tokens:.3g} tokens", loc="left", fontsize=9)
    return figure


def _draw(axes: Axes, cells: Cells, error: Array, trend) -> None:  # type: ignore[no-untyped-def]  # Array → Array
    depths = np.unique(cells.depth)
    curves = {curve.depth: curve for curve in curves_of(cells)}
    for place, depth in enumerate(depths):
        chosen = cells.depth == depth
        colour = shade(place, len(depths))
        axes.errorbar(
            cells.params[chosen],
            cells.loss[chosen] - trend(cells.log_params[chosen]),
            error[chosen],
            fmt=MARKERS[place % len(MARKERS)],
            color=colour,
            markersize=4,
            linewidth=0.8,
            label=f"{depth:g}",
        )
        if depth in curves:
            x = np.linspace(curves[depth].log_params[0], curves[depth].log_params[-1], 120)
            y = losses_at(curves[depth], cells.loss[None], x)[0] - trend(x)
            axes.plot(np.exp(x), y, color=colour, linewidth=1, linestyle=LINES[place % len(LINES)])


def _mark(axes: Axes, found: tuple[Crossing, ...]) -> None:
    for crossing in adjacent(found):
        if crossing.params is None or crossing.verdict not in (Verdict.CROSSES, Verdict.LIKELY):
            continue
        sure = crossing.verdict == Verdict.CROSSES
        axes.axvline(crossing.params, color="0.3", linewidth=0.9, linestyle="-" if sure else ":")
        low, high = crossing.interval
        if low and high:
            axes.axvspan(low, high, color="0.5", alpha=0.15, linewidth=0)
        text = f"{crossing.shallow:g}→{crossing.deep:g}"
        axes.annotate(
            text,
            (crossing.params, 1.0),
            xycoords=("data", "axes fraction"),
            rotation=90,
            fontsize=7,
            ha="right",
            va="top",
        )
