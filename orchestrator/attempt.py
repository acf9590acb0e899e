"""One try at a trial, as each worker of its gang lives it: resume, train, record, checkpoint, end.

Rank 0 writes; the others compute. What decides (when to checkpoint, when to stop) comes from outside with each
call, the same to every rank, so that collectives always meet.
"""

from __future__ import annotations

import platform
from math import isfinite
from typing import Any

import torch
import torch.distributed as dist
from torch import Tensor

from models.counts import flops_per_token
from orchestrator import checkpoints, state
from orchestrator.checkpoints import Checkpoint, DamagedCheckpoint
from orchestrator.corpora.tokens import open_tokens
from orchestrator.engine import Assignment
from orchestrator.held_out import HeldOut
from orchestrator.peaks import memory_facts, peak_bytes
from orchestrator.training import Steps, Training
from orchestrator.work import Ended, Progress, Work
from orchestrator.writer import Writer
from sweeps.record import resume_steps
from sweeps.store import Store, open_store

# How far the loss of a fixed batch may move over a save and a restore (measured: docs/log.md). Other workers or
# micro-batches add in another order; the same ones give the same bits.
JUMP = {"fp32": 1e-5, "bf16": 5e-3}
HOPELESS_STEPS = 100


class ResumeJump(Exception):
    """The restored network's loss is not what it was when it was saved."""


class Attempt:
    """A worker's side of an attempt. `begin` first; then `advance` until `Progress.ended`, or `interrupt`."""

    def __init__(self, work: Work, assignment: Assignment) -> None:
        self.work, self.trial, self.assignment = work, work.trial, assignment
        self.store: Store = open_store(work.results)
        self.training = Training(self.trial, assignment, open_tokens(self.store, self.trial.corpus))
        self.writer: Writer | None = None
        self.per_token = flops_per_token(self.trial.shape)
        self.held_out: HeldOut | None = None
        self.last_loss: float | None = None
        self.hopeless = 0
        self.saved_step = -1

    def begin(self) -> int:
        """Restore the newest checkpoint that can be trusted; the step from which the attempt goes on.

        Raises ResumeJump where the restored loss differs from the saved one, DamagedCheckpoint where a parent's
        final checkpoint, which nothing can replace, is damaged.
        """
        started_from = "initialisation"
        found = self.newest() or self.parent()
        if found is not None:
            checkpoint, tensors = found
            state.restore(self.training.engine, tensors, steps=checkpoint.step)
            self.training.step = checkpoint.step
            self.compare(checkpoint)
            started_from = f"checkpoint of {checkpoint.trial_id} attempt {checkpoint.attempt} step {checkpoint.step}"
        self.saved_step = self.training.step
        if self.assignment.rank == 0:
            self.writer = Writer(
                self.store, trial_id=self.trial.trial_id, attempt=self.work.attempt, resume_step=self.training.step
            )
            self.writer.add(self.position(self.training.step) | {"event": "start", "reason": started_from})
        return self.training.step

    def newest(self) -> tuple[Checkpoint, dict[str, Tensor]] | None:
        """The newest checkpoint whose rows are all in the record; damaged ones are set aside on the way.

        A checkpoint that an attempt published after a later one had resumed before it is not such a one: the view
        has dropped the rows between. Every worker reads for itself and finds the same, since rank 0 looks first.
        """
        trial_id, attempt = self.trial.trial_id, self.work.attempt
        chosen: list[Any] = [None]
        if self.assignment.rank == 0:
            later = resume_steps(self.store, trial_id)
            for step, made_by in checkpoints.listed(self.store, trial_id):
                if made_by >= attempt or any(step > resumed for other, resumed in later.items() if other > made_by):
                    continue
                try:
                    if checkpoints.load(self.store, trial_id, step, made_by)[0].moments:
                        chosen[0] = (step, made_by)
                        break
                except DamagedCheckpoint as error:
                    checkpoints.set_aside(self.store, trial_id, step, made_by, str(error))
        dist.broadcast_object_list(chosen)
        return checkpoints.load(self.store, trial_id, *chosen[0]) if chosen[0] else None

    def parent(self) -> tuple[Checkpoint, dict[str, Tensor]] | None:
        """The final checkpoint of the trial this one starts from, if it starts from one."""
        if self.trial.parent is None:
            return None
        for step, attempt in checkpoints.listed(self.store, self.trial.parent):
            if step == self.trial.first:
                return checkpoints.load(self.store, self.trial.parent, step, attempt)
        raise DamagedCheckpoint(f"trial {self.trial.parent} has no checkpoint at step {self.trial.first} to start from")

    def compare(self, checkpoint: Checkpoint) -> None:
        """Raise ResumeJump where a fixed batch's loss is not what it was."""
        if checkpoint.probe is None:
            return
        now, allowed = self.training.probe(), JUMP[self.trial.recipe.precision]
        if not abs(now - checkpoint.probe) <= allowed:
            raise ResumeJump(
                f"restored from {checkpoint.stem} the loss of a fixed batch is {now:.6f}, and was "
                f"{checkpoint.probe:.6f}; {allowed:g} is allowed"
            )

    def advance(self, steps: int, checkpoint: bool) -> Progress:
        """Train up to `steps` steps, evaluating where the recipe says; end at the last one. `checkpoint`: save then."""
        target = min(self.training.step + steps, self.trial.last)
        points = [step for step in self.trial.recipe.evaluation.steps if self.training.step < step <= target]
        speed = None
        for stop in sorted({*points, target}):
            made = self.training.advance(stop)
            self.held_out = self.training.evaluate() if stop in points else None
            speed = self.trial.batch_tokens * len(made.seconds) / sum(made.seconds)
            if reason := self.record(made):
                return self.end("diverged", reason, speed)
        if self.training.step == self.trial.last:
            self.save()
            progress = self.end("completed", None, speed)
            if self.writer:
                checkpoints.keep_last(self.store, self.trial.trial_id, keep=1)
            return progress
        if checkpoint:
            self.save()
        elif self.writer and self.writer.due:
            self.writer.flush()
        return self.progress(speed, None, None)

    def interrupt(self, reason: str) -> Progress:
        """Save where the attempt stands and end it resumable."""
        self.save()
        return self.end("interrupted", reason, None)

    def stop(self, reason: str) -> Progress:
        """End it for good where it stands: its loss there is no final one."""
        self.held_out = None
        return self.end("stopped", reason, None)

    def record(self, made: Steps) -> str | None:
        """Add a row a step; the reason to give up, if there is one, with the row of that step as the last."""
        for index, loss in enumerate(made.losses):
            step = made.first + index
            last = index == len(made.losses) - 1
            if self.writer:
                evaluated = self.held_out if last else None
                row = {
                    "loss": finite(loss),
                    "eval_loss": finite(evaluated.loss) if evaluated else None,
                    "eval_loss_se": finite(evaluated.error) if evaluated else None,
                    "extra": evaluated.extra() if evaluated else None,
                    "lr": made.rates[index],
                    "grad_norm": finite(made.grad_norms[index]),
                    "tokens_per_second": self.trial.batch_tokens / made.seconds[index],
                    "step_seconds": made.seconds[index],
                }
                self.writer.add(self.position(step) | row)
            if not isfinite(loss):
                return f"the loss is {loss} at step {step}"
            self.last_loss = loss
            self.hopeless = self.hopeless + 1 if loss > self.training.hopeless_loss else 0
            if self.hopeless == HOPELESS_STEPS:
                limit = self.training.hopeless_loss
                return f"the loss stayed above {limit:.2f} for {HOPELESS_STEPS} steps, to step {step}"
        return None

    def save(self) -> None:
        """Publish the rows, then a checkpoint, then forget the older ones. Nothing happens twice at one step."""
        if self.training.step == self.saved_step:
            if self.writer:
                self.writer.flush()
            return
        final = self.training.step == self.trial.last
        moments = not final or self.work.keep_moments
        probe = None if final and not moments else self.training.probe()
        tensors = state.read(self.training.engine, moments=moments)
        if self.writer is None:
            for _ in tensors:  # reading is collective; rank 0 writes
                pass
        else:
            self.writer.flush()
            checkpoints.publish(
                self.store,
                tensors,
                trial_id=self.trial.trial_id,
                attempt=self.work.attempt,
                step=self.training.step,
                moments=moments,
                probe=probe,
                facts=self.facts(),
            )
            if not final:  # the earlier ones may still be needed until the end is in the record
                checkpoints.keep_last(self.store, self.trial.trial_id, keep=2)
        self.saved_step = self.training.step

    def end(self, ended: Ended, reason: str | None, speed: float | None) -> Progress:
        if self.writer:
            loss, error = (self.held_out.loss, self.held_out.error) if self.held_out else (None, None)
            row = {"event": "end", "reason": f"{ended}: {reason}" if reason else ended}
            losses = {"loss": self.last_loss, "eval_loss": finite(loss), "eval_loss_se": finite(error)}
            memory = memory_facts(peak_bytes(), self.work.assigned.memory_bytes)
            self.writer.add(self.position(self.training.step) | row | losses | {"extra": memory})
            self.writer.flush()
        return self.progress(speed, ended, reason)

    def progress(self, speed: float | None, ended: Ended | None, reason: str | None) -> Progress:
        return Progress(
            step=self.training.step,
            tokens=self.training.step * self.trial.batch_tokens,
            loss=self.last_loss,
            eval_loss=finite(self.held_out.loss) if self.held_out else None,
            tokens_per_second=speed,
            ended=ended,
            reason=reason,
        )

    def position(self, step: int) -> dict[str, Any]:
        tokens = step * self.trial.batch_tokens
        return {"step": step, "tokens": tokens, "flops": float(self.per_token) * tokens}

    def facts(self) -> dict[str, Any]:
        return {
            "workers": self.assignment.workers,
            "micro_batch": self.assignment.micro_batch,
            "threads": self.assignment.threads,
            "device": self.assignment.device,
            "torch": torch.__version__,
            "python": platform.python_version(),
        }

    def close(self) -> None:
        self.training.close()


def finite(value: float | None) -> float | None:
    """The value, null where it is missing or is no number."""
    return value if value is not None and isfinite(value) else None
