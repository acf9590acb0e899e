"""What a trial costs beside its training: thousands of trials that train nothing, through the real run.

    python benchmarks/overhead.py --trials 5000 [--out curve.csv] [--figure curve.png]

Dispatcher, claims, Ray Tune, its actors, rows and the record are the real ones; only the network is missing: an
attempt writes its first and last row and has ended. Prints, for each tenth of the trials, seconds a trial and the
driver's resident memory, and at the end both per trial over the second half, when nothing is warming up any more.
"""

from __future__ import annotations

import argparse
import csv
import os
import sys
import tempfile
import time
from pathlib import Path
from typing import Any, cast

import psutil

from orchestrator.conduct import conduct
from orchestrator.corpora.prepared import Prepared
from orchestrator.display import Display
from orchestrator.trainable import TrialActor
from orchestrator.work import Progress
from orchestrator.writer import Writer
from sweeps.planning import plan
from sweeps.spec import Spec
from sweeps.states import states
from sweeps.store import open_store
from sweeps.views import connect

SPEC: dict[str, Any] = {
    "name": "overhead",
    "model": {"family": "gpt", "tokenizer": "bytes", "heads": 2, "context": 32},
    "grid": {"depths": [1, 2, 3, 4, 5], "widths": [8, 16, 24, 32]},
    "data": {"corpus": "python-stdlib"},
    "training": {"tokens": 6400, "batch_tokens": 256, "learning_rate": 1e-2},
    "evaluation": {"tokens": 1024, "points": 1},
}
Point = tuple[int, float, int]  # trials ended, seconds since the first began, bytes of the driver


class Instant(TrialActor):
    """A trial that has ended as soon as it has begun."""

    def slice(self) -> Progress:
        trial, attempt = self.work.trial, self.work.attempt
        writer = Writer(open_store(self.work.results), trial_id=trial.trial_id, attempt=attempt, resume_step=0)
        writer.add({"step": 0, "tokens": 0, "flops": 0.0, "event": "start", "reason": "nothing"})
        last = {"step": trial.last, "tokens": trial.tokens, "flops": 1.0, "event": "end", "reason": "completed"}
        writer.add(last | {"loss": 1.0, "eval_loss": 1.0})
        writer.flush()
        return Progress(
            step=trial.last,
            tokens=trial.tokens,
            loss=1.0,
            eval_loss=1.0,
            tokens_per_second=None,
            ended="completed",
            reason=None,
        )


class Clock(Display):
    """A display that takes the time and the driver's memory as trials end."""

    def __init__(self, trials: int) -> None:
        self.stretch = max(2, trials // 10)
        self.out = os.fdopen(os.dup(1), "w", buffering=1)  # the run sends descriptor 1 into a log
        self.process = psutil.Process(os.getpid())
        self.started: float | None = None
        self.points: list[Point] = []

    def say(self, text: str) -> None:
        print(text, file=sys.stderr)

    def event(self, what: str, order: Any, result: dict[str, Any] | None) -> None:
        if self.started is None:
            self.started = time.perf_counter()
        if what == "end":
            done = len(self.points) + 1
            self.points.append((done, time.perf_counter() - self.started, self.process.memory_info().rss))
            if done % self.stretch == 0:
                seconds, _ = per_trial(self.points[-self.stretch :])
                self.out.write(f"{done:>8} {seconds:>10.4f} {self.points[-1][2] / 1e6:>11.1f}\n")


def draw(points: list[Point], path: Path) -> None:
    """Seconds a trial, in stretches of a fiftieth, and the driver's memory, against trials ended."""
    import matplotlib as mpl

    mpl.use("agg")
    from matplotlib import pyplot as plt

    size = max(1, len(points) // 50)
    stretches = [points[index : index + size + 1] for index in range(0, len(points) - size, size)]
    figure, (above, below) = plt.subplots(2, 1, figsize=(8, 6), sharex=True, layout="constrained")
    above.plot([s[-1][0] for s in stretches], [(s[-1][1] - s[0][1]) / (s[-1][0] - s[0][0]) for s in stretches])
    above.set_ylabel("seconds a trial")
    above.set_ylim(bottom=0)
    below.plot([n for n, _, _ in points], [(bytes_ - points[0][2]) / 1e6 for _, _, bytes_ in points])
    below.set_ylabel("growth of the driver, MB")
    below.set_xlabel("trials ended")
    figure.savefig(path, dpi=150)


def per_trial(points: list[Point]) -> tuple[float, float]:
    """Seconds and bytes a trial, between the first and the last of some points."""
    (first, began, small), (last, ended, large) = points[0], points[-1]
    return (ended - began) / (last - first), (large - small) / (last - first)


def main() -> None:
    arguments = argparse.ArgumentParser(description=__doc__)
    arguments.add_argument("--trials", type=int, default=5000)
    arguments.add_argument("--out", type=Path, help="write the curve as CSV: trials, seconds, bytes")
    arguments.add_argument("--figure", type=Path, help="draw the curve")
    asked = arguments.parse_args()
    grid = cast(dict[str, Any], SPEC["grid"])
    seeds = -(-asked.trials // (len(grid["depths"]) * len(grid["widths"])))
    spec = Spec.model_validate(SPEC | {"training": SPEC["training"] | {"seeds": list(range(seeds))}})
    made = plan(spec, "0" * 64, {})
    print(f"{'trials':>8} {'s a trial':>10} {'driver, MB':>11}", flush=True)
    with tempfile.TemporaryDirectory(prefix="interplay-overhead-") as folder:
        store, clock = open_store(folder), Clock(len(made.trials))
        nothing = cast(Prepared, None)  # asked for only where trials wait for others
        conduct(spec, store, nothing, made, {}, clock, lambda: False, trainable=Instant)
        with connect(store) as connection:
            found = states(connection, [planned.trial.trial_id for planned in made.trials])
    assert all(state.endings == ("completed",) for state in found.values())
    assert len(found) == len(made.trials) == len(clock.points)
    seconds, grown = per_trial(clock.points[len(clock.points) // 2 :])
    print(f"second half: {seconds:.4f} s and {grown / 1000:.1f} kB of the driver a trial")
    if asked.out:
        with asked.out.open("w") as file:
            csv.writer(file).writerows([("trials", "seconds", "bytes"), *clock.points])
    if asked.figure:
        draw(clock.points, asked.figure)


if __name__ == "__main__":
    main()
