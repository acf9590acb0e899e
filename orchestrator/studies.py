"""A sweep's study from its record."""

from __future__ import annotations

from analysis.record_losses import record_losses
from analysis.status import FitError
from analysis.study import Study, study
from sweeps.store import Store


def sweep_study(store: Store, sweep: str, *, tokens: float | None = None, laws: tuple[str, ...] | None = None) -> Study:
    """Everything the sweep's losses say. Raises NoSuchSweep, RecordError, and FitError where they say nothing."""
    return study(record_losses(store, sweep), tokens=tokens, laws=laws)


def best_law(study: Study) -> str:
    """The law that foretells larger sizes best among those that were fitted. Raises FitError where none was."""
    ranked = [one.law for one in study.ranking if one.law in study.fits] or list(study.fits)
    if not ranked:
        reasons = "; ".join(f"{law}: {reason}" for law, reason in study.refused.items())
        raise FitError(f"no law could be fitted to this sweep: {reasons}")
    return ranked[0]
