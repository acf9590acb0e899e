"""The budget: what may start, what is spent, and that the dispatcher passes over what would break it."""

from collections.abc import Mapping
from datetime import UTC, datetime, timedelta
from pathlib import Path
from typing import Any

import pytest

from orchestrator.assign import assigner, machines_of
from orchestrator.budget import Cost, Ledger, affordable, ledger_for
from orchestrator.devices import SHIPPED, load_devices
from orchestrator.nodes import Job, Need, Node
from orchestrator.simulator import simulate
from sweeps.planning import plan
from sweeps.record import claim, part_name
from sweeps.rows import METRICS, encode
from sweeps.spec import Budget
from sweeps.spending import device_hours
from sweeps.store import Store, open_store
from sweeps.views import connect
from tests.sweeps.specs import small

DEVICES = load_devices(SHIPPED)
HOUR = 3600.0


def ledger(spent: Mapping[str, float] | None = None, **budget: float) -> Ledger:
    return Ledger(Budget(**budget), DEVICES, spent or {})


def job(key: str, hours: float, workers: int = 1, device: str | None = "H100") -> Job:
    return Job(key=key, need=Need(workers=workers, gpus=1.0 if device else 0.0, device=device), seconds=hours * HOUR)


def test_what_would_pass_the_cap_is_passed_over() -> None:
    jobs = [job("a", 5), job("b", 4), job("c", 1)]
    assert affordable(jobs, ledger({"h100": 1}, hours=8)) == ["a", "c"]
    assert affordable(jobs, ledger(price=4)) == ["c"]  # 3 USD an hour
    assert affordable([job("a", 5, workers=2)], ledger(hours=8)) == []
    assert ledger_for(Budget(), DEVICES, {}) is None


def test_what_runs_is_promised_and_then_spent_as_it_was() -> None:
    book = ledger(hours=10)
    book.start(job("a", 6), now=0)
    assert not book.affords(job("b", 5))
    assert book.affords(job("b", 4))
    book.settle("a", now=2 * HOUR)
    assert book.spent == Cost(hours=2, price=6)
    assert book.affords(job("b", 8))


def test_a_trial_that_takes_longer_than_was_thought_exhausts_the_cap_itself() -> None:
    book = ledger(price=7)
    book.start(job("a", 2), now=0)
    assert not book.exhausted(2 * HOUR)
    assert book.exhausted(2.5 * HOUR)
    assert "7.50 of 7.00 USD" in book.says(book.used(2.5 * HOUR))


def test_a_simulated_sweep_starts_what_its_budget_allows_and_no_more() -> None:
    spec = small(grid={"depths": [1, 2], "widths": [8, 16, 24]})
    made = plan(spec, None, {})
    nodes = [Node(name="n", cpus=2)]
    assign = assigner(spec, made.trials, machines_of(nodes, DEVICES))
    hours = {p.trial.trial_id: assign(p)[0].seconds / HOUR for p in made.trials}
    cap = sum(hours.values()) - 0.5 * min(hours.values())
    simulation = simulate(made, nodes, assign, ledger=ledger(hours=cap))
    ran = {span.key for span in simulation.spans}
    assert len(simulation.unaffordable) == 1
    assert ran | set(simulation.unaffordable) == hours.keys()
    assert sum(hours[key] for key in ran) <= cap
    assert simulate(made, nodes, assign, ledger=ledger(hours=2 * cap)).unaffordable == ()


START = datetime(2026, 1, 1, tzinfo=UTC)


def attempt(store: Store, trial: str, number: int, seconds: float | None, **facts: Any) -> None:
    """An attempt that was claimed at START and wrote its last row so many seconds later, or none."""
    claim(store, trial, number, {"driver": "d", "claimed_at": START} | facts)
    if seconds is not None:
        row = {"trial_id": trial, "attempt": number, "resume_step": 0, "seq": 0, "step": 1, "tokens": 1, "flops": 1.0}
        moment = {"wall_time": START + timedelta(seconds=seconds)}
        store.publish(part_name(trial, number, 0), encode([row | moment], METRICS))


def test_what_is_spent_comes_from_the_record(tmp_path: Path) -> None:
    store = open_store(tmp_path)
    a, b, other = ("a" * 16, "b" * 16, "c" * 16)
    attempt(store, a, 1, HOUR, kind="h100", devices=8.0)
    attempt(store, a, 2, HOUR / 2, kind="h100", devices=0.25)
    attempt(store, b, 1, HOUR, workers=2, threads=3)  # an older record does not say of which kind
    attempt(store, b, 2, None, kind="h100", devices=8.0)
    attempt(store, other, 1, HOUR, kind="h100", devices=8.0)
    with connect(store) as connection:
        assert device_hours(connection, [a, b]) == pytest.approx({"h100": 8.125, "cpu": 6.0})
        assert device_hours(connection, []) == {}
