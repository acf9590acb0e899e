"""A run's own account of itself, from the events it hears: what the live display shows."""

from __future__ import annotations

import time
from collections import Counter, defaultdict
from collections.abc import Callable, Mapping
from dataclasses import dataclass, field
from typing import Any

from models.counts import parameters
from orchestrator.board import Board, Row, Share, fraction_done, seconds_left, with_waiting
from orchestrator.devices import CPU, Devices
from orchestrator.dispatch import Order
from orchestrator.failures import is_final, kind
from orchestrator.nodes import Job
from orchestrator.work import Assigned
from sweeps.planning import Plan, Planned
from sweeps.states import TrialState


@dataclass(slots=True)
class Going:
    """An attempt under way, and the last that was heard of it."""

    order: Order
    since: float
    paced: float = 0.0  # when it was first heard of: what came before was imports and set-up
    resumed: int | None = None
    heard: dict[str, Any] = field(default_factory=dict)


class Tally:
    """What has happened to the trials of a plan, and what it cost.

    assign   a trial's job, for its estimate
    spent    device-hours by kind of device that the record has already
    """

    def __init__(
        self,
        plan: Plan,
        known: Mapping[str, TrialState],
        assign: Callable[[Planned, int], tuple[Job, Assigned]],
        devices: Devices,
        spent: Mapping[str, float],
        retries: int,
    ) -> None:
        self.name, self.assign, self.devices, self.retries = plan.name, assign, devices, retries
        self.spent = defaultdict(float, spent)
        self.going: dict[str, Going] = {}
        self.jobs: dict[str, Job] = {}
        self.ends: dict[str, list[str]] = {}
        self.done: dict[str, float] = {}  # part of a trial that is done and kept
        self.measured = self.worked = 0.0  # device-seconds of this run, and the work they did, as estimated
        self.adopt(plan, known)

    def adopt(self, plan: Plan, known: Mapping[str, TrialState]) -> None:
        """Take up a plan: at first, and again when more of it has become literal."""
        self.waiting = sum(waiting.trials for waiting in plan.waiting)
        for planned in plan.trials:
            key = planned.trial.trial_id
            if key not in self.jobs:
                self.jobs[key] = self.assign(planned, 0)[0]
                self.ends[key] = [end or "lost" for end in known.get(key, TrialState()).endings]

    def event(self, what: str, order: Order, result: dict[str, Any] | None) -> None:
        """start, progress or end of an attempt."""
        key, now = order.planned.trial.trial_id, time.monotonic()
        if what == "start":
            self.going[key] = Going(order, now)
        elif what == "progress" and key in self.going and result:
            going = self.going[key]
            if going.resumed is None:
                going.resumed, going.paced = result["step"], now
            going.heard = result
            self.done[key] = self.part(order, result["step"])
        elif what == "end" and key in self.going and result:
            going = self.going.pop(key)
            self.settle(going, now)
            self.ends[key].append(result["reason"])
            if kind(result["reason"]) == "completed":
                self.done[key] = 1.0

    def settle(self, going: Going, now: float) -> None:
        """What an attempt took is spent."""
        job = going.order.placement.job
        self.spent[job.need.device or CPU] += (now - going.since) * job.devices / 3600
        took, work = self.pace_of(going, now)
        self.measured += took
        self.worked += work

    def part(self, order: Order, step: int) -> float:
        trial = order.planned.trial
        return (step - trial.first) / (trial.last - trial.first)

    def pace_of(self, going: Going, now: float) -> tuple[float, float]:
        """Device-seconds an attempt has taken since its first report, and the work it did in them."""
        if going.resumed is None:
            return 0.0, 0.0
        job = going.order.placement.job
        part = self.part(going.order, going.heard["step"]) - self.part(going.order, going.resumed)
        return (now - going.paced) * job.devices, part * job.seconds * job.devices

    def board(self, said: str | None = None) -> Board:
        """As things stand now."""
        now = time.monotonic()
        failed: Counter[str] = Counter()
        troubled: Counter[str] = Counter()
        finished = 0
        shares = []
        for key, job in self.jobs.items():
            kinds = [kind(end) for end in self.ends[key]]
            over = is_final(self.ends[key], self.retries)
            if over and kinds[-1] == "completed":
                finished += 1
            elif over:
                failed[kinds[-1]] += 1
            troubled.update(one for one in kinds[: -1 if over else None] if one not in ("completed", "interrupted"))
            going = self.going.get(key)
            part = 1.0 if over else self.done.get(key, 0.0)
            shares.append(Share(work=job.seconds * job.devices, done=part, devices=job.devices if going else None))
        shares = with_waiting(shares, self.waiting)
        paces = [self.pace_of(going, now) for going in self.going.values()]
        took = self.measured + sum(pace[0] for pace in paces)
        work = self.worked + sum(pace[1] for pace in paces)
        busy = sum(going.order.placement.job.devices for going in self.going.values())
        hours = defaultdict(float, self.spent)
        for going in self.going.values():
            job = going.order.placement.job
            hours[job.need.device or CPU] += (now - going.since) * job.devices / 3600
        return Board(
            sweep=self.name,
            trials=len(shares),
            finished=finished,
            failed=tuple(sorted(failed.items())),
            troubled=tuple(sorted(troubled.items())),
            running=tuple(self.row(going, now) for going in self.going.values()),
            fraction=fraction_done(shares),
            seconds_left=seconds_left(shares, took, work, busy, trusted=True),
            hours=sum(hours.values()),
            price=sum(spent * self.devices.named(name).price_hour for name, spent in hours.items()),
            currency=self.devices.currency,
            said=said,
        )

    def row(self, going: Going, now: float) -> Row:
        trial, job = going.order.planned.trial, going.order.placement.job
        many = job.devices
        return Row(
            trial_id=trial.trial_id,
            label=trial.shape.label,
            params=parameters(trial.shape),
            attempt=going.order.attempt,
            step=going.heard.get("step", trial.first),
            last_step=trial.last,
            loss=going.heard.get("loss"),
            tokens_per_second=going.heard.get("tokens_per_second"),
            device=f"{many:g} {job.need.device or 'core' + ('s' if many != 1 else '')}",
            seconds=now - going.since,
        )
