"""The part of a run that needs Ray: a local cluster or a running one, and Tune over the trials that are left."""

from __future__ import annotations

import os
import signal
import socket
import threading
import time
from collections.abc import Callable, Iterable, Iterator, Mapping, Set
from contextlib import ExitStack, contextmanager
from functools import partial
from pathlib import Path
from typing import Any

import ray

from orchestrator import bulletin
from orchestrator.address import answering
from orchestrator.assign import Assigner, assigner, machines_of
from orchestrator.budget import Cost, Ledger
from orchestrator.chatter import quiet
from orchestrator.corpora.prepared import Prepared
from orchestrator.dispatch import Dispatcher, Order
from orchestrator.display import Display
from orchestrator.failures import ClusterError, kind
from orchestrator.growing import Growth
from orchestrator.history import Past, past
from orchestrator.literal import resolved
from orchestrator.membership import Watch
from orchestrator.nodes import Cluster, Need, Node
from orchestrator.owners import Heart, living
from orchestrator.provenance import versions
from orchestrator.readiness import Readiness
from orchestrator.tally import Tally
from orchestrator.trainable import TrialActor
from orchestrator.trial_log import keep_lost, read_log, relevant
from orchestrator.tuning import Feed, fit, remove_own
from orchestrator.work import Work
from orchestrator.writer import conclude
from sweeps.planning import Plan
from sweeps.record import claim, ending
from sweeps.safe_yaml import SpecError
from sweeps.spec import Spec
from sweeps.states import TrialState
from sweeps.store import AlreadyPublished, Store, StoreError

GROW_SECONDS = 5.0  # between two looks at how many nodes are wanted
OBJECT_STORE_BYTES = 200 << 20  # configurations and progress; no tensor goes through Ray


class Run:
    """A run's conductor (orchestrator.tuning.Conductor): claims for it, and stops when it is told to."""

    def __init__(
        self,
        spec: Spec,
        store: Store,
        plan: Plan,
        display: Display,
        driver: str,
        watch: Watch,
        stopping: Callable[[], bool],
        *,
        tally: Tally,
        log: Path,
        history: Past,
        readiness: Readiness | None,
        grow: Callable[[], None],
    ) -> None:
        self.tally = tally
        self.ledger, self.halving, self.readiness, self.grow = history.ledger, history.halving, readiness, grow
        self.unfit: set[str] = set()
        self.grown = float("-inf")
        self.spec, self.store, self.display, self.driver, self.watch = spec, store, display, driver, watch
        self.asked = stopping
        self.told = False
        self.draining: frozenset[str] = frozenset()
        self.failure: StoreError | ClusterError | None = None
        self.parents = {planned.trial.parent for planned in plan.trials}
        host = {"host": socket.gethostname(), "log": str(log)}
        self.facts = {"driver": driver, **host, "versions": list(versions().items())}

    def claim(self, order: Order) -> Work | None:
        trial, assigned = order.planned.trial, order.assigned
        placed = {
            "workers": assigned.workers,
            "threads": assigned.threads,
            "micro_batch": assigned.micro_batch,
            "device": assigned.device,
            "kind": assigned.kind,
            "devices": order.placement.job.devices,
            "nodes": list(order.placement.nodes),
            "checkpoint_activations": assigned.checkpoint_activations,
            "memory_estimated": assigned.memory_bytes,
            "seconds_estimated": order.placement.job.seconds,
        }
        try:
            claim(self.store, trial.trial_id, order.attempt, self.facts | placed)
        except AlreadyPublished:
            return None
        return Work(
            trial=trial,
            attempt=order.attempt,
            driver=self.driver,
            results=self.store.uri,
            assigned=assigned,
            keep_moments=trial.trial_id in self.parents or order.planned.purpose == "trunk",
            checkpoint_seconds=self.spec.cluster.checkpoint_seconds,
            hang_seconds=self.spec.cluster.hang_seconds,
            rungs=self.halving.rungs(trial.trial_id) if self.halving else (),
        )

    def ending(self, order: Order) -> str | None:
        return ending(self.store, order.planned.trial.trial_id, order.attempt)

    def conclude(self, order: Order, reason: str) -> None:
        conclude(self.store, order.planned.trial, order.attempt, reason)

    def nodes(self) -> Iterable[Node]:
        """Asked ten times a second: also the moment to pass on that trials should stop."""
        self.display.tick()
        members, stop = self.watch.members, self.stopping()
        if (stop and not self.told) or members.draining != self.draining:
            self.told, self.draining = stop, members.draining
            reason = self.why()
            bulletin.post(self.driver, everyone=reason if stop else None, nodes=members.draining)
        if time.monotonic() - self.grown > GROW_SECONDS:
            self.grown = time.monotonic()
            self.grow()
        if self.readiness is None:
            return self.watch.nodes()
        ready = self.readiness.update(self.watch.nodes())
        for name in self.readiness.unfit.keys() - self.unfit:
            self.unfit.add(name)
            self.display.say(f"node {name[:12]} is left out: it {self.readiness.unfit[name]}")
        return ready

    def alive(self) -> Set[str]:
        return self.watch.members.raylets.keys()

    def stopping(self) -> bool:
        return self.failure is not None or self.asked() or self.overspent()

    def overspent(self) -> bool:
        return self.ledger is not None and self.ledger.exhausted(time.monotonic())

    def why(self) -> str:
        """What stops everything."""
        if self.failure:
            return "the store failed" if isinstance(self.failure, StoreError) else "the cluster loses every attempt"
        return "the run was asked to stop" if self.asked() else "the sweep's budget is spent"

    def fail(self, error: StoreError | ClusterError) -> None:
        self.failure = self.failure or error

    def event(self, what: str, order: Order, result: dict[str, Any] | None) -> None:
        self.tally.event(what, order, result)
        if what == "end" and result:
            trial_id = order.planned.trial.trial_id
            if kind(result["reason"]) == "lost":
                self.watch.doubt(order.placement.nodes)
                keep_lost(self.store, trial_id, order.attempt)
            said = read_log(self.store, trial_id, order.attempt)
            result = result | {"lines": relevant(said)} if said else result
        self.display.event(what, order, result)
        if self.halving and what == "progress" and result and not result["done"]:
            trial_id = order.planned.trial.trial_id
            if reason := self.halving.heard(trial_id, result["step"], result["loss"]):
                bulletin.post_end(self.driver, trial_id, reason)


def conduct(
    spec: Spec,
    store: Store,
    corpus: Prepared,
    plan: Plan,
    known: Mapping[str, TrialState],
    display: Display,
    stopping: Callable[[], bool],
    takeover: bool = False,
    trainable: type[TrialActor] = TrialActor,
) -> None:
    """Train what the record does not have.

    Raises SpecError where a trial can never be placed, StoreError where the store fails. Exits with 75, from a
    thread, when the cluster is gone: Ray then answers nothing, and the record is whole.
    """
    with Heart(store, spec.name) as heart, quiet(store) as log, connected(spec.cluster.address), ExitStack() as leaving:
        display.say(f"Ray's and DeepSpeed's own output goes to {log}")
        history = past(spec, store, plan, known)
        for line in history.notes:
            display.say(line)
        watch = Watch(on_gone=lambda: leave(display))
        leaving.callback(watch.stop)
        nodes = watch.members.nodes
        readiness = Readiness(store) if spec.cluster.address else None
        if readiness:
            leaving.callback(readiness.close)
            readiness.require(nodes)
        growth = Growth(spec, history.devices) if spec.cluster.autoscale else None
        there = growth.expected(nodes) if growth else nodes
        assign = assigner(spec, plan.trials, machines_of(there, history.devices))
        require_room(spec, plan, assign, there)

        def replan(_: object) -> tuple[Plan, Mapping[str, TrialState]]:
            more = resolved(spec, store, corpus)
            tally.adopt(*more)
            return more

        dispatcher = Dispatcher(
            plan,
            known,
            Cluster(nodes),
            assign=assign,
            replan=replan,
            retries=spec.cluster.retries,
            elsewhere=set() if takeover else owned_elsewhere(store, known, display),
            ledger=history.ledger,
        )
        if growth:
            leaving.callback(growth.close)
        tally = Tally(plan, known, dispatcher.assign, history.devices, history.spent, spec.cluster.retries)
        display.follow(tally)
        leaving.callback(display.rest)
        run = Run(
            spec,
            store,
            plan,
            display,
            heart.driver,
            watch,
            partial(asked_from_anywhere, heart, stopping, display),
            tally=tally,
            log=log,
            history=history,
            readiness=readiness,
            grow=(lambda: growth.ask(dispatcher)) if growth else lambda: None,
        )
        fit(Feed(dispatcher, run), spec.cluster.hang_seconds, trainable)
        if dispatcher.unaffordable and history.ledger:
            display.say(refused_by_budget(dispatcher, history.ledger))
        if run.failure:
            raise run.failure


def asked_from_anywhere(heart: Heart, stopping: Callable[[], bool], display: Display) -> bool:
    """Whether this process was told to stop, or `sweep stop` asked for it."""
    if heart.asked and not heart.told:
        heart.told = True
        who = f"{heart.asked['user']} on {heart.asked['host']}"
        display.say(f"{who} asked for a stop: every trial saves where it stands")
    return heart.asked is not None or stopping()


def require_room(spec: Spec, plan: Plan, assign: Assigner, nodes: Iterable[Node]) -> None:
    """Raise SpecError for a trial that these nodes, all empty, have no room for."""
    cluster = Cluster(nodes)
    known: set[Need] = set()
    for planned in plan.trials:
        job, _ = assign(planned)
        if job.need in known:
            continue
        known.add(job.need)
        if cluster.place(job) is None:
            raise SpecError(
                f"{spec.name}: no node, or nodes together, can ever have room for trial {job.key}, "
                f"{planned.trial.shape.label}: it needs {job.need.says}; change cluster.workers or "
                f"cluster.cpus_per_worker, or bring larger nodes"
            )


def refused_by_budget(dispatcher: Dispatcher, ledger: Ledger) -> str:
    """What the budget did not let start, and what would."""
    left = sum((ledger.cost(job) for job in dispatcher.unaffordable.values()), Cost())
    return (
        f"budget: {ledger.says(ledger.spent)} are spent; {len(dispatcher.unaffordable)} trials are not started, since "
        f"they would pass it: they need about {left.hours:.3g} device-hours ({left.price:,.2f} "
        f"{ledger.devices.currency}) more; raise budget in the spec, and the same command goes on"
    )


def owned_elsewhere(store: Store, known: Mapping[str, TrialState], display: Display) -> set[str]:
    """Trials whose last attempt has no end and belongs to a driver that is alive."""
    owners = {key: state.owner for key, state in known.items() if state.endings[-1] is None and state.owner}
    alive = living(store, owners.values())
    kept = {key for key, owner in owners.items() if owner in alive}
    if kept:
        display.say(
            f"{len(kept)} trials are left to {', '.join(sorted(alive))}, which is alive and training them; "
            f"--takeover would claim them, and what it does from then on would not count"
        )
    return kept


def leave(display: Display) -> None:
    """End this process at once, resumable."""
    display.rest()
    display.warn("the Ray cluster is gone: no node has answered for a while; the same command goes on from here")
    remove_own()
    os._exit(75)


@contextmanager
def connected(address: str | None) -> Iterator[None]:
    """Ray, started on this machine or joined at an address, and left again.

    Raises SpecError where none answers at the address, ClusterError where none starts here.

    Without an address it is always a Ray of its own, whatever RAY_ADDRESS says or runs on this machine.
    """
    os.environ.setdefault("RAY_ACCEL_ENV_VAR_OVERRIDE_ON_ZERO", "0")
    quietly: dict[str, Any] = {"log_to_driver": False, "logging_level": "ERROR"}
    ours = signal.getsignal(signal.SIGTERM)
    if address:
        found = answering(address)
        try:
            ray.init(address=found, **quietly)
        except (ConnectionError, RuntimeError, ValueError) as error:
            raise SpecError(f"the Ray cluster at {found} cannot be joined: {' '.join(str(error).split())}") from error
    else:
        cpus = len(os.sched_getaffinity(0))
        try:
            ray.init(
                address="local",
                num_cpus=cpus,
                include_dashboard=False,
                object_store_memory=OBJECT_STORE_BYTES,
                **quietly,
            )
        except Exception as error:  # Ray says so in OSError, RuntimeError and, where its raylet died, Exception itself
            raise ClusterError(f"Ray could not be started on this machine: {' '.join(str(error).split())}") from error
    if threading.current_thread() is threading.main_thread():
        signal.signal(signal.SIGTERM, ours)  # ray.init puts one of its own there, which ends the process at once
    try:
        yield
    finally:
        ray.shutdown()
