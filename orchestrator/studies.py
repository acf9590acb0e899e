"""A sweep's study from its record."""

from __future__ import annotations

from analysis.record_losses import record_losses
from analysis.status import FitError
from analysis.study import Study, study
from sweeps.store import Store


def sweep_study(store: Store, sweep: str, *, tokens: float | None = None, laws: tuple[str, ...] | None = None) -> Study:
    """Everything the sweep's losses say. Raises NoSuchSweep, RecordError, and FitError where they say nothing."""
    rows = record_losses(store, sweep)
    try:
        return study(rows, tokens=tokens, laws=laws)
    except FitError as error:
        left = int(rows["status"].isin(["planned", "unfinished", "interrupted", "lost"]).sum())
        if not left:
            raise
        raise FitError(
            f"{error}; {left} of {len(rows)} trainings of {sweep} have not finished: `sweep run` with its spec goes on"
        ) from None
