"""A trial as Ray Tune runs it: slices of training until it has ended.

Each slice takes a few seconds, so that Tune hears of progress, may stop the trial between two slices, and costs
next to nothing. An actor trains one trial after another as long as each ends cleanly.
"""

from __future__ import annotations

import time
from typing import Any

from ray import tune

from orchestrator.failures import reason_for
from orchestrator.gang import Actors, Gang, InProcess
from orchestrator.work import Progress, Work
from orchestrator.writer import conclude
from sweeps.store import StoreError, open_store

SLICE_SECONDS = 2.0


class TrialActor(tune.Trainable):  # type: ignore[misc]
    """Config: `work`, a Work as JSON."""

    def setup(self, config: dict[str, Any]) -> None:
        self.gang: Gang | None = None
        self.work = Work.from_json(config["work"])
        self.ended = False
        self.pace = 0.0  # seconds a step, as the last slice had it
        self.saved_at = time.monotonic()

    def reset_config(self, config: dict[str, Any]) -> bool:
        self.setup(config)
        return True

    def step(self) -> dict[str, Any]:
        """One slice. Raises what the gang raised, after the record says how the attempt ended."""
        try:
            progress = self.slice()
        except StoreError:
            raise  # the record cannot say it
        except BaseException as error:
            conclude(open_store(self.work.results), self.work.trial, self.work.attempt, reason_for(error))
            raise
        return self.report(progress)

    def slice(self) -> Progress:
        alone = self.work.assigned.workers == 1 and self.work.trial.recipe.zero != 3
        if self.gang is None:
            self.gang = InProcess(self.work) if alone else Actors(self.work)
            self.gang.begin()
        steps = max(1, round(SLICE_SECONDS / self.pace)) if self.pace else 1
        due = time.monotonic() - self.saved_at >= self.work.checkpoint_seconds
        started = time.monotonic()
        progress = self.gang.advance(steps, checkpoint=due)
        if due:
            self.saved_at = time.monotonic()
        self.pace = (time.monotonic() - started) / steps
        if progress.ended:
            self.ended = True
            self.gang.close()
            self.gang = None
        return progress

    def cleanup(self) -> None:
        """Tune stops the trial: save where it stands, unless it has ended."""
        if self.gang is not None and not self.ended:
            try:
                self.gang.interrupt("stopped between two slices")
            finally:
                self.gang.close()

    def report(self, progress: Progress) -> dict[str, Any]:
        return {
            "done": progress.ended is not None,
            "trial": self.work.trial.trial_id,
            "attempt": self.work.attempt,
            "step": progress.step,
            "tokens": progress.tokens,
            "loss": progress.loss,
            "eval_loss": progress.eval_loss,
            "tokens_per_second": progress.tokens_per_second,
            "ended": progress.ended,
            "reason": progress.reason,
        }
