"""The memory model against what torch really allocates."""

import json
import subprocess
import sys
from pathlib import Path

import pytest

ROOT = Path(__file__).parents[2]

# A handful of what benchmarks/memory.py measures in full: stages, workers, precisions, recomputed activations.
FEW = "6x256-v2000-t128-b32x1-fp32-z1-w1|6x256-v2000-t128-b32x1-bf16-z0-w2|v32000-t128-b8x1-(bf16-z2-w1|fp32-z3-w2)"


def measured(pattern: str) -> list[dict[str, float]]:
    made = subprocess.run(
        [sys.executable, str(ROOT / "benchmarks" / "memory.py"), "--only", pattern],
        capture_output=True,
        text=True,
        check=True,
        cwd=ROOT,
    )
    return [json.loads(line) for line in made.stdout.splitlines() if line.startswith("{")]


@pytest.mark.slow
def test_the_estimate_is_within_15_percent_of_the_measured_peak() -> None:
    rows = measured(FEW)
    assert len(rows) == 4
    for row in rows:
        assert row["measured_bytes"] > 200e6
        assert abs(row["error"]) <= 0.15, row
