"""A sweep's study from its record."""

from __future__ import annotations

from analysis.record_losses import record_losses
from analysis.study import Study, study
from sweeps.store import Store


def sweep_study(store: Store, sweep: str, *, tokens: float | None = None, laws: tuple[str, ...] | None = None) -> Study:
    """Everything the sweep's losses say. Raises NoSuchSweep, RecordError, and FitError where they say nothing."""
    return study(record_losses(store, sweep), tokens=tokens, laws=laws)
