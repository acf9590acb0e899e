"""Loss over depth at fixed size: how deep the valley is, and where its bottom lies."""

from __future__ import annotations

from typing import Any

import numpy as np

from analysis.cells import size_groups
from analysis.fit import Fit
from analysis.report.charts.chart import Chart, View
from analysis.report.charts.style import dash, floats, layout, log_axis, marker, ordered
from analysis.report.wording import nats, size
from analysis.study import Study

MOST = 6  # sizes drawn


def valleys_chart(study: Study, fit: Fit | None) -> Chart | None:
    """Loss above the best of its size, for up to six sizes; None where no size has three depths."""
    cells = study.cells
    groups = size_groups(cells.log_params, 1.4)
    wide = [g for g in np.unique(groups) if len(np.unique(cells.depth[groups == g])) >= 3]
    if not wide:
        return None
    shown = [wide[int(i)] for i in np.unique(np.linspace(0, len(wide) - 1, MOST).astype(int))]
    error = np.sqrt(cells.variance(study.noise.sd))
    trend = np.polyfit(cells.log_params, cells.loss, 2)
    traces: list[dict[str, Any]] = []
    rows: list[tuple[str, ...]] = []
    said: list[str] = []
    for place, group in enumerate(shown):
        members = np.flatnonzero(groups == group)
        members = members[np.argsort(cells.depth[members])]
        middle = float(cells.log_params[members].mean())
        level = np.polyval(trend, cells.log_params[members]) - np.polyval(trend, middle)
        loss = cells.loss[members] - level
        above, depth = loss - loss.min(), cells.depth[members]
        params, name, colour = float(np.exp(middle)), size(float(np.exp(middle))), ordered(place, len(shown))
        said.append(f"at N = {name} the least is at {depth[int(np.argmin(above))]:g}")
        rows += [
            (name, cells.labels[i], nats(float(a)), nats(float(e)))
            for i, a, e in zip(members, above, error[members], strict=True)
        ]
        look = {"legendgroup": name, "name": name}
        traces.append(
            look
            | {
                "x": floats(depth),
                "y": floats(above),
                "error_y": {"array": floats(error[members], 3), "color": colour, "thickness": 1, "width": 0},
                "text": [
                    f"{cells.labels[i]} · N {size(cells.params[i])}<br>{nats(float(a))} nats above the best"
                    for i, a in zip(members, above, strict=True)
                ],
                "hovertemplate": "%{text}<extra></extra>",
                "mode": "markers" if fit and fit.valley else "lines+markers",
                "marker": {"symbol": marker(place), "color": colour, "size": 8},
                "line": {"dash": dash(place), "width": 1.2, "color": colour},
            }
        )
        if fit is not None and fit.valley is not None:
            best = float(fit.law.depth(params, fit.block_coefficient))
            base = float(np.mean(above - fit.valley.penalty(params, np.log(depth / best))))
            grid = np.geomspace(depth.min(), depth.max(), 60)
            line = {"color": colour, "width": 1.5, "dash": dash(place)}
            traces.append(
                look
                | {
                    "x": floats(grid, 4),
                    "y": floats(fit.valley.penalty(params, np.log(grid / best)) + base, 5),
                    "mode": "lines",
                    "line": line,
                    "hoverinfo": "skip",
                    "showlegend": False,
                }
            )
    fitted = f" Lines are the valley fitted with {fit.law.card.name}." if fit and fit.valley else ""
    low, high = float(cells.depth.min()) / 1.15, float(cells.depth.max()) * 1.15
    return Chart(
        id="valleys",
        title="What another depth costs",
        caption=(
            "Loss above the best network of about the same size; bars are one standard deviation of the noise. The "
            f"flatter the valley, the less a wrong depth costs.{fitted}"
        ),
        alternative=f"Of the depths trained, {'; '.join(said)} layers.",
        views=(
            View(
                label="valleys",
                data=traces,
                layout=layout(
                    log_axis("L, layers", low, high, counts=False),
                    {"title": {"text": "loss above the best of its size, nats"}, "rangemode": "tozero"},
                    legend="N",
                ),
            ),
        ),
        columns=("N about", "depth × width", "above the best, nats", "± (1 sd)"),
        rows=tuple(rows),
    )
