"""What a person sees of a run: a line for each thing that happened, on a descriptor of its own."""

from __future__ import annotations

import os
import time
from typing import Any, Protocol

from models.counts import parameters
from orchestrator.dispatch import Order


class Display(Protocol):
    """Whoever watches a run."""

    def say(self, text: str) -> None: ...

    def event(self, what: str, order: Any, result: dict[str, Any] | None) -> None:
        """what: start, progress or end of an attempt (orchestrator.tuning.Feed)."""


class Lines:
    """Timestamped plain lines on standard error, which stay there when the process's own output goes to a log."""

    def __init__(self, total: int) -> None:
        self.out = os.fdopen(os.dup(2), "w", buffering=1)
        self.total, self.ended, self.started = total, 0, time.monotonic()

    def say(self, text: str) -> None:
        seconds = int(time.monotonic() - self.started)
        self.out.write(f"{seconds // 3600:02d}:{seconds // 60 % 60:02d}:{seconds % 60:02d}  {text}\n")

    def event(self, what: str, order: Order, result: dict[str, Any] | None) -> None:
        trial = order.planned.trial
        name = f"{trial.trial_id}  {trial.shape.label:>8}  N {parameters(trial.shape):.3g}"
        match what, result:
            case "start", _:
                self.say(f"{name}  attempt {order.attempt} starts")
            case "end", {"reason": reason, "eval_loss": loss}:
                self.ended += 1
                shown = "" if loss is None else f"  held-out loss {loss:.4f}"
                self.say(f"{name}  {reason}{shown}")
