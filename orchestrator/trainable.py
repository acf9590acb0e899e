"""A trial as Ray Tune runs it: slices of training until it has ended.

Each slice takes a few seconds, so that Tune hears of progress, may stop the trial between two slices, and costs
next to nothing. An actor trains one trial after another as long as each ends cleanly.
"""

from __future__ import annotations

import time
from typing import Any

from ray import tune

from orchestrator.bulletin import asked_to_end, asked_to_stop
from orchestrator.failures import OutOfMemory, reason_for
from orchestrator.gang import Actors, Gang, InProcess
from orchestrator.peaks import memory_facts
from orchestrator.trial_log import keep
from orchestrator.work import Progress, Work
from orchestrator.writer import Fenced, conclude
from sweeps.store import StoreError, open_store

SLICE_SECONDS = 2.0


class TrialActor(tune.Trainable):  # type: ignore[misc]
    """Config: `work`, a Work as JSON."""

    def setup(self, config: dict[str, Any]) -> None:
        self.gang: Gang | None = None
        self.work = Work.from_json(config["work"])
        self.pace = 0.0  # seconds a step, as the last slice had it
        self.at = self.work.trial.first  # steps done
        self.saved_at = time.monotonic()

    def reset_config(self, config: dict[str, Any]) -> bool:
        self.setup(config)
        return True

    def step(self) -> dict[str, Any]:
        """One slice. Raises what the gang raised, after the record says how the attempt ended.

        What says nothing about this trial is a result, not an exception: the attempt belongs to someone else now
        ("fenced"), or the store has failed ("store_error"), so that the record could not say it.
        """
        try:
            return self.report(self.slice())
        except Fenced:
            return {"done": True, "fenced": True, "tokens": 0}
        except StoreError as error:
            return {"done": True, "store_error": str(error), "tokens": 0}
        except BaseException as error:
            keep(open_store(self.work.results), self.work.trial.trial_id, self.work.attempt, error)
            cause = getattr(error, "cause", None) or error
            peak = cause.peak_bytes if isinstance(cause, OutOfMemory) else None
            facts = memory_facts(peak, self.work.assigned.memory_bytes)
            conclude(open_store(self.work.results), self.work.trial, self.work.attempt, reason_for(error), facts)
            raise

    def slice(self) -> Progress:
        if self.gang is None:
            self.gang = InProcess(self.work) if self.work.alone else Actors(self.work)
            self.at = self.gang.begin()
        if self.work.rungs and (reason := asked_to_end(self.work.driver, self.work.trial.trial_id)):
            return self.ended(self.gang.stop(reason))
        if reason := asked_to_stop(self.work.driver, self.gang.nodes()):
            return self.ended(self.gang.interrupt(reason))
        steps = max(1, round(SLICE_SECONDS / self.pace)) if self.pace else 1
        steps = min([steps, *(rung - self.at for rung in self.work.rungs if rung > self.at)])
        due = time.monotonic() - self.saved_at >= self.work.checkpoint_seconds
        started = time.monotonic()
        progress = self.gang.advance(steps, checkpoint=due)
        if due:
            self.saved_at = time.monotonic()
        self.pace = (time.monotonic() - started) / steps
        self.at = progress.step
        return self.ended(progress) if progress.ended else progress

    def ended(self, progress: Progress) -> Progress:
        """The attempt is over: let the gang go."""
        if self.gang is not None:
            self.gang.close()
            self.gang = None
        return progress

    def cleanup(self) -> None:
        """Tune stops the actor: save where the trial stands, if it has not ended."""
        if self.gang is not None:
            try:
                self.gang.interrupt("its actor was stopped")
            finally:
                self.gang.close()

    def report(self, progress: Progress) -> dict[str, Any]:
        return {
            "done": progress.ended is not None,
            "step": progress.step,
            "tokens": progress.tokens,
            "loss": progress.loss,
            "eval_loss": progress.eval_loss,
            "tokens_per_second": progress.tokens_per_second,
            "ended": progress.ended,
            "reason": progress.reason,
        }
