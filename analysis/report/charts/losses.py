"""Loss against size by depth, with the crossings; and the same less what size does by itself."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

import numpy as np

from analysis.arrays import Array
from analysis.cells import Cells
from analysis.crossings import Crossing, Verdict, adjacent
from analysis.curves import common_trend, curves_of, losses_at
from analysis.report.charts.chart import Chart, View
from analysis.report.charts.style import dash, floats, layout, log_axis, marker, ordered
from analysis.report.measured import best_by_size, measured
from analysis.report.wording import count, nats, size
from analysis.status import FitError
from analysis.study import Study


def losses_chart(study: Study) -> Chart:
    """One trace of points and one line a depth. A vertical line is a crossing of neighbouring depths."""
    cells = study.cells
    middle = float(cells.log_params.mean())
    trend = common_trend(cells)
    low, high = float(cells.params.min()) / 1.25, float(cells.params.max()) * 1.25
    x = log_axis(f"N, parameters ({cells.counting})", low, high, counts=True)
    marks = _marks(study.crossings)
    views = (
        View(
            label="less what size does",
            data=_traces(study, lambda log_params: trend(log_params - middle)),
            layout=layout(x, {"title": {"text": "loss less a trend common to all depths, nats"}}, legend="layers")
            | marks,
        ),
        View(
            label="loss",
            data=_traces(study, lambda log_params: np.zeros_like(log_params)),
            layout=layout(x, {"title": {"text": "held-out loss, nats per token"}}, legend="layers") | marks,
        ),
    )
    rows = [
        (
            label,
            size(n),
            nats(float(loss)),
            nats(float(np.sqrt(v))),
            f"{int(repeats)}",
        )
        for label, n, loss, v, repeats in zip(
            cells.labels, cells.params, cells.loss, cells.variance(study.noise.sd), cells.repeats, strict=True
        )
    ]
    return Chart(
        id="losses",
        title="Loss against size, depth by depth",
        caption=(
            "A point is a network, the mean over its seeds; its bar is one standard deviation of the noise. Where two "
            "lines cross, the deeper network overtakes the shallower one of the same size. A vertical line marks a "
            "crossing that holds against noise (solid) or only by this pair's own noise (dotted), the bar across it "
            "its 95 % interval."
        ),
        alternative=f"{count(len(cells.loss), 'network')} at {size(cells.tokens, 3)} tokens. "
        f"Least loss of the depths trained: {best_by_size(measured(study))}.",
        views=views,
        columns=("depth × width", "N", "loss, nats", "± (1 sd)", "seeds"),
        rows=tuple(rows),
    )


def _traces(study: Study, trend: Callable[[Array], Array]) -> list[dict[str, Any]]:
    cells: Cells = study.cells
    error = np.sqrt(cells.variance(study.noise.sd))
    depths = np.unique(cells.depth)
    try:
        curves = {curve.depth: curve for curve in curves_of(cells)}
    except FitError:  # two networks of one depth and size: points without lines
        curves = {}
    traces: list[dict[str, Any]] = []
    for place, depth in enumerate(depths):
        chosen = cells.depth == depth
        group, colour = f"{depth:g}", ordered(place, len(depths))
        labels = [cells.labels[i] for i in np.flatnonzero(chosen)]
        traces.append(
            {
                "x": floats(cells.params[chosen]),
                "y": floats(cells.loss[chosen] - trend(cells.log_params[chosen])),
                "error_y": {"array": floats(error[chosen], 3), "color": colour, "thickness": 1, "width": 0},
                "text": [
                    f"{label} · N {size(n)}<br>loss {nats(loss)} ± {nats(e)}"
                    for label, n, loss, e in zip(
                        labels, cells.params[chosen], cells.loss[chosen], error[chosen], strict=True
                    )
                ],
                "hovertemplate": "%{text}<extra></extra>",
                "mode": "markers",
                "marker": {"symbol": marker(place), "color": colour, "size": 8},
                "line": {"dash": dash(place)},
                "name": group,
                "legendgroup": group,
            }
        )
        if depth in curves:
            curve = curves[depth]
            x = np.linspace(curve.log_params[0], curve.log_params[-1], 60)
            traces.append(
                {
                    "x": floats(np.exp(x), 5),
                    "y": floats(losses_at(curve, cells.loss[None], x)[0] - trend(x), 5),
                    "mode": "lines",
                    "line": {"color": colour, "width": 1.5, "dash": dash(place)},
                    "hoverinfo": "skip",
                    "legendgroup": group,
                    "showlegend": False,
                }
            )
    return traces


def _marks(found: tuple[Crossing, ...]) -> dict[str, Any]:
    shapes: list[dict[str, Any]] = []
    notes: list[dict[str, Any]] = []
    seen = [one for one in adjacent(found) if one.params and one.verdict in (Verdict.CROSSES, Verdict.LIKELY)]
    for place, one in enumerate(seen):
        low, high = one.interval
        upright = {"yref": "paper", "type": "line"}
        sure = "solid" if one.verdict == Verdict.CROSSES else "dot"
        line = {"color": "@muted", "width": 1.2, "dash": sure}
        shapes.append(upright | {"x0": one.params, "x1": one.params, "y0": 0, "y1": 1, "layer": "below", "line": line})
        if low and high:
            level = 0.985 - 0.03 * (place % 5)  # one below the other, where intervals overlap
            bar = {"color": "@muted", "width": 3}
            shapes.append(upright | {"x0": low, "x1": high, "y0": level, "y1": level, "line": bar})
        notes.append(
            {
                "x": float(np.log10(one.params or 1.0)),
                "y": 1,
                "yref": "paper",
                "yanchor": "bottom",
                "text": f"{one.shallow:g}→{one.deep:g}",
                "showarrow": False,
                "font": {"size": 11},
            }
        )
    return {"shapes": shapes, "annotations": notes}
