"""The learning rate over a training, as a factor on the peak rate: a pure function of the step."""

from dataclasses import dataclass
from math import cos, pi
from typing import Literal


@dataclass(frozen=True, slots=True, kw_only=True)
class Schedule:
    """Steps count from 1 over the whole training, also where it starts from another trial's checkpoint.

    cosine, linear   from the peak after `warmup` steps to `final` at step `end`
    constant         the peak after `warmup` steps: a trunk, from which cool-downs branch
    cooldown         the peak until step `start`, then straight down to `final` at step `end`
    """

    kind: Literal["cosine", "linear", "constant", "cooldown"]
    warmup: int
    start: int
    end: int
    final: float

    def factor(self, step: int) -> float:
        """Rate of step `step` over the peak rate."""
        if step <= self.warmup:
            return step / self.warmup
        match self.kind:
            case "constant":
                return 1.0
            case "cosine":
                done = (step - self.warmup) / (self.end - self.warmup)
                return self.final + (1 - self.final) * (1 + cos(pi * done)) / 2
            case "linear":
                done = (step - self.warmup) / (self.end - self.warmup)
                return 1 - (1 - self.final) * done
            case "cooldown":
                done = max(0.0, (step - self.start) / (self.end - self.start))
                return 1 - (1 - self.final) * done
