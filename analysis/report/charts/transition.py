"""The transition in the paper's own picture: the width at which each depth is best, theory's threshold beside it."""

from __future__ import annotations

from typing import Any

import numpy as np

from analysis.crossings import Crossing, Verdict, adjacent
from analysis.fit import Fit
from analysis.report.charts.chart import Chart, View
from analysis.report.charts.style import band, floats, layout, log_axis
from analysis.report.wording import between, number, plain, size
from analysis.source import Source
from analysis.study import Study
from analysis.theory import slope_ratio, threshold_width
from analysis.transition_law import TransitionLaw

SEEN = (Verdict.CROSSES, Verdict.LIKELY)


def transition_chart(study: Study, fit: Fit | None, published: Source) -> Chart | None:
    """Width over depth; None where no two depths can be compared and no law of the transition was fitted."""
    pairs = adjacent(study.crossings)
    if not pairs and fit is None:
        return None
    k = study.cells.block_coefficient
    shallow, deep = float(study.cells.depth.min()), float(study.cells.depth.max())
    depths = np.linspace(max(0.7 * shallow, 0.5), 1.15 * deep, 80)
    traces: list[dict[str, Any]] = []
    if fit is not None and isinstance(fit.law, TransitionLaw):
        law, draws = fit.law, fit.draws
        if len(draws):
            widths = np.stack([law.log_width(theta, np.log(depths)) for theta in draws])
            low, high = np.exp(np.quantile(widths, [(1 - fit.confidence) / 2, (1 + fit.confidence) / 2], axis=0))
            traces += band(floats(depths, 4), floats(low, 4), floats(high, 4), color="@accent~0.16", legendgroup="own")
        traces.append(
            _curve(depths, law.width(depths), f"{law.card.name}, fitted here", "@accent", "solid", 2.2)
            | {"legendgroup": "own"}
        )
    if isinstance(published.law, TransitionLaw):
        traces.append(_curve(depths, published.law.width(depths), "as published", "@muted", "dash", 1.4))
    traces.append(_curve(depths, threshold_width(depths), "theory: d = 3^L", "@cat:0", "dot", 1.6))
    traces += _points(pairs, k)
    low_d, high_d = float(study.cells.width.min()) / 2, float(study.cells.width.max()) * 2
    return Chart(
        id="transition",
        title="The transition: from which width a depth pays",
        caption=(
            "A disc is a crossing of two neighbouring depths, drawn at their geometric mean, with its 95 % interval; "
            "open where only that pair's own noise supports it; a triangle points the way a pair lies that has not "
            "crossed yet, or had already. Dotted: the theory's threshold d = 3^L, which rises about "
            f"{slope_ratio(0.0555):.0f} times more steeply than the published measurement."
        ),
        alternative=f"Transition: {study.transition}.",
        views=(
            View(
                label="transition",
                data=traces,
                layout=layout(
                    {"title": {"text": "L, layers"}, "range": [float(depths[0]), float(depths[-1])]},
                    log_axis("d, width at which L is the best depth", low_d, high_d, counts=False),
                    legend="",
                ),
            ),
        ),
        columns=("layers", "verdict", "N", "95 % interval of N", "width there", "flags"),
        rows=tuple(
            (
                f"{one.shallow:g} → {one.deep:g}",
                str(one.verdict),
                size(one.params),
                between(one.interval, size),
                number(_width(one.params, one.depth, k), 3) if one.params else "–",
                "; ".join(one.flags),
            )
            for one in pairs
        ),
    )


def _width(params: float, depth: float, block_coefficient: float) -> float:
    return float(np.sqrt(params / (block_coefficient * depth)))


def _curve(depths: Any, widths: Any, name: str, colour: str, dashes: str, thickness: float) -> dict[str, Any]:
    return {
        "x": floats(depths, 4),
        "y": floats(widths, 4),
        "mode": "lines",
        "name": name,
        "line": {"color": colour, "dash": dashes, "width": thickness},
        "text": [f"{number(L)} layers from d = {plain(round(d))}" for L, d in zip(depths, widths, strict=True)],
        "hovertemplate": "%{text}<extra>%{fullData.name}</extra>",
    }


def _points(pairs: tuple[Crossing, ...], k: float) -> list[dict[str, Any]]:
    traces: list[dict[str, Any]] = []
    for one in pairs:
        low, high = (_width(n, one.depth, k) if n else None for n in one.interval)
        name = f"{one.shallow:g} → {one.deep:g} layers: {one.verdict}"
        look: dict[str, Any] = {"x": [one.depth], "mode": "markers", "showlegend": False}
        if one.params and one.verdict in SEEN:
            at = _width(one.params, one.depth, k)
            hover = f"{name}<br>d = {at:.0f}, N = {size(one.params)} ({between(one.interval, size)})"
            symbol = "circle" if one.verdict == Verdict.CROSSES else "circle-open"
            bars = {"symmetric": False, "array": [(high or at) - at], "arrayminus": [at - (low or at)]}
            traces.append(
                look
                | {
                    "y": [at],
                    "error_y": bars | {"color": "@ink", "thickness": 1, "width": 3},
                    "marker": {"symbol": symbol, "size": 9, "color": "@ink"},
                    "hovertemplate": f"{hover}<extra></extra>",
                }
            )
        elif low or high:
            symbol = "triangle-up-open" if low else "triangle-down-open"
            traces.append(
                look
                | {
                    "y": [low or high],
                    "marker": {"symbol": symbol, "size": 11, "color": "@ink"},
                    "hovertemplate": f"{name}<br>N: {between(one.interval, size)}<extra></extra>",
                }
            )
    return traces
