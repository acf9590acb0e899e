"""Training loss against tokens, a line a trial, coloured and dashed by depth."""

from __future__ import annotations

from typing import Any

import numpy as np

from analysis.report.charts.chart import Chart, View
from analysis.report.charts.style import dash, floats, layout, log_axis, ordered, safe
from analysis.report.reading import Reading
from analysis.report.wording import count, nats, size

MOST = 240  # lines drawn: more would be a smear, and a slow one


def training_chart(reading: Reading) -> Chart | None:
    """None where nothing has been trained yet."""
    trials = [trial for trial in reading.trials if trial["trial_id"] in reading.curves]
    if not trials:
        return None
    drawn = trials
    if len(trials) > MOST:
        drawn = [trials[int(i)] for i in np.unique(np.linspace(0, len(trials) - 1, MOST).astype(int))]
    depths = sorted({trial["depth"] for trial in drawn})
    traces: list[dict[str, Any]] = []
    crowded = len(drawn) > 40
    for place, depth in enumerate(depths):
        x: list[float | None] = []
        y: list[float | None] = []
        text: list[str | None] = []
        for trial in (trial for trial in drawn if trial["depth"] == depth):
            tokens, losses = reading.curves[trial["trial_id"]]
            label = safe(f"{depth}×{trial['width']}" + (f" seed {trial['seed']}" if trial["seed"] is not None else ""))
            # a gap between two trials: they share a trace, so that the legend turns a depth on and off
            x += [*floats(tokens, 4), None]
            y += [*floats(losses, 5), None]
            text += [label] * len(tokens) + [None]
        traces.append(
            {
                "x": x,
                "y": y,
                "text": text,
                "mode": "lines",
                "name": f"{depth}",
                "connectgaps": False,
                "line": {
                    "color": ordered(place, len(depths)),
                    "width": 0.8 if crowded else 1.3,
                    "dash": "solid" if crowded else dash(place),
                },
                "opacity": 0.7 if crowded else 1,
                "hovertemplate": "%{text}<br>%{x:.3s} tokens<br>loss %{y:.4f}<extra></extra>",
            }
        )
    xs = [tokens for tokens, _ in (reading.curves[t["trial_id"]] for t in drawn)]
    low, high = min(x[0] for x in xs), max(x[-1] for x in xs)
    last = [reading.curves[trial["trial_id"]][1][-1] for trial in drawn]
    some = "" if drawn is trials else f" {MOST} of {len(trials)} are drawn, spread evenly over the plan."
    return Chart(
        id="training",
        title="How training went",
        caption=(
            "Loss on the training batches, averaged over steps evenly spaced in their logarithm. Choose depths in the "
            f"legend.{some}"
        ),
        alternative=f"{count(len(trials), 'trial')} so far; last losses from {nats(min(last))} to {nats(max(last))}.",
        views=(
            View(
                label="training",
                data=traces,
                layout=layout(
                    log_axis("tokens seen", low, high * 1.05, counts=True),
                    {"title": {"text": "training loss, nats per token"}},
                    legend="layers",
                ),
            ),
        ),
        columns=("depth × width", "tokens seen", "last training loss, nats"),
        rows=tuple(
            (
                f"{t['depth']}×{t['width']}",
                size(reading.curves[t["trial_id"]][0][-1], 3),
                nats(reading.curves[t["trial_id"]][1][-1]),
            )
            for t in drawn
        ),
    )
