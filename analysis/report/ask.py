"""Data behind “a shape for your size”: every law's depth and interval over a fine grid of sizes."""

from __future__ import annotations

from typing import Any

import numpy as np

from analysis.report.charts.style import floats
from analysis.source import Source

# Sizes per decade: between them the page interpolates ln L over ln N, off by less than 1 part in 1,000 (tested).
PER_DECADE = 8
SMALLEST, LARGEST = 1e4, 1e13


def ask_data(own: Source | None, published: tuple[Source, ...]) -> dict[str, Any]:
    """ln N and, by law, ln L* with its interval; k of N = k·L·d²; the sizes behind the law."""
    count = round(np.log10(LARGEST / SMALLEST)) * PER_DECADE + 1
    sizes = np.geomspace(SMALLEST, LARGEST, count)
    laws = []
    for source in ([own] if own else []) + list(published):
        intervals = [source.depth_interval(float(n)) for n in sizes]
        pairs = np.log(np.array(intervals, float).T) if all(intervals) else None
        laws.append(
            {
                "name": "this sweep's law" if source is own else source.name,
                "label": source.label,
                "k": source.block_coefficient,
                "depth": floats(np.log(source.depth(sizes)), 7),
                "low": None if pairs is None else floats(pairs[0], 7),
                "high": None if pairs is None else floats(pairs[1], 7),
                "range": list(source.params_range) if source.params_range else None,
            }
        )
    return {"log_params": floats(np.log(sizes), 9), "laws": laws}
