"""What the driver hands to a gang, and what comes back. No torch: the driver never loads it."""

from __future__ import annotations

import json
from dataclasses import asdict, dataclass
from typing import Any, Literal

from sweeps.trial import Trial

Device = Literal["cpu", "cuda"]
Ended = Literal["completed", "diverged", "interrupted", "stopped"]


@dataclass(frozen=True, slots=True, kw_only=True)
class Assigned:
    """Where and in which pieces an attempt runs; nothing here is part of a trial's identity.

    micro_batch   sequences a worker takes at once; workers × micro_batch divides the global batch
    threads       of each worker on a CPU
    cpus, gpus    reserved for each worker
    kind          of device, by its name in the file of devices
    memory_bytes  of a worker, as it was estimated; None where it was not
    """

    workers: int
    micro_batch: int
    threads: int
    cpus: float
    gpus: float = 0.0
    device: Device = "cpu"
    checkpoint_activations: bool = False
    kind: str = "cpu"
    memory_bytes: float | None = None

    def each(self) -> dict[str, Any]:
        """What every worker's own assignment says besides its rank."""
        return {
            "workers": self.workers,
            "micro_batch": self.micro_batch,
            "threads": self.threads,
            "device": self.device,
            "checkpoint_activations": self.checkpoint_activations,
        }


@dataclass(frozen=True, slots=True, kw_only=True)
class Work:
    """One attempt at a trial.

    driver               who owns it; trials hear from it through orchestrator.bulletin
    results              URI of the record
    keep_moments         whether the final checkpoint keeps Adam's moments, for trials that start from it
    checkpoint_seconds   time between checkpoints
    hang_seconds         time without progress after which the attempt is given up
    rungs                steps at which to say where it stands, since it is compared with others there
    """

    trial: Trial
    attempt: int
    driver: str
    results: str
    assigned: Assigned
    keep_moments: bool
    checkpoint_seconds: float
    hang_seconds: float
    rungs: tuple[int, ...] = ()

    @property
    def alone(self) -> bool:
        """Whether it trains in the trial's own actor: one worker, and not ZeRO 3, which leaves torch patched."""
        return self.assigned.workers == 1 and self.trial.recipe.zero != 3

    def to_json(self) -> str:
        plain = {name: getattr(self, name) for name in self.__slots__ if name not in ("trial", "assigned")}
        return json.dumps(plain | {"trial": self.trial.config, "assigned": asdict(self.assigned)})

    @classmethod
    def from_json(cls, text: str) -> Work:
        plain = json.loads(text)
        trial, assigned = Trial.from_config(plain.pop("trial")), Assigned(**plain.pop("assigned"))
        return cls(trial=trial, assigned=assigned, rungs=tuple(plain.pop("rungs")), **plain)


@dataclass(frozen=True, slots=True, kw_only=True)
class Progress:
    """Where an attempt stands. Losses are in nats per token; `ended` is None while it goes on."""

    step: int
    tokens: int
    loss: float | None
    eval_loss: float | None
    tokens_per_second: float | None
    ended: Ended | None
    reason: str | None
