"""Ray Tune over a dispatcher: Tune starts trials and hears of them; which one is next, and where, is ours to say.

A fresh Tuner each run: what is finished is in the record, so nothing is ever restored from Tune's own state.
"""

from __future__ import annotations

import os
import shutil
import tempfile
import time
from collections.abc import Iterable, Set
from dataclasses import dataclass
from pathlib import Path
from typing import Any, Protocol

import ray
from ray import tune
from ray.tune import PlacementGroupFactory
from ray.tune.execution import class_cache
from ray.tune.schedulers import FIFOScheduler
from ray.tune.search import Searcher

from orchestrator.dispatch import Dispatcher, Order
from orchestrator.failures import ClusterError
from orchestrator.nodes import Node
from orchestrator.owners import started
from orchestrator.trainable import TrialActor
from orchestrator.work import Work
from sweeps.store import StoreError

FINISHED: str = Searcher.FINISHED
FOLDER = "interplay-tune-"  # and the driver's process number; what Tune writes there nobody reads
IN_VAIN = 20  # attempts in a row that were lost before any of them was heard of: more of the same would not help
LATE_SECONDS = 30.0  # what a trial's actor is given beyond its own watchdog before it is killed from outside


class Conductor(Protocol):
    """What the feed asks of whoever conducts the run."""

    def claim(self, order: Order) -> Work | None:
        """Claim an order's attempt and make its work; None where another driver has it. Raises StoreError."""

    def ending(self, order: Order) -> str | None:
        """How the record says an attempt ended, None where it does not. Raises StoreError."""

    def conclude(self, order: Order, reason: str) -> None:
        """Record the end of an attempt that cannot do it itself. Raises StoreError."""

    def nodes(self) -> Iterable[Node]:
        """The nodes that may take work now."""

    def alive(self) -> Set[str]:
        """Names of the nodes that Ray takes for alive, whether or not they may take work."""

    def stopping(self) -> bool:
        """Whether nothing more should start."""

    def fail(self, error: StoreError | ClusterError) -> None:
        """The store or the cluster has failed: stop."""

    def event(self, what: str, order: Order, result: dict[str, Any] | None) -> None:
        """Tell whoever watches: start, progress or end of an attempt."""


class Live:
    """Something of this run that Tune pickles with its own state, which is never read: it pickles as nothing."""

    def __reduce__(self) -> tuple[type[object], tuple[()]]:
        return object, ()

    def __deepcopy__(self, memo: dict[int, object]) -> Live:
        return self


@dataclass(slots=True)
class Seat:
    """A trial of Tune's: what it was ordered to do, when it was last heard of, and its actor, once it has one.

    silent     how it hung, where its actor was killed for it
    stranded   its node was gone before it had an actor
    """

    order: Order
    heard: float
    actor: Any = None
    began: bool = False
    silent: str | None = None
    stranded: bool = False


class Feed(Live, Searcher):  # type: ignore[misc]
    """Tune's search algorithm, as far as Tune knows: it suggests what the dispatcher orders."""

    def __init__(self, dispatcher: Dispatcher, conductor: Conductor) -> None:
        super().__init__(metric="tokens", mode="max")
        self.dispatcher, self.conductor = dispatcher, conductor
        self.seats: dict[str, Seat] = {}
        self.vain = 0

    def suggest(self, trial_id: str) -> dict[str, Any] | str | None:
        """Called by Tune ten times a second, also while nothing can start."""
        self.dispatcher.members(self.conductor.nodes())
        while not self.conductor.stopping():
            order = self.dispatcher.next(time.monotonic())
            if order is None:
                return FINISHED if self.dispatcher.finished else None
            try:
                work = self.conductor.claim(order)
            except StoreError as error:
                self.conductor.fail(error)
                break
            if work is None:
                self.dispatcher.leave(order.planned.trial.trial_id, time.monotonic())
                continue
            self.seats[trial_id] = Seat(order, time.monotonic())
            self.conductor.event("start", order, None)
            return {"work": work.to_json(), "nodes": list(order.placement.nodes)}
        return FINISHED

    def on_trial_result(self, trial_id: str, result: dict[str, Any]) -> None:
        seat = self.seats[trial_id]
        seat.heard, seat.began, self.vain = time.monotonic(), True, 0
        self.conductor.event("progress", seat.order, result)

    def on_trial_complete(self, trial_id: str, result: dict[str, Any] | None = None, error: bool = False) -> None:
        seat = self.seats.pop(trial_id)
        order = seat.order
        key = order.planned.trial.trial_id
        result = {} if error or result is None else result
        if result.get("fenced"):
            self.dispatcher.leave(key, time.monotonic())
            return
        if result.get("store_error"):
            self.conductor.fail(StoreError(result["store_error"]))
        try:
            reason = result.get("ended") or self.conductor.ending(order)
            if reason is None and seat.silent:
                reason = seat.silent
                self.conductor.conclude(order, reason)
        except StoreError as failure:
            self.conductor.fail(failure)
            reason = None
        reason = reason or "lost"
        if result.get("reason"):
            reason = f"{reason}: {result['reason']}"
        if reason == "lost" and not seat.began and not seat.stranded:
            self.count_in_vain()
        self.dispatcher.ended(key, reason, result.get("eval_loss"), time.monotonic())
        self.conductor.event("end", order, {"reason": reason, "eval_loss": result.get("eval_loss")})

    def strand(self) -> set[str]:
        """Tune's ids of trials that wait for an actor on a node that has gone, which Tune would do for ever."""
        there = self.conductor.alive()
        found = set()
        for trial_id, seat in self.seats.items():
            if seat.actor is None and not seat.began and not there >= set(seat.order.placement.nodes):
                seat.stranded = True
                found.add(trial_id)
        return found

    def count_in_vain(self) -> None:
        """Give the run up where the cluster loses attempt after attempt, which no trial is counted for."""
        self.vain += 1
        if self.vain == IN_VAIN:
            self.conductor.fail(
                ClusterError(
                    f"{IN_VAIN} attempts in a row were lost before their first step: the cluster's nodes do not start "
                    f"what they are given. Its log says why (`sweep logs TRIAL` names it); a node without memory, "
                    f"another version of Python, or another token than the cluster's are the usual causes"
                )
            )

    def save(self, checkpoint_path: str) -> None:
        """Nothing: a run is never restored from Tune's state."""

    def restore(self, checkpoint_path: str) -> None:
        """Nothing, likewise."""


class Warden(Live, tune.Callback):  # type: ignore[misc]
    """Kills the actor of a trial that has not been heard of for longer than its own watchdog allows.

    An actor that is stopped, or stuck where Python does not run, cannot end itself; Tune would wait for ever.
    """

    def __init__(self, feed: Feed, hang_seconds: float) -> None:
        self.feed, self.limit = feed, hang_seconds + LATE_SECONDS

    def on_trial_start(self, iteration: int, trials: list[Any], trial: Any, **info: Any) -> None:
        if seat := self.feed.seats.get(trial.trial_id):
            seat.actor, seat.heard = trial.temporary_state.ray_actor, time.monotonic()

    def on_step_end(self, iteration: int, trials: list[Any], **info: Any) -> None:
        now = time.monotonic()
        for seat in self.feed.seats.values():
            if seat.actor is not None and now - seat.heard > self.limit:
                seat.silent = f"hung: nothing was heard of it for {self.limit:.0f} s, and its actor was killed"
                ray.kill(seat.actor)
                seat.actor = None


class Usher(Live, FIFOScheduler):  # type: ignore[misc]
    """Tune's order of trials is the dispatcher's; what can no longer be seated is shown out."""

    def __init__(self, feed: Feed) -> None:
        super().__init__()
        self.feed = feed

    def choose_trial_to_run(self, tune_controller: Any) -> Any:
        if stranded := self.feed.strand():
            for trial in [one for one in tune_controller.get_live_trials() if one.trial_id in stranded]:
                tune_controller.stop_trial(trial)
        return super().choose_trial_to_run(tune_controller)


def resources(config: dict[str, Any]) -> PlacementGroupFactory:
    """A trial's own placement group: its actor's bundle, and one for each worker if they are processes of their own.

    Each bundle is pinned to the node the dispatcher chose, so that what runs is what was planned.
    """
    work = Work.from_json(config["work"])
    each = {"CPU": work.assigned.cpus} | ({"GPU": work.assigned.gpus} if work.assigned.gpus else {})
    bundles = [each] if work.alone else [{}, *[each] * work.assigned.workers]
    pinned = [{"ray.io/node-id": node} for node in config["nodes"]]
    return PlacementGroupFactory(bundles, bundle_label_selector=pinned)


def fit(feed: Feed, hang_seconds: float, trainable: type[TrialActor] = TrialActor) -> None:
    """Run until the dispatcher has nothing left, or the conductor stops. Needs a connected Ray.

    trainable   what trains a trial; another than ours where it is the way there that is measured
    """
    os.environ["TUNE_DISABLE_AUTO_CALLBACK_LOGGERS"] = "1"
    os.environ["TUNE_DISABLE_SIGINT_HANDLER"] = "1"  # what a signal means is the command's to say
    # Tune would tell actors the driver's AWS keys, in words that Ray's logs keep. Each node has its own (readiness.py).
    class_cache.ENV_VARS_TO_PROPAGATE = {n for n in class_cache.ENV_VARS_TO_PROPAGATE if not n.startswith("AWS_")}
    os.environ["TUNE_MAX_PENDING_TRIALS_PG"] = str(max(8, len(ray.nodes()) * 8))
    remove_what_the_dead_left()
    with tempfile.TemporaryDirectory(prefix=f"{FOLDER}{os.getpid()}-") as folder:
        tune.Tuner(
            tune.with_resources(trainable, resources),
            tune_config=tune.TuneConfig(
                search_alg=feed,
                scheduler=Usher(feed),
                num_samples=-1,
                reuse_actors=True,
                metric="tokens",
                mode="max",
            ),
            run_config=tune.RunConfig(
                name="sweep",
                storage_path=folder,
                verbose=0,
                callbacks=[Warden(feed, hang_seconds)],
                failure_config=tune.FailureConfig(max_failures=0),
                checkpoint_config=tune.CheckpointConfig(checkpoint_at_end=False),
            ),
        ).fit()


def remove_own() -> None:
    """This process's folder for Tune, for who ends without leaving the block that made it."""
    for path in Path(tempfile.gettempdir()).glob(f"{FOLDER}{os.getpid()}-*"):
        shutil.rmtree(path, ignore_errors=True)


def remove_what_the_dead_left() -> None:
    """Folders for Tune of drivers that were killed, and could not remove them."""
    for path in Path(tempfile.gettempdir()).glob(f"{FOLDER}*-*"):
        number = path.name.removeprefix(FOLDER).split("-")[0]
        if number.isdigit() and started(int(number)) is None and path.stat().st_uid == os.getuid():
            shutil.rmtree(path, ignore_errors=True)
