"""What the report's figures share: colour tokens, marks and dashes that differ without colour, axes.

A colour is a token that the page's script turns into a colour of the theme in force, so that one figure serves light
and dark: `@ink`, `@muted`, `@grid`, `@accent`; `@seq:0.4`, a place on a ramp that runs in lightness first (cividis);
`@cat:2`, one of six that the colour-blind tell apart (Okabe and Ito). `~0.2` after it is its opacity.
"""

from __future__ import annotations

from collections.abc import Sequence
from html import escape
from typing import Any

import numpy as np

from analysis.arrays import Array
from analysis.report.wording import size

MARKERS = ("circle", "square", "triangle-up", "diamond", "triangle-down", "cross", "x", "star", "pentagon", "hexagon")
DASHES = ("solid", "dash", "dashdot", "dot", "longdash", "longdashdot")
TICKS = tuple(m * 10.0**p for p in range(15) for m in (1, 2, 5))
DEPTH_TICKS = (1, 2, 3, 4, 5, 6, 8, 10, 12, 15, 20, 30, 40, 60, 80, 100, 150, 200, 300, 500, 700, 1000, 2000, 5000, 1e4)


def ordered(place: int, count: int) -> str:
    """The token of one of `count` ordered things."""
    return f"@seq:{place / max(count - 1, 1):.3f}"


def marker(place: int) -> str:
    return MARKERS[place % len(MARKERS)]


def dash(place: int) -> str:
    return DASHES[place % len(DASHES)]


def safe(text: str) -> str:
    """Text from the record for Plotly, which takes some tags in labels for markup."""
    return escape(text, quote=False)


def floats(values: Array | Sequence[float | None], digits: int = 6) -> list[float | None]:
    """JSON has no NaN: what is missing or no number is null. Rounded, to keep pages small."""
    return [None if v is None or not np.isfinite(v) else float(f"{float(v):.{digits}g}") for v in values]


def log_axis(title: str, low: float, high: float, *, counts: bool) -> dict[str, Any]:
    """A logarithmic axis with ticks at 1, 2, 5 as people say them; 24K, 1M for counts of parameters or tokens."""
    ticks = TICKS if counts else DEPTH_TICKS
    inside = [tick for tick in ticks if low / 1.02 <= tick <= high * 1.02]
    if counts and len(inside) > 9:
        inside = [tick for tick in inside if f"{tick:e}"[0] == "1"]
    while len(inside) > 12:
        inside = inside[::2]
    return {
        "type": "log",
        "title": {"text": title},
        "range": [float(np.log10(low)), float(np.log10(high))],
        "tickvals": inside,
        "ticktext": [size(tick) if counts else f"{tick:g}" for tick in inside],
    }


def layout(x: dict[str, Any], y: dict[str, Any], *, legend: str | None = None, **more: Any) -> dict[str, Any]:
    """Axes, and a legend under the figure with its title. Looks are the script's."""
    made = {"xaxis": x, "yaxis": y, "showlegend": legend is not None, **more}
    if legend is not None:
        made["legend"] = {"title": {"text": legend}}
    return made


def band(x: Sequence[float | None], low: Sequence[float | None], high: Sequence[float | None], **more: Any) -> Any:
    """The traces of an interval as a shaded range: its two edges, the second filled to the first."""
    edge = {"x": list(x), "mode": "lines", "line": {"width": 0}, "hoverinfo": "skip", "showlegend": False}
    colour = more.pop("color")
    return [edge | {"y": list(low)} | more, edge | {"y": list(high), "fill": "tonexty", "fillcolor": colour} | more]
