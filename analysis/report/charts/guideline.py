"""The guideline to a trillion parameters: this sweep's law, the published ones, their spread, and well-known models."""

from __future__ import annotations

from typing import Any

import numpy as np

from analysis.known_models import known_models
from analysis.report.charts.chart import Chart, View
from analysis.report.charts.style import band, dash, floats, layout, log_axis
from analysis.report.wording import between, layers, shape, size
from analysis.source import Source

LARGEST = 1e12
PLACES = 41
TABLED = tuple(10.0**power for power in range(6, 13))


def guideline_chart(own: Source | None, published: tuple[Source, ...]) -> Chart:
    """Best depth over N by law, thick inside a law's own data, thin beyond it."""
    smallest = min(1e6, own.params_range[0] if own and own.params_range else 1e6)
    sizes = np.geomspace(smallest, LARGEST, PLACES)
    sources = ([own] if own else []) + list(published)
    depths = np.stack([source.depth(sizes) for source in published])
    traces: list[dict[str, Any]] = band(
        floats(sizes), floats(depths.min(0), 4), floats(depths.max(0), 4), color="@muted~0.10"
    )
    for place, source in enumerate(sources):
        mine = source is own
        colour = "@accent" if mine else f"@cat:{(place - (1 if own else 0)) % 6}"
        look: dict[str, Any] = {"legendgroup": source.name, "mode": "lines"}
        intervals = [source.depth_interval(float(n)) for n in sizes]
        if all(intervals):
            lows, highs = np.array(intervals, float).T
            traces += band(
                floats(sizes), floats(lows, 4), floats(highs, 4), color=f"{colour}~0.16", legendgroup=source.name
            )
        line = source.depth(sizes)
        known = source.params_range
        traces.append(
            look
            | {
                "x": floats(sizes),
                "y": floats(line, 4),
                "name": "this sweep's law" if mine else source.name,
                "line": {"color": colour, "width": 1.4, "dash": "solid" if mine else dash(place)},
                "text": [_hover(source, float(n), float(d)) for n, d in zip(sizes, line, strict=True)],
                "hovertemplate": "%{text}<extra></extra>",
            }
        )
        if known:
            inside = np.geomspace(max(known[0], smallest), min(known[1], LARGEST), 12)
            width = {"color": colour, "width": 4}
            traces.append(
                look
                | {
                    "x": floats(inside),
                    "y": floats(source.depth(inside), 4),
                    "line": width,
                    "showlegend": False,
                    "hoverinfo": "skip",
                }
            )
    models = known_models()
    traces.append(
        {
            "x": floats([model.params for model in models]),
            "y": [model.depth for model in models],
            "mode": "markers",
            "name": "well-known models",
            "marker": {"symbol": "x-thin-open", "size": 7, "color": "@ink", "line": {"width": 1.2}},
            "text": [f"{m.name} ({m.date})<br>{m.depth} × {m.width:,}, N {size(m.params)}" for m in models],
            "hovertemplate": "%{text}<extra></extra>",
        }
    )
    at_end = [float(source.depth(LARGEST)) for source in sources]
    return Chart(
        id="guideline",
        title="To a trillion parameters, by every law",
        caption=(
            "A line is thick inside the sizes behind its law and thin where it extrapolates; bands are 95 % intervals "
            "where a law has them; grey is the spread between published laws, which no interval of any one law "
            "covers. Crosses are well-known models."
        ),
        alternative=f"At 1T the laws want from {layers(min(at_end))} to {layers(max(at_end))} layers.",
        views=(
            View(
                label="guideline",
                data=traces,
                layout=layout(
                    log_axis("N, parameters (the blocks' weight matrices alone)", smallest, LARGEST, counts=True),
                    log_axis("best depth, layers", 1 if smallest < 1e6 else 3, 2000, counts=False),
                    legend="",
                ),
            ),
        ),
        columns=("N", *("this sweep's law" if source is own else source.name for source in sources)),
        rows=tuple((size(n), *(_cell(source, n) for source in sources)) for n in TABLED),
    )


def _cell(source: Source, params: float) -> str:
    depth = float(source.depth(params))
    interval = source.depth_interval(params)
    width = float(source.width(params, depth))
    return shape(depth, width) + (f" ({between(interval)})" if interval and depth >= 1 else "")


def _hover(source: Source, params: float, depth: float) -> str:
    beyond = source.extrapolation(params)
    further = f"<br>{size(beyond)} times beyond its data" if beyond else ""
    return f"{source.name}<br>N {size(params)}: {shape(depth, float(source.width(params, depth)))}{further}"
