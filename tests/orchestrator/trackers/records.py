"""A record with rows of two trials, as a run would write them, but without training anything."""

from typing import Any

from orchestrator.writer import Writer
from sweeps.planning import Plan, plan
from sweeps.record import publish_plan
from sweeps.spec import Spec
from sweeps.store import Store
from tests.sweeps.specs import small


def asking(tracking: Any = None) -> Spec:
    """25 steps a trial."""
    changes = {} if tracking is None else {"tracking": tracking}
    return small(grid={"depths": [1, 2], "widths": [8]}, **changes)


def planned(spec: Spec, store: Store) -> Plan:
    made = plan(spec, "c" * 64, {})
    publish_plan(store, made, spec.model_dump(mode="json"), {})
    return made


def train(store: Store, trial: Any, first: int, last: int, attempt: int = 1, end: str | None = None) -> None:
    """Rows of the steps after `first` up to `last`, and of the attempt's end."""
    writer = Writer(store, trial_id=trial.trial_id, attempt=attempt, resume_step=first)
    writer.add({"step": first, "tokens": first * 256, "flops": 0.0, "event": "start", "reason": "initialisation"})
    for step in range(first + 1, last + 1):
        row = {"step": step, "tokens": step * 256, "flops": 1.0, "loss": loss(step), "lr": 1e-2, "grad_norm": None}
        writer.add(row | ({"eval_loss": loss(step) + 1} if step == 25 else {}))
    if end:
        writer.add({"step": last, "tokens": last * 256, "flops": 1.0, "event": "end", "reason": end})
    writer.flush()


def loss(step: int) -> float:
    return 5 - step / 10
