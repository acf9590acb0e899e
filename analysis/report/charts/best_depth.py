"""The best depth over size: measured without any law, by this sweep's law, and by the published one."""

from __future__ import annotations

from typing import Any

import numpy as np

from analysis.report.charts.chart import Chart, View
from analysis.report.charts.style import band, floats, layout, log_axis
from analysis.report.measured import measured
from analysis.report.wording import between, layers, size
from analysis.source import Source
from analysis.study import Study

PLACES = 25


def best_depth_chart(study: Study, own: Source | None, published: Source) -> Chart:
    """Squares: best of the depths trained. Discs: the valley's bottom, with its interval."""
    cells = study.cells
    low, high = float(cells.params.min()) / 1.6, float(cells.params.max()) * 1.6
    sizes = np.geomspace(low, high, PLACES)
    traces: list[dict[str, Any]] = []
    if own is not None:
        intervals = [own.depth_interval(float(n)) for n in sizes]
        if all(intervals):
            lows, highs = np.array(intervals, float).T
            traces += band(floats(sizes), floats(lows, 4), floats(highs, 4), color="@accent~0.16", legendgroup="own")
        traces.append(_line(own, sizes, "this sweep's law", "@accent", "solid", 2.2) | {"legendgroup": "own"})
    traces.append(_line(published, sizes, f"{published.name}, as published", "@muted", "dash", 1.4))
    rows: list[tuple[str, ...]] = []
    table = measured(study)
    traces.append(
        {
            "x": floats([row.params for row in table]),
            "y": [row.depth for row in table],
            "mode": "markers",
            "name": "best of those trained",
            "marker": {"symbol": "square-open", "size": 9, "color": "@ink", "line": {"width": 1.4}},
            "hovertemplate": "N %{text}<br>least loss at %{y} layers<extra></extra>",
            "text": [size(row.params) for row in table],
        }
    )
    rows += [(size(row.params), "best of those trained", f"{row.depth}", "") for row in table]
    seen = [b for b in study.bottoms if b.depth]
    if seen:
        ends = [(b.interval[0] or b.depth or 0.0, b.interval[1] or b.depth or 0.0) for b in seen]
        depths = [b.depth or 0.0 for b in seen]
        traces.append(
            {
                "x": floats([b.params for b in seen]),
                "y": floats(depths, 4),
                "error_y": {
                    "symmetric": False,
                    "array": floats([h - d for (_, h), d in zip(ends, depths, strict=True)], 4),
                    "arrayminus": floats([d - lo for (lo, _), d in zip(ends, depths, strict=True)], 4),
                    "color": "@ink",
                    "thickness": 1,
                    "width": 3,
                },
                "mode": "markers",
                "name": "bottom of the valley",
                "marker": {"symbol": "circle", "size": 8, "color": "@ink"},
                "text": [f"N {size(b.params)}<br>{layers(b.depth)} layers ({between(b.interval)})" for b in seen],
                "hovertemplate": "%{text}<extra></extra>",
            }
        )
        rows += [(size(b.params), "bottom of the valley", layers(b.depth), between(b.interval)) for b in seen]
    for b in study.bottoms:
        if b.depth is None:
            bound = b.interval[1] or b.interval[0]
            rows.append((size(b.params), "bottom of the valley", "beyond those trained", between(b.interval)))
            if bound:
                traces.append(
                    {
                        "x": [b.params],
                        "y": [bound],
                        "mode": "markers",
                        "marker": {
                            "symbol": "triangle-down-open" if b.interval[1] else "triangle-up-open",
                            "size": 10,
                            "color": "@ink",
                        },
                        "hovertemplate": f"N {size(b.params)}<br>bounded from one side: {between(b.interval)}"
                        "<extra></extra>",
                        "showlegend": False,
                    }
                )
    if own is not None:
        for n in (float(cells.params.min()), float(np.exp(cells.log_params.mean())), float(cells.params.max())):
            rows.append((size(n), "this sweep's law", layers(float(own.depth(n))), between(own.depth_interval(n))))
    shallow, deep = float(cells.depth.min()), float(cells.depth.max())
    return Chart(
        id="best-depth",
        title="The best depth, size by size",
        caption=(
            "Squares: the depth of least loss among those trained, compared at equal N. Discs: the bottom of the "
            "valley of loss over depth near that size, no law assumed, with its 95 % interval; a triangle is a bound "
            "where the bottom lies beyond the depths trained. The shaded range is that of this sweep's law."
        ),
        alternative=_sentence(own, published, float(cells.params.min()), float(cells.params.max())),
        views=(
            View(
                label="best depth",
                data=traces,
                layout=layout(
                    log_axis(f"N, parameters ({cells.counting})", low, high, counts=True),
                    log_axis("best depth, layers", max(shallow / 2, 0.5), deep * 2, counts=False),
                    legend="",
                ),
            ),
        ),
        columns=("N", "by", "depth, layers", "95 % interval"),
        rows=tuple(rows),
    )


def _line(source: Source, sizes: Any, name: str, colour: str, dashes: str, width: float) -> dict[str, Any]:
    depths = source.depth(sizes)
    return {
        "x": floats(sizes),
        "y": floats(depths, 4),
        "mode": "lines",
        "name": name,
        "line": {"color": colour, "width": width, "dash": dashes},
        "text": [f"N {size(float(n))}<br>{layers(float(d))} layers" for n, d in zip(sizes, depths, strict=True)],
        "hovertemplate": "%{text}<extra>%{fullData.name}</extra>",
    }


def _sentence(own: Source | None, published: Source, low: float, high: float) -> str:
    def said(source: Source) -> str:
        ends = [float(source.depth(n)) for n in (low, high)]
        if ends[1] < 1:
            return "less than one layer"
        return f"{'less than 1' if ends[0] < 1 else layers(ends[0])} to {layers(ends[1])} layers"

    by_own = "No law could be fitted to this sweep." if own is None else f"By this sweep's law {said(own)}."
    return f"From N = {size(low)} to {size(high)}. {by_own} By {published.name} as published {said(published)}."
