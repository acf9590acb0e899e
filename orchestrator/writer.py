"""The rows of one attempt, buffered by column and published as immutable parts. Rank 0 writes them, nobody else."""

from __future__ import annotations

import time
from collections.abc import Mapping
from datetime import UTC, datetime
from typing import Any

import pyarrow as pa

from sweeps.faults import fault
from sweeps.record import part_name
from sweeps.rows import METRICS, encode
from sweeps.store import AlreadyPublished, Store
from sweeps.trial import Trial

FLUSH_SECONDS = 60.0
LAST_SEQ = 99_999_999  # of the row that concludes an attempt from outside, after any its own writer gave


class Fenced(Exception):
    """Another driver has claimed a later attempt of this trial: nothing more may be written by this one."""


class Writer:
    """Adds rows and publishes parts. `flush` before every checkpoint, so that a crash loses only what is recomputed."""

    def __init__(self, store: Store, *, trial_id: str, attempt: int, resume_step: int) -> None:
        self.store, self.trial_id, self.attempt, self.resume_step = store, trial_id, attempt, resume_step
        self.columns: dict[str, list[Any]] = {name: [] for name in METRICS.names}
        self.seq = 0
        self.flushed_at = time.monotonic()

    def add(self, row: Mapping[str, Any]) -> None:
        """One row: step, tokens, flops, and whatever else of the schema it has."""
        row = {
            "trial_id": self.trial_id,
            "attempt": self.attempt,
            "resume_step": self.resume_step,
            "seq": self.seq,
            "wall_time": datetime.now(UTC),
        } | dict(row)
        for name, column in self.columns.items():
            column.append(row.get(name))
        self.seq += 1

    @property
    def due(self) -> bool:
        """Whether the oldest row has waited long enough for a part of its own."""
        return time.monotonic() - self.flushed_at >= FLUSH_SECONDS

    def flush(self) -> None:
        """Publish what is buffered. Raises Fenced, StoreError."""
        self.flushed_at = time.monotonic()
        held = len(self.columns["seq"])
        if not held:
            return
        self.check_fence()
        data = encode(pa.Table.from_pydict(self.columns, schema=METRICS), METRICS)
        fault("part: encoded")
        self.store.publish(part_name(self.trial_id, self.attempt, self.seq - held), data)
        fault("part: published")
        for column in self.columns.values():
            column.clear()

    def check_fence(self) -> None:
        """Raises Fenced where a later attempt is claimed."""
        if self.store.exists(f"attempts/{self.trial_id}-a{self.attempt + 1:04d}.parquet"):
            raise Fenced(
                f"attempt {self.attempt + 1} of trial {self.trial_id} is claimed; attempt {self.attempt} stops"
            )


def conclude(
    store: Store, trial: Trial, attempt: int, reason: str, extra: list[tuple[str, float]] | None = None
) -> None:
    """Record the end of an attempt whose own writer no longer can; nothing where it, or someone else, has."""
    name = part_name(trial.trial_id, attempt, LAST_SEQ)
    row = {
        "trial_id": trial.trial_id,
        "attempt": attempt,
        "resume_step": trial.last,
        "seq": LAST_SEQ,
        "step": trial.first,
        "tokens": trial.first * trial.batch_tokens,
        "flops": 0.0,
        "wall_time": datetime.now(UTC),
        "event": "end",
        "reason": reason,
        "extra": extra,
    }
    try:
        store.publish(name, encode([row], METRICS))
    except AlreadyPublished:
        return
