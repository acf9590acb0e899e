"""A sweep's hard cap on device-hours and price: which trials may still start."""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import dataclass

from sweeps.spec import Budget


@dataclass(frozen=True, slots=True, kw_only=True)
class Cost:
    """What a trial costs, or has cost: device-hours, and their price."""

    hours: float
    price: float


def affordable(costs: Iterable[tuple[str, Cost]], budget: Budget, spent: Cost) -> list[str]:
    """Of trials in the order in which they would start, those that still fit, what is spent or promised included.

    A trial that would pass the cap is passed over, and a smaller one after it may still fit.
    """
    hours, price = spent.hours, spent.price
    allowed: list[str] = []
    for key, cost in costs:
        if budget.hours is not None and hours + cost.hours > budget.hours:
            continue
        if budget.price is not None and price + cost.price > budget.price:
            continue
        hours, price = hours + cost.hours, price + cost.price
        allowed.append(key)
    return allowed
