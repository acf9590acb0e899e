"""Ray Tune over a dispatcher: Tune starts, watches and stops trials; which one is next, and where, is ours to say.

A fresh Tuner each run: what is finished is in the record, so nothing is ever restored from Tune's own state.
"""

from __future__ import annotations

import os
import tempfile
import time
from collections.abc import Callable
from typing import Any

import ray
from ray import tune
from ray.tune import PlacementGroupFactory
from ray.tune.search import Searcher

from orchestrator.dispatch import Dispatcher, Order
from orchestrator.trainable import TrialActor
from orchestrator.work import Work

FINISHED: str = Searcher.FINISHED


class Live:
    """Something of this run that Tune pickles with its own state, which is never read: it pickles as nothing."""

    def __reduce__(self) -> tuple[type[object], tuple[()]]:
        return object, ()

    def __deepcopy__(self, memo: dict[int, object]) -> Live:
        return self


class Feed(Live, Searcher):  # type: ignore[misc]
    """Tune's search algorithm, as far as Tune knows: it suggests what the dispatcher orders.

    start     claims an order's attempt and makes its work; None where another driver has claimed it
    outcome   the reason an attempt ended with, where Tune only knows that it failed or was stopped
    """

    def __init__(
        self,
        dispatcher: Dispatcher,
        *,
        start: Callable[[Order], Work | None],
        outcome: Callable[[str, int], str],
        watch: Callable[[str, Order, dict[str, Any] | None], None],
        stopping: Callable[[], bool],
    ) -> None:
        super().__init__(metric="tokens", mode="max")
        self.dispatcher, self.start, self.outcome, self.watch, self.stopping = (
            dispatcher,
            start,
            outcome,
            watch,
            stopping,
        )
        self.orders: dict[str, Order] = {}

    def suggest(self, trial_id: str) -> dict[str, Any] | str | None:
        while not self.stopping():
            order = self.dispatcher.next(time.monotonic())
            if order is None:
                return FINISHED if self.dispatcher.finished else None
            work = self.start(order)
            if work is None:
                self.dispatcher.leave(order.planned.trial.trial_id)
                continue
            self.orders[trial_id] = order
            self.watch("start", order, None)
            nodes = list(order.placement.nodes)
            return {"work": work.to_json(), "nodes": nodes}
        return FINISHED

    def on_trial_result(self, trial_id: str, result: dict[str, Any]) -> None:
        self.watch("progress", self.orders[trial_id], result)

    def on_trial_complete(self, trial_id: str, result: dict[str, Any] | None = None, error: bool = False) -> None:
        order = self.orders.pop(trial_id)
        key = order.planned.trial.trial_id
        loss = None
        if not error and result and result.get("ended"):
            detail = result.get("reason")
            reason = f"{result['ended']}: {detail}" if detail else str(result["ended"])
            loss = result.get("eval_loss")
        else:
            reason = self.outcome(key, order.attempt)
        self.dispatcher.ended(key, reason, loss)
        self.watch("end", order, {"reason": reason, "eval_loss": loss})

    def save(self, checkpoint_path: str) -> None:
        """Nothing: a run is never restored from Tune's state."""

    def restore(self, checkpoint_path: str) -> None:
        """Nothing, likewise."""


class StopAll(Live, tune.Stopper):  # type: ignore[misc]
    """Stops every trial between two of its slices once `stopping` says so."""

    def __init__(self, stopping: Callable[[], bool]) -> None:
        self.stopping = stopping

    def __call__(self, trial_id: str, result: dict[str, Any]) -> bool:
        return self.stopping()

    def stop_all(self) -> bool:
        return self.stopping()


def resources(config: dict[str, Any]) -> PlacementGroupFactory:
    """A trial's own placement group: its actor's bundle, and one for each worker if they are processes of their own.

    Each bundle is pinned to the node the dispatcher chose, so that what runs is what was planned.
    """
    work = Work.from_json(config["work"])
    each = {"CPU": work.assigned.cpus} | ({"GPU": work.assigned.gpus} if work.assigned.gpus else {})
    alone = work.assigned.workers == 1 and work.trial.recipe.zero != 3
    bundles = [each] if alone else [{}, *[each] * work.assigned.workers]
    pinned = [{"ray.io/node-id": node} for node in config["nodes"]]
    return PlacementGroupFactory(bundles, bundle_label_selector=pinned)


def fit(feed: Feed, stopping: Callable[[], bool]) -> None:
    """Run until the dispatcher has nothing left, or `stopping` says so. Needs a connected Ray."""
    os.environ["TUNE_DISABLE_AUTO_CALLBACK_LOGGERS"] = "1"
    os.environ["TUNE_MAX_PENDING_TRIALS_PG"] = str(max(8, len(ray.nodes()) * 8))
    with tempfile.TemporaryDirectory(prefix="interplay-tune-") as folder:
        tune.Tuner(
            tune.with_resources(TrialActor, resources),
            tune_config=tune.TuneConfig(
                search_alg=feed, num_samples=-1, reuse_actors=True, metric="tokens", mode="max"
            ),
            run_config=tune.RunConfig(
                name="sweep",
                storage_path=folder,
                verbose=0,
                stop=StopAll(stopping),
                failure_config=tune.FailureConfig(max_failures=0),
                checkpoint_config=tune.CheckpointConfig(checkpoint_at_end=False),
            ),
        ).fit()
