"""How cost grows: planning and resuming with the trials, asking and compacting with the rows.

    python -m benchmarks.growth [--most-trials 10000] [--most-rows 30000000] [--folder DIR]

Trials go from 10 up, rows from 1e5 up, each ten (at the end three) times the last. Whole commands, the median of three
(once where one takes longer than 20 seconds). Prints a section of docs/performance.md, writes
docs/performance/growth.json and docs/figures/growth.svg and .png. Rows take 70 bytes each in DIR, by default a
temporary folder.
"""

import argparse
import json
import math
import statistics
import tempfile
import time
from datetime import UTC, datetime
from itertools import pairwise
from pathlib import Path

import numpy as np

from analysis.figures.style import LINES, MARKERS, blank, shade, styled, write
from benchmarks.record import ask, command, make
from orchestrator.corpora.prepare import prepare
from orchestrator.provenance import versions
from sweeps.loading import load_spec
from sweeps.planning import plan
from sweeps.record import part_name, publish_plan
from sweeps.rows import ATTEMPTS, METRICS, encode
from sweeps.store import open_store

ROOT = Path(__file__).parents[1]
FIGURES = ROOT / "docs" / "performance" / "growth.json"
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
    found: dict[str, dict[int, float]] = {"ask, parts": {}, "compact": {}, "ask, compacted": {}, "compact, GiB": {}}
    for rows in (10**5, 10**6, 10**7, 3 * 10**7):
        if rows > most:
            break
        results = folder / f"rows-{rows}"
        make(results, rows // ROWS_A_TRIAL, ROWS_A_TRIAL)
        found["ask, parts"][rows] = ask(results, 3)
        found["compact"][rows], found["compact, GiB"][rows] = command(["compact", "--results", str(results)])
        found["ask, compacted"][rows] = ask(results, 3)
        print(rows, {name: round(seconds[rows], 2) for name, seconds in found.items()}, flush=True)
    return found


def bends(curve: dict[int, float]) -> float:
    """The steepest slope of ln seconds over ln size between neighbours: above 1, cost grows faster than the size.

    NaN for a single size.
    """
    points = [(math.log(size), math.log(seconds)) for size, seconds in sorted(curve.items())]
    return max(((b[1] - a[1]) / (b[0] - a[0]) for a, b in pairwise(points)), default=math.nan)


def section(found: dict[str, dict[str, dict[int, float]]], date: str) -> list[str]:
    """The part of docs/performance.md that these figures are."""
    lines = ["## How cost grows", "", f"`python -m benchmarks.growth`, {date}; seconds of whole commands.", ""]
    for what, curves in found.items():
        sizes = sorted({size for curve in curves.values() for size in curve})
        lines += [f"| by {what} | " + " | ".join(f"{size:.0e}".replace("e+0", "e") for size in sizes)]
        lines[-1] += " | steepest slope |"
        lines.append("|---" * (len(sizes) + 2) + "|")
        for name, curve in curves.items():
            cells = [f"{curve[size]:.2f}" if size in curve else "" for size in sizes]
            lines.append(f"| {name} | " + " | ".join(cells) + f" | {bends(curve):.2f} |")
        lines.append("")
    lines += ["A slope is that of ln seconds over ln size between neighbours; 1 is in proportion.", ""]
    return [*lines, "![how cost grows](figures/growth.svg)"]


def draw(found: dict[str, dict[str, dict[int, float]]]) -> None:
    """Both families of curves, log-log."""
    with styled():
        figure = blank(8.0, 3.6)
        panels = figure.subplots(1, len(found), squeeze=False)[0]
        for axes, (what, curves) in zip(panels, found.items(), strict=True):
            shown = {name: curve for name, curve in curves.items() if "GiB" not in name}
            for place, (name, curve) in enumerate(shown.items()):
                sizes = sorted(curve)
                look = {"color": shade(place, len(shown)), "marker": MARKERS[place], "linestyle": LINES[place]}
                axes.plot(sizes, [curve[size] for size in sizes], label=name, markersize=4, linewidth=1, **look)
            axes.set_xscale("log")
            axes.set_yscale("log")
            axes.set_xlabel(what)
            axes.legend()
        panels[0].set_ylabel("seconds, whole command")
    write(figure, ROOT / "docs" / "figures", "growth")


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--most-trials", type=int, default=10_000)
    parser.add_argument("--most-rows", type=int, default=30_000_000)
    parser.add_argument("--folder", type=Path)
    arguments = parser.parse_args()
    with tempfile.TemporaryDirectory(dir=arguments.folder) as folder:
        found = {
            "trials": by_trials(arguments.most_trials, Path(folder)),
            "rows": by_rows(arguments.most_rows, Path(folder)),
        }
    date = time.strftime("%Y-%m-%d")
    FIGURES.parent.mkdir(parents=True, exist_ok=True)
    FIGURES.write_text(json.dumps({"date": date, **found}, indent=1) + "\n", encoding="utf-8")
    draw(found)
    print("\n".join(section(found, date)))


if __name__ == "__main__":
    main()
