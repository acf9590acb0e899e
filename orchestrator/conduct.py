"""The part of a run that needs Ray: a local cluster or a running one, and Tune over the trials that are left."""

from __future__ import annotations

import os
import signal
import socket
import threading
from collections.abc import Callable, Iterable, Iterator, Mapping
from contextlib import contextmanager
from typing import Any

import ray

from orchestrator import bulletin
from orchestrator.access import guard
from orchestrator.assign import assigner, devices_for, machines_of
from orchestrator.chatter import quiet
from orchestrator.corpora.prepared import Prepared
from orchestrator.dispatch import Dispatcher, Order
from orchestrator.display import Display
from orchestrator.literal import resolved
from orchestrator.membership import Watch
from orchestrator.nodes import Cluster, Node
from orchestrator.owners import Heart, living
from orchestrator.provenance import versions
from orchestrator.tuning import Feed, fit
from orchestrator.work import Work
from sweeps.planning import Plan
from sweeps.record import claim, ending
from sweeps.spec import Spec
from sweeps.states import TrialState
from sweeps.store import AlreadyPublished, Store, StoreError

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
    ) -> None:
        self.spec, self.store, self.display, self.driver, self.watch = spec, store, display, driver, watch
        self.asked = stopping
        self.told = False
        self.draining: frozenset[str] = frozenset()
        self.failure: StoreError | None = None
        self.parents = {planned.trial.parent for planned in plan.trials}
        self.facts = {"driver": driver, "host": socket.gethostname(), "versions": list(versions().items())}

    def claim(self, order: Order) -> Work | None:
        trial, assigned = order.planned.trial, order.assigned
        placed = {
            "workers": assigned.workers,
            "threads": assigned.threads,
            "micro_batch": assigned.micro_batch,
            "device": assigned.device,
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
        )

    def ending(self, order: Order) -> str | None:
        return ending(self.store, order.planned.trial.trial_id, order.attempt)

    def nodes(self) -> Iterable[Node]:
        """Asked ten times a second: also the moment to pass on that trials should stop."""
        members, stop = self.watch.members, self.stopping()
        if (stop and not self.told) or members.draining != self.draining:
            self.told, self.draining = stop, members.draining
            reason = "the store failed" if self.failure else "the run was asked to stop"
            bulletin.post(self.driver, everyone=reason if stop else None, nodes=members.draining)
        return members.nodes

    def stopping(self) -> bool:
        return self.failure is not None or self.asked()

    def fail(self, error: StoreError) -> None:
        self.failure = self.failure or error

    def event(self, what: str, order: Order, result: dict[str, Any] | None) -> None:
        self.display.event(what, order, result)


def conduct(
    spec: Spec,
    store: Store,
    corpus: Prepared,
    plan: Plan,
    known: Mapping[str, TrialState],
    display: Display,
    stopping: Callable[[], bool],
    takeover: bool = False,
) -> None:
    """Train what the record does not have.

    Raises SpecError where a trial can never be placed, StoreError where the store fails. Exits with 75, from a
    thread, when the cluster is gone: Ray then answers nothing, and the record is whole.
    """
    with Heart(store) as heart, quiet(store) as log, connected(spec.cluster.address):
        display.say(f"Ray's and DeepSpeed's own output goes to {log}")
        watch = Watch(on_gone=lambda: leave(display))
        nodes = watch.members.nodes
        dispatcher = Dispatcher(
            plan,
            known,
            Cluster(nodes),
            assign=assigner(spec, plan.trials, machines_of(nodes, devices_for(spec))),
            replan=lambda _: resolved(spec, store, corpus),
            retries=spec.cluster.retries,
            elsewhere=set() if takeover else owned_elsewhere(store, known, display),
        )
        run = Run(spec, store, plan, display, heart.driver, watch, stopping)
        try:
            fit(Feed(dispatcher, run), spec.cluster.hang_seconds)
        finally:
            watch.stop()
        if run.failure:
            raise run.failure


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
    display.say("the Ray cluster is gone: no node has answered for a while; the same command goes on from here")
    os._exit(75)


@contextmanager
def connected(address: str | None) -> Iterator[None]:
    """Ray, started on this machine or joined at an address, and left again. Raises SpecError (orchestrator.access)."""
    guard(address, os.environ)
    os.environ.setdefault("RAY_ACCEL_ENV_VAR_OVERRIDE_ON_ZERO", "0")
    quietly: dict[str, Any] = {"log_to_driver": False, "logging_level": "ERROR"}
    ours = signal.getsignal(signal.SIGTERM)
    if address:
        ray.init(address=address, **quietly)
    else:
        cpus = len(os.sched_getaffinity(0))
        ray.init(num_cpus=cpus, include_dashboard=False, object_store_memory=OBJECT_STORE_BYTES, **quietly)
    if threading.current_thread() is threading.main_thread():
        signal.signal(signal.SIGTERM, ours)  # ray.init puts one of its own there, which ends the process at once
    try:
        yield
    finally:
        ray.shutdown()
