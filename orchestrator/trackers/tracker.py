"""What a tracker is: a place outside the record where a sweep's metrics are shown, fed by orchestrator.trackers.mirror.

A tracker is one module in `orchestrator/trackers/` with `open_tracker`. It runs in a process of its own, so it may
raise, block or leak: no trial knows of it.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any, Protocol

from sweeps.tracking import Tracking

PACKAGES = {"tensorboard": "tensorboardX", "mlflow": "mlflow", "wandb": "wandb"}


@dataclass(frozen=True, slots=True, kw_only=True)
class Shown:
    """A trial as a tracker shows it: its name, and what it is (numbers and words)."""

    trial_id: str
    name: str
    facts: Mapping[str, Any]


@dataclass(frozen=True, slots=True, kw_only=True)
class Point:
    """Metrics of one step, in the record's own names and units; `seconds` is their time since 1970."""

    step: int
    seconds: float
    metrics: Mapping[str, float]


class Tracker(Protocol):
    """Called for every trial in this order: `begin` once a process, `add` any number of times, `end` at most once."""

    def begin(self, trial: Shown) -> None: ...

    def add(self, trial: Shown, points: Sequence[Point]) -> None: ...

    def end(self, trial: Shown, reason: str) -> None: ...

    def close(self) -> None:
        """Everything that was added is kept when this returns."""


class Module(Protocol):
    """A tracker's module."""

    def open_tracker(self, options: Any, sweep: str, folder: Path) -> Tracker:
        """options: the tracker's section of the spec; folder: a place of its own for what it keeps."""


def chosen(tracking: Tracking) -> dict[str, Any]:
    """The trackers a spec asks for, with their options."""
    sections = {name: getattr(tracking, name) for name in PACKAGES}
    return {name: options for name, options in sections.items() if options is not None}
