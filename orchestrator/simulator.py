"""A sweep on a cluster that is not there: the run's own dispatcher and packing, driven by a clock."""

from __future__ import annotations

import heapq
from collections.abc import Collection, Mapping, Sequence
from dataclasses import dataclass

from orchestrator.assign import Assign
from orchestrator.budget import Ledger
from orchestrator.choices import Choice, devices_of
from orchestrator.dispatch import Dispatcher
from orchestrator.nodes import Cluster, Node, Placement
from sweeps.planning import Plan
from sweeps.safe_yaml import SpecError
from sweeps.states import TrialState


@dataclass(frozen=True, slots=True, kw_only=True)
class Span:
    """A trial in the simulated time, seconds from the sweep's start."""

    key: str
    start: float
    end: float
    placement: Placement


@dataclass(frozen=True, slots=True, kw_only=True)
class Simulation:
    """What a sweep comes to.

    makespan_seconds, lower_bound_seconds   first start to last end; what no schedule could beat (lower_bound)
    device_seconds   of devices occupied; utilisation is that over all devices for the makespan
    unaffordable   trials that the budget does not let start
    """

    spans: tuple[Span, ...]
    makespan_seconds: float
    lower_bound_seconds: float
    device_seconds: float
    devices: int
    unaffordable: tuple[str, ...] = ()

    @property
    def utilisation(self) -> float:
        return self.device_seconds / (self.makespan_seconds * self.devices) if self.makespan_seconds else 0.0


def simulate(
    plan: Plan,
    nodes: Sequence[Node],
    assign: Assign,
    *,
    states: Mapping[str, TrialState] | None = None,
    durations: Mapping[str, float] | None = None,
    lower_bound_seconds: float = 0.0,
    ledger: Ledger | None = None,
) -> Simulation:
    """Run a plan's trials against a clock. Raises SpecError for a trial that no node could ever take.

    durations   seconds of trials that were measured, where the estimate is not to be believed
    """
    cluster = Cluster(nodes)
    dispatcher = Dispatcher(
        plan,
        states or {},
        cluster,
        assign=assign,
        replan=lambda losses: (plan, states or {}),
        retries=0,
        ledger=ledger,
    )
    now = busy = 0.0
    ends: list[tuple[float, int, str, float, Placement]] = []
    spans: list[Span] = []
    while True:
        while order := dispatcher.next(now):
            key = order.planned.trial.trial_id
            seconds = (durations or {}).get(key, order.placement.job.seconds)
            busy += seconds * order.placement.job.devices
            heapq.heappush(ends, (now + seconds, len(spans) + len(ends), key, now, order.placement))
        if not ends:
            break
        now, _, key, start, placement = heapq.heappop(ends)
        spans.append(Span(key=key, start=start, end=now, placement=placement))
        dispatcher.ended(key, "completed", 0.0, now)
    if len(dispatcher.queue):
        job = next(iter(dispatcher.queue))
        raise SpecError(f"{plan.name}: no node has room for trial {job.key}: it needs {job.need.says}")
    devices = sum(node.gpus for node in nodes) or int(sum(node.cpus for node in nodes))
    return Simulation(
        spans=tuple(spans),
        makespan_seconds=now,
        lower_bound_seconds=lower_bound_seconds,
        device_seconds=busy,
        devices=devices,
        unaffordable=tuple(dispatcher.unaffordable),
    )


def lower_bound(found: Collection[Sequence[Choice]], devices: int) -> float:
    """Seconds that no schedule could beat: max(total work at one-device efficiency / devices, the longest trial on its
    best allowed gang).

    found   every way to run each trial; where one device cannot hold it, the smallest gang's work counts
    """
    if not found:
        return 0.0
    alone = [min((c.work for c in each if devices_of(c) <= 1), default=each[0].work) for each in found]
    return max(sum(alone) / devices, max(min(c.seconds for c in each) for each in found))
