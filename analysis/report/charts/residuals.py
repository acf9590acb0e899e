"""What the fitted surface leaves over, by size and by distance from the best depth."""

from __future__ import annotations

from typing import Any

import numpy as np

from analysis.arrays import Array
from analysis.fit import Fit
from analysis.report.charts.chart import Chart, View
from analysis.report.charts.style import floats, layout, log_axis, marker, ordered
from analysis.report.wording import number, size
from analysis.study import Study


def residuals_chart(study: Study, fit: Fit | None) -> Chart | None:
    """None where no law of the transition was fitted to these cells."""
    cells = study.cells
    if fit is None or fit.noise is None or len(fit.residuals) != len(cells.loss):
        return None
    standard = fit.residuals / np.sqrt(cells.variance(fit.noise.sd))
    ratio = cells.depth / fit.law.depth(cells.params, fit.block_coefficient)
    low, high = float(cells.params.min()) / 1.25, float(cells.params.max()) * 1.25
    y = {"title": {"text": "residual, in standard errors"}}
    shapes = [
        {
            "type": "rect",
            "xref": "paper",
            "x0": 0,
            "x1": 1,
            "y0": -2,
            "y1": 2,
            "layer": "below",
            "fillcolor": "@muted~0.10",
            "line": {"width": 0},
        }
    ]
    far = int((np.abs(standard) > 2).sum())
    by_ratio = log_axis("L over the best depth", float(ratio.min()) / 1.2, float(ratio.max()) * 1.2, counts=False)
    by_ratio |= {"tickvals": [0.1, 0.2, 0.5, 1, 2, 5, 10], "ticktext": ["0.1", "0.2", "0.5", "1", "2", "5", "10"]}
    return Chart(
        id="residuals",
        title="What the law leaves over",
        caption=(
            f"Loss less the surface fitted with {fit.law.card.name}, in standard errors; about one in twenty should "
            "lie outside the shaded two. A pattern here means that the law, or the assumed valley, is wrong."
        ),
        alternative=f"{far} of {len(standard)} networks lie more than two standard errors off.",
        views=(
            View(
                label="by size",
                data=_traces(study, cells.params, standard),
                layout=layout(
                    log_axis(f"N, parameters ({cells.counting})", low, high, counts=True),
                    y,
                    legend="layers",
                    shapes=shapes,
                ),
            ),
            View(
                label="by distance from the best depth",
                data=_traces(study, ratio, standard),
                layout=layout(by_ratio, y, legend="layers", shapes=shapes),
            ),
        ),
        columns=("depth × width", "N", "L over the best depth", "residual, nats", "in standard errors"),
        rows=tuple(
            (label, size(n), number(r), f"{left:+.4f}", f"{z:+.1f}")
            for label, n, r, left, z in zip(cells.labels, cells.params, ratio, fit.residuals, standard, strict=True)
        ),
    )


def _traces(study: Study, x: Array, standard: Array) -> list[dict[str, Any]]:
    cells, depths = study.cells, np.unique(study.cells.depth)
    traces = []
    for place, depth in enumerate(depths):
        chosen = np.flatnonzero(cells.depth == depth)
        traces.append(
            {
                "x": floats(x[chosen], 5),
                "y": floats(standard[chosen], 4),
                "mode": "markers",
                "name": f"{depth:g}",
                "marker": {"symbol": marker(place), "color": ordered(place, len(depths)), "size": 8},
                "text": [f"{cells.labels[i]} · N {size(cells.params[i])}<br>{standard[i]:+.1f}" for i in chosen],
                "hovertemplate": "%{text}<extra></extra>",
            }
        )
    return traces
