"""The process that shows a sweep in one tracker: it follows the record, and nothing in it can touch a trial.

Started by orchestrator.trackers.tracking, which closes this process's standard input when the run is over. Then it
makes a last round and ends, within the time that it was given, whatever the tracker does.
"""

from __future__ import annotations

import importlib
import json
import os
import secrets
import signal
import sys
import threading
import time
from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from math import isfinite
from pathlib import Path
from typing import Any, cast

from orchestrator.trackers.tracker import Module, Point, Shown, Tracker, chosen
from sweeps.record import find_plan, parts, plan_names
from sweeps.rows import decode
from sweeps.store import Store, open_store
from sweeps.tracking import Tracking

ROUND_SECONDS = 3.0
SHOWN = ("loss", "eval_loss", "eval_loss_se", "lr", "grad_norm", "tokens", "tokens_per_second")
FACTS = (
    "family", "depth", "width", "heads", "vocabulary", "context", "params", "params_total", "flops", "tokens",
    "batch_tokens", "seed", "learning_rate", "precision", "zero", "purpose",
)  # fmt: skip


@dataclass(slots=True)
class Seen:
    """How far a trial is in the tracker: the last step shown, and whether it ended for good."""

    step: int
    ended: bool = False


class Mirror:
    """Rounds over the record's new parts, and the memory of what was shown, in a file beside the tracker's own."""

    def __init__(self, store: Store, sweep: str, tracker: Tracker, memory: Path, points: int) -> None:
        self.store, self.sweep, self.tracker, self.memory, self.points = store, sweep, tracker, memory, points
        self.read: set[str] = set()
        self.plans: list[tuple[str, str]] = []
        self.trials: dict[str, dict[str, Any]] = {}
        self.begun: set[str] = set()
        try:
            self.seen = {trial: Seen(*values) for trial, values in json.loads(memory.read_bytes()).items()}
        except (FileNotFoundError, ValueError):
            self.seen = {}

    def round(self) -> None:
        """Show what is new."""
        plans = plan_names(self.store)
        if plans != self.plans:
            found = find_plan(self.store, self.sweep)
            self.trials = {row["trial_id"]: row for row in found.rows.to_pylist()}
            self.plans = plans
        for match in parts(self.store):
            key = match["trial"]
            if key not in self.trials or match.string in self.read or self.seen.get(key, Seen(-1)).ended:
                continue
            try:
                rows = decode(self.store.read(f"metrics/{match.string}"))[0].to_pylist()
            except FileNotFoundError:  # compacted meanwhile
                continue
            self.show(self.trials[key], rows)
            self.read.add(match.string)
        self.remember()

    def show(self, row: Mapping[str, Any], rows: list[dict[str, Any]]) -> None:
        """One part's rows, thinned to about `points` a trial, but every held-out loss; recomputed steps only once."""
        trial = shown(row)
        seen = self.seen.setdefault(trial.trial_id, Seen(row["first_step"] or 0))
        if trial.trial_id not in self.begun:
            self.tracker.begin(trial)
            self.begun.add(trial.trial_id)
        stride = max(1, ((row["last_step"] or 0) - (row["first_step"] or 0)) // self.points)
        new = [r for r in rows if r["event"] is None and r["step"] > seen.step]
        kept = [r for r in new if r["step"] % stride == 0 or r["eval_loss"] is not None]
        if kept:
            self.tracker.add(trial, [point(r) for r in kept])
        if new:
            seen.step = new[-1]["step"]
        for reason in (r["reason"] for r in rows if r["event"] == "end"):
            if reason == "completed" or reason.startswith(("diverged", "stopped")):
                self.tracker.end(trial, reason)
                self.begun.discard(trial.trial_id)
                seen.ended = True

    def remember(self) -> None:
        self.memory.parent.mkdir(parents=True, exist_ok=True)
        beside = self.memory.with_name(f".{self.memory.name}.{secrets.token_hex(4)}")
        beside.write_text(json.dumps({trial: [seen.step, seen.ended] for trial, seen in self.seen.items()}))
        beside.replace(self.memory)


def shown(row: Mapping[str, Any]) -> Shown:
    facts = {name: row[name] for name in FACTS if row.get(name) is not None}
    name = f"{row['depth']}x{row['width']}-{row['trial_id'][:8]}"
    return Shown(trial_id=row["trial_id"], name=name, facts=facts)


def point(row: Mapping[str, Any]) -> Point:
    values = {name: row.get(name) for name in SHOWN} | dict(row.get("extra") or {})
    metrics = {name: float(value) for name, value in values.items() if value is not None and isfinite(value)}
    return Point(step=row["step"], seconds=row["wall_time"].timestamp(), metrics=metrics)


def rounds(over: threading.Event) -> Iterator[None]:
    """Once every ROUND_SECONDS, and once after the run is over."""
    while not over.wait(ROUND_SECONDS):
        yield
    yield


def main() -> None:
    """Arguments: the tracker, its module, the record, the folder for what is kept, the seconds it has after the run
    is over, the sweep, and its section `tracking` as JSON."""
    name, module, results, folder, seconds, sweep, text = sys.argv[1:]
    signal.signal(signal.SIGINT, signal.SIG_IGN)  # the run decides when it is over
    os.nice(5)
    tracking = Tracking.model_validate_json(text)
    over = threading.Event()
    threading.Thread(target=wait_for_the_end, args=(over, float(seconds)), daemon=True).start()
    opened = cast(Module, importlib.import_module(module))
    tracker = opened.open_tracker(chosen(tracking).get(name), sweep, Path(folder))
    memory = Path(folder) / f"{sweep}.shown.json"
    mirror = Mirror(open_store(results), sweep, tracker, memory, tracking.points)
    for _ in rounds(over):
        mirror.round()
    tracker.close()


def wait_for_the_end(over: threading.Event, seconds: float) -> None:
    """Standard input ends when the run does, or its process; after that this process has a little time left."""
    sys.stdin.buffer.read()
    over.set()
    time.sleep(seconds)
    print(f"not finished {seconds:.0f} s after the run was over: given up", file=sys.stderr, flush=True)
    os._exit(1)


if __name__ == "__main__":
    main()
