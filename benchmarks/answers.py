"""How quickly the analysis answers: fits, refits, and the whole way from Parquet to a guideline.

    python -m benchmarks.answers            or as a section of benchmarks/report.py

Run it alone: a second heavy process on two cores doubles everything.
"""

import os
import statistics
import subprocess
import sys
import tempfile
import time
from pathlib import Path
from typing import Any

import numpy as np

from analysis.catalogue import find
from analysis.coverage import PAPER
from analysis.gemstones import gemstones_table
from analysis.loss_fit import fit_losses
from analysis.worlds import VALLEYS, World, some_repeats
from benchmarks.rows import Row
from sweeps.imports import KEYS, publish_import
from sweeps.store import open_store

ROOT = Path(__file__).parents[1]
TITLE = "Analysis"
ABOUT = """Medians of five calls after one to warm up, the refits once; whole commands are processes of their own. The
Gemstones table has 22 runs; the paper's grid is a synthetic world of 53 networks, every fourth with three seeds."""
GEMSTONES = ROOT.parent / "shared" / "data" / "gemstones"
REPEATS = 5
LAW = "gemstones-width-depth-tokens"
COMMAND = [sys.executable, "-c", "from orchestrator.cli import main; main()"]


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


def measure(gemstones: Path, repeats: int) -> dict[str, Any]:
    """Every figure, seconds: medians over `repeats`; the refits once."""
    found: dict[str, Any] = {}
    if gemstones.is_dir():
        table = gemstones_table(gemstones / "hot_100b.jsonl")
        found["fit"] = median_seconds(lambda: fit_losses(find(LAW), table, replicates=0), repeats)
        started = time.perf_counter()
        fit_losses(find(LAW), table, replicates=1000)
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


def rows() -> list[Row]:
    """The section's table; without the Gemstones folder beside the repository its rows have no figure."""
    found = measure(GEMSTONES, REPEATS)
    grid = f"{found['networks']} networks, {found['runs']} runs, a whole command"
    absent = "" if "fit" in found else "no Gemstones table beside the repository"
    return [
        Row(name=f"{LAW} on 770 rows", figure=found.get("fit"), unit="s", target=1.0, better="less", note=absent),
        Row(
            name="its 1,000 bootstrap refits",
            figure=found.get("refits"),
            unit="s",
            target=20.0,
            better="less",
            note=absent,
        ),
        Row(
            name="the paper's grid, from Parquet to a guideline with its interval",
            figure=found["whole command"],
            unit="s",
            target=5.0,
            better="less",
            note=grid,
        ),
        Row(name="every law fitted to that grid, and ranked", figure=found["whole study"], unit="s", note=grid),
    ]


if __name__ == "__main__":
    for row in rows():
        print(f"{row.name}: {row.figure} {row.unit}")
