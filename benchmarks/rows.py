"""What a benchmark gives: rows for the table, curves for the plots. Missing is None, never 0."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Literal


@dataclass(frozen=True, slots=True, kw_only=True)
class Row:
    """One figure that is claimed.

    figure   in `unit`, the median of what was measured
    target   what it must reach, in the same unit; None where nothing is claimed and the figure is for the reader
    better   whether more or less of it is
    peer     who it is measured against, and the peer's own figure, in words
    note     how it was measured where the section does not say it already, or what stands in the way
    """

    name: str
    figure: float | None
    unit: str
    target: float | None = None
    better: Literal["more", "less"] = "more"
    peer: str = ""
    note: str = ""

    @property
    def met(self) -> bool | None:
        if self.target is None or self.figure is None:
            return None
        return self.figure >= self.target if self.better == "more" else self.figure <= self.target


@dataclass(frozen=True, slots=True, kw_only=True)
class Curve:
    """How a cost grows: (x, y) pairs in ascending x, both axes logarithmic; `note` explains where it bends upwards."""

    name: str
    x_label: str
    y_label: str
    points: tuple[tuple[float, float], ...]
    note: str = ""
