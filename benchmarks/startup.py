"""How long it takes until a network trains: from its claim to its first step, and from one trial's end to the next.

    python benchmarks/startup.py        a sweep of six one-worker trials, and one of three two-worker gangs

Both are ordinary runs; all times are read from their records. Meant for two idle cores.
"""

from __future__ import annotations

import subprocess
import sys
import tempfile
from itertools import pairwise
from pathlib import Path

from sweeps.store import open_store
from sweeps.views import connect

SWEEP = [sys.executable, "-c", "from orchestrator.cli import main; main()"]
SPEC = """\
name: startup
model: {family: gpt, tokenizer: bytes, heads: 2, context: 32}
grid: {depths: [2], widths: [16], seeds: SEEDS}
data: {corpus: python-stdlib}
training: {tokens: 25600, batch_tokens: 256, learning_rate: 1e-2, zero: 1}
evaluation: {tokens: 1024, points: 1}
cluster: {workers: WORKERS}
"""
TIMES = """
    select epoch(c.claimed_at), epoch(min(r.wall_time) filter (where r.event is null)),
           epoch(max(r.wall_time)) from attempts c join rows r using (trial_id, attempt)
    where c.workers = ? group by c.claimed_at, trial_id order by 1
"""


def times(folder: Path, workers: int, trials: int) -> list[tuple[float, float, float]]:
    """Run a sweep; of each of its attempts when it was claimed, made its first step, and ended."""
    path = folder / "spec.yaml"
    seeds = [10 * workers + number for number in range(trials)]  # the second sweep's trials are others
    path.write_text(SPEC.replace("WORKERS", str(workers)).replace("SEEDS", str(seeds)))
    results = folder / "results"
    done = subprocess.run([*SWEEP, "run", str(path), "--results", str(results)], capture_output=True, text=True)
    if done.returncode:
        raise RuntimeError(done.stderr)
    store = open_store(results)
    with connect(store) as connection:
        return connection.execute(TIMES, [workers]).fetchall()


def following(found: list[tuple[float, float, float]]) -> str:
    """For each attempt that began after others had ended: its first step, seconds after the last of these ends."""
    gaps = []
    for claimed, stepped, _ in found:
        ends = [ended for _, _, ended in found if ended <= claimed]
        if ends:
            gaps.append(stepped - max(ends))
    return ", ".join(f"{gap:.2f}" for gap in gaps)


def main() -> None:
    with tempfile.TemporaryDirectory(prefix="interplay-startup-") as folder:
        for workers, trials in ((2, 3), (1, 6)):
            found = times(Path(folder), workers, trials)
            print(f"{workers} worker(s): claim to first step " + ", ".join(f"{b - a:.2f}" for a, b, _ in found), "s")
            if workers == 1:
                print("            end of one trial to the first step of one claimed after it " + following(found))
            else:  # one gang at a time on two cores, so each follows the one before
                gaps = [later[1] - earlier[2] for earlier, later in pairwise(found)]
                print("            end of one gang to first step of the next " + ", ".join(f"{g:.2f}" for g in gaps))


if __name__ == "__main__":
    main()
