"""A figure of the report: what Plotly draws, and the same said in words and as a table for whoever does not see it."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any


@dataclass(frozen=True, slots=True, kw_only=True)
class View:
    """One way of looking at a figure: Plotly's traces and layout, colours as tokens (analysis.report.charts.style)."""

    label: str
    data: list[dict[str, Any]]
    layout: dict[str, Any]


@dataclass(frozen=True, slots=True, kw_only=True)
class Chart:
    """One figure.

    caption        what is drawn and how to read it
    alternative    what a reader sees in it, in words
    columns, rows  the same numbers as a table; cells are text already
    """

    id: str
    title: str
    caption: str
    alternative: str
    views: tuple[View, ...]
    columns: tuple[str, ...]
    rows: tuple[tuple[str, ...], ...]

    def spec(self) -> dict[str, Any]:
        """What the page's script draws."""
        return {"id": self.id, "views": [{"label": v.label, "data": v.data, "layout": v.layout} for v in self.views]}
