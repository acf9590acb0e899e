"""The size at which each deeper network takes over, against the tokens trained."""

from collections.abc import Mapping

from matplotlib.axes import Axes
from matplotlib.figure import Figure
from matplotlib.ticker import NullLocator

from analysis.crossings import Crossing, Verdict, adjacent
from analysis.figures.style import LINES, MARKERS, blank, plain_ticks, shade, styled

# Pairs of depths at one budget stand beside each other, this much of the budget apart.
APART = 1.04


def tokens_figure(found: Mapping[float, tuple[Crossing, ...]], counting: str) -> Figure:
    """Of the crossings by token budget, those of neighbouring depths: N over tokens, a line a pair.

    Bars are 95 % intervals; a hollow point is a crossing that only its pair's own noise supports, an arrow the bound
    of a pair that has not crossed, or already had.
    """
    by_pair: dict[tuple[float, float], list[tuple[float, Crossing]]] = {}
    for tokens, crossings in sorted(found.items()):
        for crossing in adjacent(crossings):
            by_pair.setdefault((crossing.shallow, crossing.deep), []).append((tokens, crossing))
    with styled():
        figure = blank(6.4, 4.2)
        axes = figure.subplots()
        for place, (pair, points) in enumerate(sorted(by_pair.items())):
            shifted = [(tokens * APART ** (place - (len(by_pair) - 1) / 2), crossing) for tokens, crossing in points]
            _pair(axes, shifted, place, len(by_pair), f"{pair[0]:g} → {pair[1]:g}")
        axes.set_xscale("log")
        axes.set_yscale("log")
        axes.set_xticks(sorted(found), [f"{tokens:.3g}" for tokens in sorted(found)])
        axes.xaxis.set_minor_locator(NullLocator())
        plain_ticks(axes.yaxis)
        axes.set_xlabel("tokens trained")
        axes.set_ylabel(f"N at which the deeper one takes over\n({counting})")
        if by_pair:
            axes.legend(title="layers")
    return figure


def _pair(axes: Axes, points: list[tuple[float, Crossing]], place: int, count: int, label: str) -> None:
    colour, marker = shade(place, count), MARKERS[place % len(MARKERS)]
    known = [(x, c, c.params) for x, c in points if c.params and c.verdict in (Verdict.CROSSES, Verdict.LIKELY)]
    axes.plot(
        [x for x, _, _ in known],
        [n for _, _, n in known],
        color=colour,
        linestyle=LINES[place % len(LINES)],
        label=label,
    )
    for x, crossing, params in known:
        low, high = crossing.interval
        filled = colour if crossing.verdict == Verdict.CROSSES else "white"
        bars = [[params - (low or params)], [(high or params) - params]]
        axes.errorbar([x], [params], bars, fmt=marker, color=colour, markerfacecolor=filled, capsize=2, linewidth=1)
    for x, crossing in points:
        low, high = crossing.interval
        bound = low or high
        if bound and crossing.verdict in (Verdict.NOT_YET, Verdict.ALREADY):
            arrow = "$\\uparrow$" if low else "$\\downarrow$"
            axes.plot([x], [bound], marker=arrow, color=colour, markersize=10, linestyle="none")
