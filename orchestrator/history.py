"""What the record tells a sweep before it starts: how fast devices are, what is spent, which rungs were reached."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass

from orchestrator.assign import devices_for
from orchestrator.budget import Ledger, ledger_for
from orchestrator.calibration import calibrated, measured, says
from orchestrator.devices import Devices
from orchestrator.failures import is_final
from orchestrator.halving import Halving
from sweeps.planning import Plan
from sweeps.spec import Spec
from sweeps.spending import device_hours
from sweeps.states import TrialState
from sweeps.store import Store
from sweeps.views import connect


@dataclass(frozen=True, slots=True, kw_only=True)
class Past:
    """devices: with speeds as measured; spent: device-hours by kind; ledger, halving: None where none is asked for."""

    devices: Devices
    spent: dict[str, float]
    finished: frozenset[str]
    ledger: Ledger | None
    halving: Halving | None
    notes: tuple[str, ...]


def past(spec: Spec, store: Store, plan: Plan, known: Mapping[str, TrialState]) -> Past:
    """Ask the record. Raises SpecError where it has spent on a kind of device that has no price here."""
    stopping = Halving(spec.early_stopping, plan.trials) if spec.early_stopping else None
    with connect(store) as connection:
        devices, found = calibrated(devices_for(spec), measured(connection))
        spent = device_hours(connection, [planned.trial.trial_id for planned in plan.trials])
        if stopping:
            stopping.learn(connection)
    ledger = ledger_for(spec.budget, devices, spent)
    notes = [says(calibration) for calibration in found]
    if ledger:
        notes.append(f"budget: {ledger.says(ledger.spent)} are spent")
    finished = frozenset(key for key, state in known.items() if is_final(state.endings, spec.cluster.retries))
    return Past(devices=devices, spent=spent, finished=finished, ledger=ledger, halving=stopping, notes=tuple(notes))
