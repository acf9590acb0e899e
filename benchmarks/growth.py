"""How cost grows: planning and resuming with the trials, asking and compacting with the rows.

python -m benchmarks.growth             or as a section of benchmarks/report.py --scale; 5 GB of temporary files
"""

import math
import statistics
import tempfile
from datetime import UTC, datetime
from pathlib import Path

import numpy as np

from benchmarks.record import ask, command, make
from benchmarks.rows import Curve
from orchestrator.corpora.prepare import prepare
from orchestrator.provenance import versions
from sweeps.loading import load_spec
from sweeps.planning import plan
from sweeps.record import part_name, publish_plan
from sweeps.rows import ATTEMPTS, METRICS, encode
from sweeps.store import open_store

TITLE = "How cost grows with trials and rows"
ABOUT = """Whole commands, start-up included, the median of three (once where one takes longer than 20 seconds). Trials:
the plan of so many, `sweep run` on a sweep whose every trial has ended (the first time compacts a thousand parts), and
`sweep status` on it. Rows: parts of 10,000 rows, the number of steps and the least loss of each trial asked, compacted,
and asked again. Each is a start-up that does not grow and a part that grows about as the trials or rows do: on these
axes it bends where the second overtakes the first."""
MOST_TRIALS, MOST_ROWS = 10_000, 30_000_000
ROWS_A_TRIAL = 10_000
PATIENCE = 20.0  # seconds after which once is enough
SPEC = """
name: growing
model: {{family: gpt, tokenizer: bytes, heads: 2, context: 128}}
grid: {{depths: {depths}, widths: {widths}, seeds: {seeds}}}
data: {{corpus: python-stdlib}}
training: {{tokens: 2.56e5, batch_tokens: 2560, precision: fp32, learning_rate: 6.0e-3}}
"""


def spec_of(trials: int, folder: Path) -> Path:
    """A spec of exactly so many trials, a power of ten: up to 100 shapes, the rest seeds."""
    shapes = min(trials, 100)
    depths, widths = (10, 10) if shapes == 100 else (2, 5)
    seeds = trials // (depths * widths)
    lists = {"depths": [*range(1, depths + 1)], "widths": [*range(16, 16 + 8 * widths, 8)], "seeds": [*range(seeds)]}
    path = folder / f"growing-{trials}.yaml"
    path.write_text(SPEC.format(**lists), encoding="utf-8")
    return path


def typical(arguments: list[str]) -> float:
    """Median wall seconds of a command."""
    seconds = [command(arguments)[0]]
    while len(seconds) < 3 and seconds[0] < PATIENCE:
        seconds.append(command(arguments)[0])
    return statistics.median(seconds)


def finished_record(path: Path, results: Path) -> None:
    """The record of a spec whose every trial has ended: plan, claims, and a part each with start and end."""
    spec, store = load_spec(path), open_store(results)
    made = plan(spec, prepare(spec, store).content, {})
    publish_plan(store, made, spec.model_dump(mode="json"), versions())
    rng, now = np.random.default_rng(0), datetime.now(UTC)
    for folder in ("attempts", "metrics"):
        (results / folder).mkdir(parents=True, exist_ok=True)
    for planned in made.trials:
        trial, last = planned.trial.trial_id, planned.trial.last
        place = {"trial_id": trial, "attempt": 1, "resume_step": 0, "tokens": 0, "flops": 0.0, "wall_time": now}
        rows = [
            place | {"seq": 0, "step": 0, "event": "start"},
            place | {"seq": 1, "step": last, "event": "end", "reason": "completed", "eval_loss": 2 + rng.random()},
        ]
        (results / part_name(trial, 1, 0)).write_bytes(encode(rows, METRICS))
        claim = {"trial_id": trial, "attempt": 1, "driver": "benchmark", "claimed_at": now}
        (results / f"attempts/{trial}-a0001.parquet").write_bytes(encode([claim], ATTEMPTS))


def by_trials(most: int, folder: Path) -> dict[str, dict[int, float]]:
    """Seconds of `sweep plan`, of `sweep run` on a finished sweep, and of `sweep status`, by trials."""
    found: dict[str, dict[int, float]] = {"plan": {}, "run, finished": {}, "status": {}}
    for power in range(1, round(math.log10(most)) + 1):
        trials = 10**power
        path, results = spec_of(trials, folder), folder / f"growing-{trials}"
        found["plan"][trials] = typical(["plan", str(path), "--json", "--results", str(folder / "none")])
        finished_record(path, results)
        found["run, finished"][trials] = typical(["run", str(path), "--results", str(results)])
        found["status"][trials] = typical(["status", "--results", str(results)])
        print(trials, {name: round(seconds[trials], 2) for name, seconds in found.items()}, flush=True)
    return found


def by_rows(most: int, folder: Path) -> dict[str, dict[int, float]]:
    """Seconds to ask parts, to compact, and to ask the compacted file; and GiB of compaction, by rows."""
    found: dict[str, dict[int, float]] = {
        "ask, parts": {},
        "compact": {},
        "ask, compacted": {},
        "memory of compaction": {},
    }
    for rows in (10**5, 10**6, 10**7, 3 * 10**7):
        if rows > most:
            break
        results = folder / f"rows-{rows}"
        make(results, rows // ROWS_A_TRIAL, ROWS_A_TRIAL)
        found["ask, parts"][rows] = ask(results, 3)
        found["compact"][rows], found["memory of compaction"][rows] = command(["compact", "--results", str(results)])
        found["ask, compacted"][rows] = ask(results, 3)
        print(rows, {name: round(seconds[rows], 2) for name, seconds in found.items()}, flush=True)
    return found


def curves() -> list[Curve]:
    """The section's curves."""
    with tempfile.TemporaryDirectory() as folder:
        measured = (
            ("trials", by_trials(MOST_TRIALS, Path(folder))),
            ("rows", by_rows(MOST_ROWS, Path(folder))),
        )
    return [
        Curve(
            name=name,
            x_label=what,
            y_label="GiB" if "memory" in name else "s",
            points=tuple((float(size), figure) for size, figure in sorted(curve.items())),
        )
        for what, found in measured
        for name, curve in found.items()
    ]


if __name__ == "__main__":
    for curve in curves():
        print(curve.name, curve.points)
