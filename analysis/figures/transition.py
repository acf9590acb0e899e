"""The transition: the width at which each depth is best, measured and fitted, beside the paper's law and the theory."""

import numpy as np
from matplotlib.axes import Axes
from matplotlib.figure import Figure

from analysis.arrays import Array
from analysis.catalogue import published
from analysis.crossings import Crossing, Verdict, adjacent
from analysis.figures.style import blank, plain_ticks, styled
from analysis.fit import Fit
from analysis.law import LawError
from analysis.theory import threshold_width
from analysis.transition_law import TransitionLaw


def transition_figure(found: tuple[Crossing, ...], fit: Fit | None = None, *, deepest: float | None = None) -> Figure:
    """Width over depth, in ln d.

    Points are crossings, at the geometric mean of their depths, with 95 % intervals (open where only the pair's own
    noise supports it); arrows pairs that have not crossed, or already had, at their bounds; the band is the fitted
    law's interval; dashed the paper's law; dotted the theory's threshold, d = 3^L.
    """
    k = fit.block_coefficient if fit else 12.0
    pairs = adjacent(found)
    deepest = deepest or max([c.deep for c in pairs], default=48.0) * 1.15
    depths = np.linspace(max(1.0, min([c.shallow for c in pairs], default=6.0) * 0.7), deepest, 160)
    with styled():
        figure = blank(6.4, 4.6)
        axes = figure.subplots()
        axes.set_yscale("log")
        _points(axes, pairs, k)
        seen = axes.get_ylim() if axes.has_data() else None
        if fit is not None and isinstance(fit.law, TransitionLaw):
            _law(axes, fit, fit.law, depths)
            seen = seen or axes.get_ylim()
        try:
            paper, constants = published("levine2020")
            if isinstance(paper, TransitionLaw):
                axes.plot(depths, paper.width(depths), color="0.45", linestyle="--", linewidth=1, label=constants.label)
        except LawError:
            pass
        theory = threshold_width(depths)
        axes.plot(depths, theory, color="0.45", linestyle=":", linewidth=1.2, label="theory: d = 3^L")
        low, high = seen or (float(depths[0]) * 10, float(depths[-1]) * 60)
        axes.set_ylim(low / 2, high * 2)
        axes.set_xlim(depths[0], depths[-1])
        plain_ticks(axes.yaxis)
        axes.set_xlabel("L, layers")
        axes.set_ylabel("d, width at which L is the best depth")
        axes.legend()
    return figure


def _points(axes: Axes, pairs: tuple[Crossing, ...], block_coefficient: float) -> None:
    def width(params: float, depth: float) -> float:
        return float(np.sqrt(params / (block_coefficient * depth)))

    for crossing in pairs:
        depth = crossing.depth
        low, high = (width(n, depth) if n else None for n in crossing.interval)
        if crossing.params and crossing.verdict in (Verdict.CROSSES, Verdict.LIKELY):
            at = width(crossing.params, depth)
            bars = [[at - (low or at)], [(high or at) - at]]
            filled = "k" if crossing.verdict == Verdict.CROSSES else "white"
            axes.errorbar([depth], [at], bars, fmt="o", color="k", markerfacecolor=filled, markersize=5, capsize=2)
        elif low or high:
            bound = low or high or 1.0
            axes.plot([depth], [bound], marker="^" if low else "v", color="k", markerfacecolor="white", markersize=6)
            tip = bound * (1.35 if low else 1 / 1.35)
            axes.annotate("", (depth, tip), (depth, bound), arrowprops={"arrowstyle": "->", "linewidth": 0.8})


def _law(axes: Axes, fit: Fit, law: TransitionLaw, depths: Array) -> None:
    log_depths = np.log(depths)
    axes.plot(depths, law.width(depths), color="k", linewidth=1.4, label=f"{law.card.name}, fitted")
    if len(fit.draws):
        widths = np.stack([law.log_width(theta, log_depths) for theta in fit.draws])
        low, high = np.quantile(widths, [(1 - fit.confidence) / 2, (1 + fit.confidence) / 2], axis=0)
        label = f"{fit.confidence:.0%} interval"
        axes.fill_between(depths, np.exp(low), np.exp(high), color="0.7", alpha=0.5, linewidth=0, label=label)
