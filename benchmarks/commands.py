"""How soon the quick commands answer; see ABOUT."""

import os
import statistics
import subprocess
import sys
import tempfile
import time
from pathlib import Path

from benchmarks.record import make
from benchmarks.rows import Row

ROOT = Path(__file__).parents[1]
TITLE = "Start-up"
ABOUT = """Whole commands, each a process of its own; medians of seven after one to warm the file cache. The small
record has a hundred trials of a hundred steps."""
COMMAND = [sys.executable, "-c", "from orchestrator.cli import main; main()"]
COMMANDS = {
    ("--help",): 0.3,
    ("recommend", "--params", "7e9"): 0.8,
    ("plan", "sweeps/paper.yaml"): 1.0,
    ("query", "select depth, count(*) from trials group by depth"): 1.0,
}
REPEATS = 7


def seconds(arguments: list[str]) -> float:
    """Of one whole `sweep` command."""
    started = time.perf_counter()
    environment = os.environ | {"PYTHONPATH": str(ROOT)}
    subprocess.run([*COMMAND, *arguments], check=True, capture_output=True, env=environment, cwd=ROOT)
    return time.perf_counter() - started


def rows() -> list[Row]:
    made = []
    with tempfile.TemporaryDirectory() as folder:
        make(Path(folder), 100, 100)
        for words, target in COMMANDS.items():
            where = ["--results", folder] if words[0] in ("query", "plan") else []
            seconds([*words, *where])
            took = statistics.median(seconds([*words, *where]) for _ in range(REPEATS))
            name = f"`sweep {' '.join(words[:2])}`" if words[0] != "query" else "`sweep query` on a small record"
            made.append(Row(name=name, figure=took, unit="s", target=target, better="less"))
    return made


if __name__ == "__main__":
    for row in rows():
        print(f"{row.name}: {row.figure} {row.unit}")
