"""Trials that were given up, and another go for them."""

from __future__ import annotations

import json
from collections.abc import Collection, Iterable
from dataclasses import asdict, dataclass
from typing import Any

from orchestrator.failures import COUNTED, is_final, kind
from sweeps.record import find_plan
from sweeps.requests import pardon
from sweeps.safe_yaml import SpecError
from sweeps.states import states
from sweeps.store import Store
from sweeps.views import connect

RETRIED = COUNTED | {"diverged"}


@dataclass(frozen=True, slots=True, kw_only=True)
class GivenUp:
    """A trial that no run would try again: how many attempts it had, and how the last one ended.

    counting   the attempts whose ends count against it
    """

    trial_id: str
    attempts: int
    ended: str
    counting: tuple[int, ...]

    @property
    def kind(self) -> str:
        return kind(self.ended)

    def as_dict(self) -> dict[str, Any]:
        return asdict(self) | {"kind": self.kind}


def given_up(store: Store, sweep: str, *, trials: Collection[str], kinds: Collection[str]) -> list[GivenUp]:
    """A sweep's trials that ended for good without being completed or stopped by the sweep's own rule, in its order.

    trials   beginnings of ids, kinds of end: only these; all where they are empty

    Raises NoSuchSweep, and SpecError for a kind that is not retried and a trial that is not in the plan.
    """
    if unknown := sorted(set(kinds) - RETRIED):
        raise SpecError(f"--kind {unknown[0]}: what can be retried ended as {', '.join(sorted(RETRIED))}")
    plan = find_plan(store, sweep)
    for wanted in trials:
        if not any(trial.startswith(wanted) for trial in plan.trial_ids):
            raise SpecError(f"--trial {wanted}: no trial of {sweep} begins so; `sweep status {sweep}` lists them")
    retries = json.loads(plan.footer["interplay.spec"])["cluster"]["retries"]
    with connect(store) as connection:
        known = states(connection, plan.trial_ids)
    found = []
    for trial in plan.trial_ids:
        endings = known[trial].endings if trial in known else ()
        if not is_final(endings, retries) or (trials and not trial.startswith(tuple(trials))):
            continue
        last = endings[-1] or ""
        if kind(last) not in RETRIED or (kinds and kind(last) not in kinds):
            continue
        counting = tuple(number for number, end in enumerate(endings, 1) if end and kind(end) in RETRIED)
        found.append(GivenUp(trial_id=trial, attempts=len(endings), ended=last, counting=counting))
    return found


def pardon_all(store: Store, rows: Iterable[GivenUp]) -> None:
    """Record that the ends of these trials' attempts no longer count."""
    for row in rows:
        for attempt in row.counting:
            pardon(store, row.trial_id, attempt)
