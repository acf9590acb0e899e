"""A sweep's hard cap on device-hours and price: what is spent, what is promised to trials that run, and what may start.

What a sweep has spent is in its record (sweeps/spending.py); a run adds what it spends itself.
"""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from dataclasses import dataclass

from orchestrator.devices import CPU, Devices
from orchestrator.nodes import Job
from sweeps.spec import Budget


@dataclass(frozen=True, slots=True, kw_only=True)
class Cost:
    """What a trial costs, or has cost: device-hours, and their price."""

    hours: float = 0.0
    price: float = 0.0

    def __add__(self, other: Cost) -> Cost:
        return Cost(hours=self.hours + other.hours, price=self.price + other.price)


class Ledger:
    """What the budget still allows. A trial starts only if its whole estimate fits beside what is spent and promised.

    spent   device-hours by kind of device, as the record has them. A kind that the file of devices no longer
            knows has no price: SpecError.
    """

    def __init__(self, budget: Budget, devices: Devices, spent: Mapping[str, float]) -> None:
        self.budget, self.devices = budget, devices
        self.spent = Cost()
        for kind, hours in spent.items():
            self.spent += Cost(hours=hours, price=hours * devices.named(kind).price_hour)
        self.running: dict[str, tuple[Job, float]] = {}

    def cost(self, job: Job, seconds: float | None = None) -> Cost:
        """Of so many seconds of a job, of all it is expected to take if they are left out."""
        hours = (job.seconds if seconds is None else seconds) * job.devices / 3600
        return Cost(hours=hours, price=hours * self.devices.named(job.need.device or CPU).price_hour)

    def within(self, cost: Cost) -> bool:
        """Whether a cost in all is inside the cap."""
        hours, price = self.budget.hours, self.budget.price
        return (hours is None or cost.hours <= hours) and (price is None or cost.price <= price)

    def affords(self, job: Job) -> bool:
        promised = sum((self.cost(other) for other, _ in self.running.values()), Cost())
        return self.within(self.spent + promised + self.cost(job))

    def start(self, job: Job, now: float) -> None:
        self.running[job.key] = job, now

    def settle(self, key: str, now: float) -> None:
        """A job has ended: what it took is spent."""
        job, started = self.running.pop(key)
        self.spent += self.cost(job, now - started)

    def used(self, now: float) -> Cost:
        """All that is spent at a moment, by what runs as well."""
        going = (self.cost(job, now - started) for job, started in self.running.values())
        return self.spent + sum(going, Cost())

    def exhausted(self, now: float) -> bool:
        """Whether what runs has taken so much longer than expected that the cap itself is reached."""
        return bool(self.running) and not self.within(self.used(now))

    def says(self, used: Cost) -> str:
        """The cap and what is used of it, for a person."""
        parts = []
        if self.budget.hours is not None:
            parts.append(f"{used.hours:.4g} of {self.budget.hours:g} device-hours")
        if self.budget.price is not None:
            parts.append(f"{used.price:,.2f} of {self.budget.price:,.2f} {self.devices.currency}")
        return " and ".join(parts)


def ledger_for(budget: Budget, devices: Devices, spent: Mapping[str, float]) -> Ledger | None:
    """A ledger, None where the spec sets no cap."""
    return None if budget.hours is None and budget.price is None else Ledger(budget, devices, spent)


def affordable(jobs: Iterable[Job], ledger: Ledger) -> list[str]:
    """Of jobs in the order in which they would start, the keys of those that would, as things stand.

    One that would pass the cap is passed over, and a smaller one after it may still fit.
    """
    allowed: list[str] = []
    total = ledger.used(0.0)
    for job in jobs:
        after = total + ledger.cost(job)
        if ledger.within(after):
            total = after
            allowed.append(job.key)
    return allowed
