"""How quickly the analysis answers: fits, refits, and the whole way from Parquet to a guideline.

    python benchmarks/answers.py [--gemstones FOLDER] [--repeats 5]

Prints a section of docs/performance.md and writes its figures to docs/performance/answers.json. Run it alone: a second
heavy process on two cores doubles everything. Without the Gemstones folder beside the repository its rows are left out.
"""

import argparse
import json
import os
import statistics
import subprocess
import sys
import tempfile
import time
from pathlib import Path

import numpy as np

from analysis.catalogue import find
from analysis.coverage import PAPER
from analysis.gemstones import gemstones_table
from analysis.loss_fit import fit_losses
from analysis.worlds import VALLEYS, World, some_repeats
from sweeps.imports import KEYS, publish_import
from sweeps.store import open_store

ROOT = Path(__file__).parents[1]
FIGURES = ROOT / "docs" / "performance" / "answers.json"
LAW = "gemstones-width-depth-tokens"
COMMAND = [sys.executable, "-c", "from orchestrator.cli import main; main()"]
# what is asked for, seconds
WANTED = {"fit": 1.0, "refits": 20.0, "whole command": 5.0}


def median_seconds(function, repeats: int) -> float:
    """Of a few calls, after one to warm up."""
    function()
    seconds = []
    for _ in range(repeats):
        started = time.perf_counter()
        function()
        seconds.append(time.perf_counter() - started)
    return statistics.median(seconds)


def sweep_seconds(arguments: list[str], repeats: int) -> float:
    """Of a whole `sweep` command, in a process of its own."""
    environment = os.environ | {"PYTHONPATH": str(ROOT)}

    def call() -> None:
        subprocess.run([*COMMAND, *arguments], check=True, capture_output=True, env=environment, cwd=ROOT)

    return median_seconds(call, repeats)


def measure(gemstones: Path, repeats: int) -> dict[str, object]:
    """Every figure, seconds: medians over `repeats`; the refits once."""
    found: dict[str, object] = {"date": time.strftime("%Y-%m-%d"), "repeats": repeats}
    if gemstones.is_dir():
        rows = gemstones_table(gemstones / "hot_100b.jsonl")
        found["rows"] = len(rows)
        found["fit"] = median_seconds(lambda: fit_losses(find(LAW), rows, replicates=0), repeats)
        started = time.perf_counter()
        fit_losses(find(LAW), rows, replicates=1000)
        found["refits"] = time.perf_counter() - started
    with tempfile.TemporaryDirectory() as folder:
        table = World(valley=VALLEYS["gemstones"]).table(PAPER, some_repeats(PAPER), np.random.default_rng(3))
        known = {"status": "completed", "counting": "12·L·d²"}
        lines = [dict.fromkeys(KEYS) | known | row for row in table.to_dict("records")]
        publish_import(open_store(folder), "paper", lines, notes=[], facts={"world": "the paper's law"})
        found["networks"], found["runs"] = len(PAPER), len(lines)
        asked = ["recommend", "--params", "1e12", "--law", "fit:paper:levine2020", "--results", folder]
        found["whole command"] = sweep_seconds(asked, repeats)
        found["whole study"] = sweep_seconds(["fit", "paper", "--results", folder], repeats)
    return found


def section(found: dict[str, object]) -> list[str]:
    """The part of docs/performance.md that these figures are."""
    lines = [
        "## Analysis",
        "",
        f"`python benchmarks/answers.py`, {found['date']}; medians of {found['repeats']}, whole commands in processes",
        "of their own.",
        "",
        "| what | seconds | wanted |",
        "|---|---|---|",
    ]
    if "fit" in found:
        name = f"three-variable law ({LAW}) on {found['rows']} rows"
        lines.append(f"| {name} | {found['fit']:.2f} | ≤ {WANTED['fit']:g} |")
        lines.append(f"| its 1,000 bootstrap refits, once | {found['refits']:.1f} | ≤ {WANTED['refits']:g} |")
    grid = f"{found['networks']} networks, {found['runs']} runs"
    lines += [
        f"| Parquet to guideline with intervals, paper's grid ({grid}): `sweep recommend --law fit:…:levine2020` | "
        f"{found['whole command']:.2f} | ≤ {WANTED['whole command']:g} |",
        f"| every law fitted and ranked on that grid: `sweep fit` | {found['whole study']:.2f} | – |",
    ]
    return lines


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--gemstones", type=Path, default=ROOT.parent / "shared" / "data" / "gemstones")
    parser.add_argument("--repeats", type=int, default=5)
    arguments = parser.parse_args()
    found = measure(arguments.gemstones, arguments.repeats)
    FIGURES.parent.mkdir(parents=True, exist_ok=True)
    FIGURES.write_text(json.dumps(found, indent=1) + "\n", encoding="utf-8")
    print("\n".join(section(found)))


if __name__ == "__main__":
    main()
