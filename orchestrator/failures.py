"""Failures as values: what an attempt's end says about whose fault it was, and what is done about it.

An end's reason is `<kind>` or `<kind>: <detail>` in the record. Kinds:

completed        all steps done                                         the end
diverged         the loss is no number, or stays hopeless               the end: more tries give the same numbers
out_of_memory    of the device or the machine                           tried once more, with a smaller micro-batch
error            an exception in our code, a library's, or the user's   tried again, up to the sweep's retries
hung             no progress for the time allowed                       tried again, likewise
lost             the worker, node or driver went away                   tried again, not counted
interrupted      stopped by a signal, a drained node or a budget        resumed, not counted
stopped          ended early by the sweep's own rule                    the end
pardoned         any of the ends above, after `sweep retry`             tried again, not counted
"""

from __future__ import annotations

from collections.abc import Sequence
from typing import Literal

Kind = Literal["completed", "diverged", "out_of_memory", "error", "hung", "lost", "interrupted", "stopped"]


# What helps where no earlier checkpoint can stand in: the final one of a trial that has ended.
TRAIN_ANEW = (
    "nothing else has these weights: move the trial's files in metrics/, attempts/ and checkpoints/ out of the record "
    "and run its sweep again, which trains it anew to the same numbers"
)


class ClusterError(RuntimeError):
    """The cluster is not there, or takes attempts and loses them before any has made a step. Stopping is safe, and
    resumable."""


FINAL: frozenset[str] = frozenset({"completed", "diverged", "stopped"})
# Attempts that may run out of memory: the second one has a smaller micro-batch, and a third would only waste more.
OUT_OF_MEMORY_TRIES = 2
COUNTED: frozenset[str] = frozenset({"out_of_memory", "error", "hung"})


def kind(reason: str) -> str:
    """The kind an end's reason begins with."""
    return reason.split(":", 1)[0]


def is_final(reasons: Sequence[str | None], retries: int) -> bool:
    """Whether nothing more is tried after these ends, one an attempt, the last one last; None is one without an end."""
    if not reasons:
        return False
    last = reasons[-1]
    kinds = [kind(reason) for reason in reasons if reason]
    if last is None:
        return False
    spent = sum(each in COUNTED for each in kinds) > retries
    hopeless = kind(last) == "out_of_memory" and kinds.count("out_of_memory") >= OUT_OF_MEMORY_TRIES
    return kind(last) in FINAL or (kind(last) in COUNTED and spent) or hopeless


class OutOfMemory(Exception):
    """A worker ran out of memory. The most it had allocated on its GPU, bytes, is the second argument; None: no GPU."""

    @property
    def peak_bytes(self) -> float | None:
        peak: float | None = self.args[1]
        return peak

    def __str__(self) -> str:
        return str(self.args[0])


def is_out_of_memory(error: BaseException) -> bool:
    """Whether an exception of torch's, Python's or Ray's says that memory has run out."""
    text = str(error).lower()
    return (
        isinstance(error, (MemoryError, OutOfMemory))
        or type(error).__name__ == "OutOfMemoryError"
        or "out of memory" in text
        or "can't allocate memory" in text
    )


def reason_for(error: BaseException) -> str:
    """The reason an exception out of a gang gives for the end of its attempt."""
    name, text = type(error).__name__, " ".join(str(error).split())
    cause = getattr(error, "cause", None)
    if isinstance(cause, BaseException):
        name, text = type(cause).__name__, " ".join(str(cause).split())
    if is_out_of_memory(cause if isinstance(cause, BaseException) else error):
        return f"out_of_memory: {text[:500]}"
    if name == "Hung":
        return f"hung: {text[:500]}"
    if name in ("ActorDiedError", "RayActorError", "ActorUnavailableError", "NodeDiedError", "WorkerCrashedError"):
        return f"lost: {text[:500]}"
    return f"error: {name}: {text[:500]}"
