"""What runs next: which trials are ready, what became of those that ran, and where the next one goes.

Pure of Ray: the run drives it from Ray Tune, the simulator from a clock.
"""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Callable, Iterable, Mapping
from dataclasses import dataclass

from orchestrator.budget import Ledger
from orchestrator.failures import is_final, kind
from orchestrator.nodes import Cluster, Job, Node, Placement
from orchestrator.packing import Promise, Queue, Running, next_placement
from orchestrator.work import Assigned
from sweeps.planning import Plan, Planned
from sweeps.states import TrialState


@dataclass(frozen=True, slots=True, kw_only=True)
class Order:
    """Start this attempt there."""

    planned: Planned
    attempt: int
    assigned: Assigned
    placement: Placement


class Dispatcher:
    """Trials of a plan, from the state the record gives them to the end.

    assign   for a trial and how often it has run out of memory: what it needs and how long it may take (a Job whose
             key is the trial's id), and how it is run there
    replan   for final losses by trial: the plan as it is then, and what the record knows of its trials; called
             when something waits for them
    elsewhere   trials that another driver is training
    ledger   what the sweep's budget still allows; None where there is no cap
    """

    def __init__(
        self,
        plan: Plan,
        states: Mapping[str, TrialState],
        cluster: Cluster,
        *,
        assign: Callable[[Planned, int], tuple[Job, Assigned]],
        replan: Callable[[Mapping[str, float | None]], tuple[Plan, Mapping[str, TrialState]]],
        retries: int,
        elsewhere: set[str] | None = None,
        ledger: Ledger | None = None,
    ) -> None:
        self.plan, self.cluster = plan, cluster
        self.assign, self.replan, self.retries = assign, replan, retries
        self.planned: dict[str, Planned] = {}
        self.endings: dict[str, list[str | None]] = {}
        self.losses: dict[str, float | None] = {}
        self.running = Running()
        self.orders: dict[str, Order] = {}
        self.children: dict[str, list[str]] = defaultdict(list)
        self.queue = Queue()
        self.promise: Promise | None = None
        self.queued: dict[str, Assigned] = {}
        self.elsewhere = elsewhere or set()
        self.ledger = ledger
        self.unaffordable: dict[str, Job] = {}  # would start, were there budget
        self.stalled = False  # nothing fits until something ends or is added
        self.adopt(plan, states)

    def adopt(self, plan: Plan, states: Mapping[str, TrialState]) -> None:
        """Take up a plan: at first, and again when more of it has become literal."""
        self.plan = plan
        new = [planned for planned in plan.trials if planned.trial.trial_id not in self.planned]
        for planned in new:
            key, state = planned.trial.trial_id, states.get(planned.trial.trial_id, TrialState())
            self.planned[key] = planned
            self.endings[key] = list(state.endings)
            if planned.trial.parent:
                self.children[planned.trial.parent].append(key)
            if self.is_final(key):
                self.losses[key] = state.eval_loss if self.completed(key) else None
        for planned in new:
            self.offer(planned.trial.trial_id)

    def offer(self, key: str) -> None:
        """Queue a trial if it could start were there room."""
        parent = self.planned[key].trial.parent
        if self.is_final(key) or key in self.elsewhere or (parent is not None and not self.completed(parent)):
            return
        job, assigned = self.assign(
            self.planned[key], sum(kind(end or "") == "out_of_memory" for end in self.endings[key])
        )
        self.queue.add(job)
        self.queued[key] = assigned
        self.stalled = False

    def next(self, now: float) -> Order | None:
        """The attempt to start now; None while nothing should. The caller starts it."""
        if self.stalled:
            return None
        while True:
            if self.ledger:
                self.pass_over([job for job in self.queue.heads() if not self.ledger.affords(job)])
            placement, self.promise = next_placement(self.queue, self.cluster, self.running, now, self.promise)
            if placement is None:
                self.stalled = True
                return None
            if not self.ledger or self.ledger.affords(placement.job):
                break
            self.pass_over([placement.job])
        key = placement.job.key
        self.queue.remove(placement.job)
        self.cluster.take(placement)
        self.running.add(placement, now + placement.job.seconds)
        if self.ledger:
            self.ledger.start(placement.job, now)
        attempt = len(self.endings[key]) + 1
        self.endings[key].append(None)
        order = Order(planned=self.planned[key], attempt=attempt, assigned=self.queued.pop(key), placement=placement)
        self.orders[key] = order
        return order

    def pass_over(self, jobs: list[Job]) -> None:
        """Leave jobs out that the budget does not allow now, and those behind them likewise."""
        assert self.ledger is not None
        while jobs:
            for job in jobs:
                self.queue.remove(job)
                self.unaffordable[job.key] = job
            self.promise = None
            jobs = [job for job in self.queue.heads() if not self.ledger.affords(job)]

    def ended(self, key: str, reason: str, eval_loss: float | None, now: float) -> None:
        """An attempt has ended, or was lost."""
        self.release(key, now)
        self.endings[key][-1] = reason
        if not self.is_final(key):
            self.offer(key)
            return
        self.losses[key] = eval_loss if self.completed(key) else None
        for child in self.children[key]:
            self.offer(child)
        awaited = {parent for waiting in self.plan.waiting for parent in waiting.after}
        if key in awaited and awaited <= self.losses.keys():
            self.adopt(*self.replan(self.losses))

    def leave(self, key: str, now: float) -> None:
        """Another driver owns the trial: do not start it."""
        self.release(key, now)
        self.endings[key].pop()
        self.elsewhere.add(key)

    def members(self, nodes: Iterable[Node]) -> None:
        """The cluster's nodes have changed: take up new ones, forget those that are gone or leaving."""
        now = {node.name: node for node in nodes}
        if now.keys() == self.cluster.free.keys():
            return
        for name in self.cluster.free.keys() - now.keys():
            self.cluster.drop(name)
        for name in now.keys() - self.cluster.free.keys():
            self.cluster.add(now[name], (order.placement for order in self.orders.values()))
        self.promise = None
        self.stalled = False

    def release(self, key: str, now: float) -> None:
        placement = self.orders.pop(key).placement
        if self.ledger:
            self.ledger.settle(key, now)
            for job in [job for job in self.unaffordable.values() if self.ledger.affords(job)]:
                self.queue.add(self.unaffordable.pop(job.key))
        self.running.remove(placement)
        self.cluster.give(placement)
        self.promise = None
        self.stalled = False

    def is_final(self, key: str) -> bool:
        return is_final(self.endings[key], self.retries)

    def completed(self, key: str) -> bool:
        endings = self.endings[key]
        return bool(endings) and kind(endings[-1] or "") == "completed"

    @property
    def finished(self) -> bool:
        """Whether nothing runs and nothing is left that could."""
        return not self.orders and not self.queue
