"""The guideline to a trillion parameters: every law's best depth, its interval, the spread, and well-known models."""

from typing import Any

import numpy as np
from matplotlib.axes import Axes
from matplotlib.figure import Figure

from analysis.figures.style import LINES, blank, label_params, plain_ticks, shade, styled
from analysis.known_models import KnownModel
from analysis.source import Source


def guideline_figure(
    sources: tuple[Source, ...],
    models: tuple[KnownModel, ...] = (),
    *,
    smallest: float = 1e6,
    largest: float = 1e12,
    counting: str = "the blocks' weight matrices alone",
) -> Figure:
    """Best depth over N by law.

    A line is thin where it extrapolates, thick inside its law's data; the shaded range is the spread between laws;
    bands are intervals, where a law has one; crosses are models, named where there is room.
    """
    sizes = np.geomspace(smallest, largest, 121)
    with styled():
        figure = blank(6.8, 4.8)
        axes = figure.subplots()
        depths = np.stack([source.depth(sizes) for source in sources])
        axes.fill_between(sizes, depths.min(0), depths.max(0), color="0.85", linewidth=0, label="spread between laws")
        for place, (source, line) in enumerate(zip(sources, depths, strict=True)):
            colour, dashes = shade(place, len(sources)), LINES[place % len(LINES)]
            axes.plot(sizes, line, color=colour, linestyle=dashes, linewidth=0.8)
            inside = np.array(
                [source.extrapolation(float(n)) is None and source.params_range is not None for n in sizes]
            )
            known = np.where(inside, line, np.nan)
            axes.plot(sizes, known, color=colour, linestyle=dashes, linewidth=2.4, label=source.name)
            between = [source.depth_interval(float(n)) for n in sizes]
            if all(between):
                low, high = np.array(between, float).T
                axes.fill_between(sizes, low, high, color=colour, alpha=0.3, linewidth=0)
        axes.set_yscale("log")
        plain_ticks(axes.yaxis)
        _models(axes, models)
        label_params(axes, counting)
        axes.set_xlim(smallest, largest)
        axes.set_ylabel("best depth, layers")
        axes.legend(title="thick inside the law's data")
    return figure


def _models(axes: Axes, models: tuple[KnownModel, ...]) -> None:
    named: list[tuple[float, float]] = []
    for model in sorted(models, key=lambda m: (m.params, m.depth)):
        place = (float(np.log(model.params)), float(np.log(model.depth)))
        axes.plot([model.params], [model.depth], marker="x", color="k", markersize=4, markeredgewidth=0.8)
        if all(abs(place[0] - x) > 1.3 or abs(place[1] - y) > 0.13 for x, y in named):
            named.append(place)
            left = model.params > 3e11
            look: Any = {"xytext": (-4 if left else 4, -2), "ha": "right" if left else "left"}
            axes.annotate(model.name, (model.params, model.depth), fontsize=5.5, textcoords="offset points", **look)
