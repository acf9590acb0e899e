"""The part of a run that needs Ray: a local cluster or a running one, and Tune over the trials that are left."""

from __future__ import annotations

import os
import secrets
import socket
from collections.abc import Callable, Iterator, Mapping
from contextlib import contextmanager
from typing import Any

import ray

from orchestrator.assign import assign
from orchestrator.chatter import quiet
from orchestrator.corpora.prepare import Prepared
from orchestrator.dispatch import Dispatcher, Order
from orchestrator.nodes import Cluster, Node
from orchestrator.run import Display, resolved, versions
from orchestrator.tuning import Feed, fit
from orchestrator.work import Work
from sweeps.planning import Plan
from sweeps.record import claim, ending
from sweeps.safe_yaml import SpecError
from sweeps.spec import Spec
from sweeps.states import TrialState
from sweeps.store import AlreadyPublished, Store

HANG_SECONDS = 600.0
OBJECT_STORE_BYTES = 200 << 20  # configurations and progress; no tensor goes through Ray


def conduct(
    spec: Spec,
    store: Store,
    corpus: Prepared,
    plan: Plan,
    known: Mapping[str, TrialState],
    display: Display,
    stopping: Callable[[], bool],
) -> None:
    """Train what the record does not have. Raises SpecError where no node could ever take a trial."""
    driver = f"{socket.gethostname()}-{os.getpid()}-{secrets.token_hex(4)}"
    parents = {planned.trial.parent for planned in plan.trials}
    facts = {"driver": driver, "host": socket.gethostname(), "versions": list(versions().items())}

    def start(order: Order) -> Work | None:
        trial, assigned = order.planned.trial, order.assigned
        placed = {
            "workers": assigned.workers,
            "threads": assigned.threads,
            "micro_batch": assigned.micro_batch,
            "device": assigned.device,
        }
        try:
            claim(store, trial.trial_id, order.attempt, facts | placed)
        except AlreadyPublished:
            return None
        return Work(
            trial=trial,
            attempt=order.attempt,
            results=store.uri,
            assigned=assigned,
            keep_moments=trial.trial_id in parents or order.planned.purpose == "trunk",
            checkpoint_seconds=spec.cluster.checkpoint_seconds,
            hang_seconds=HANG_SECONDS,
        )

    with quiet(store) as log, connected(spec.cluster.address):
        display.say(f"Ray's and DeepSpeed's own output goes to {log}")
        cluster = Cluster(nodes())
        dispatcher = Dispatcher(
            plan,
            known,
            cluster,
            assign=lambda planned, attempt: assign(spec, planned),
            replan=lambda losses: resolved(spec, store, corpus),
            retries=spec.cluster.retries,
        )
        for job in dispatcher.queue:
            if cluster.empty.place(job) is None:
                raise SpecError(f"{spec.name}: no node has room for trial {job.key}: it needs {job.need}")
        feed = Feed(
            dispatcher,
            start=start,
            outcome=lambda trial_id, attempt: ending(store, trial_id, attempt) or "lost",
            watch=display.event,
            stopping=stopping,
        )
        fit(feed, stopping)


@contextmanager
def connected(address: str | None) -> Iterator[None]:
    """Ray, started on this machine or joined at an address, and left again."""
    os.environ.setdefault("RAY_ACCEL_ENV_VAR_OVERRIDE_ON_ZERO", "0")
    quietly: dict[str, Any] = {"log_to_driver": False, "logging_level": "ERROR"}
    if address:
        ray.init(address=address, **quietly)
    else:
        cpus = len(os.sched_getaffinity(0))
        ray.init(num_cpus=cpus, include_dashboard=False, object_store_memory=OBJECT_STORE_BYTES, **quietly)
    try:
        yield
    finally:
        ray.shutdown()


def nodes() -> list[Node]:
    """The live nodes of the connected cluster."""
    return [
        Node(
            name=node["NodeID"],
            cpus=node["Resources"].get("CPU", 0.0),
            gpus=int(node["Resources"].get("GPU", 0)),
            device=next(
                (key.split(":", 1)[1] for key in node["Resources"] if key.startswith("accelerator_type:")), None
            ),
        )
        for node in ray.nodes()
        if node["Alive"]
    ]
