"""For minutes a random process of a sweep is killed every few seconds; it ends by itself, with the same numbers."""

import os
import random
import subprocess
import time
from pathlib import Path

import psutil
import pytest

from tests.faults.invariants import Scene, metrics, scene, send, spec, survived

GRID = {"depths: [1, 2], widths: [8]": "depths: [1, 2, 3], widths: [8, 16, 24, 32]"}
MINUTES = float(os.environ.get("INTERPLAY_CHAOS_MINUTES", "10"))
SEED = int(os.environ.get("INTERPLAY_CHAOS_SEED", "20261125"))
STEPS = 2000  # a trial: under kills, the twelve make about half of theirs in ten minutes


@pytest.mark.slow
@pytest.mark.faults
@pytest.mark.timeout(3600)
def test_chaos(tmp_path: Path, undisturbed: Path, tmp_path_factory: pytest.TempPathFactory) -> None:
    calm = tmp_path_factory.mktemp("calm")
    with scene(calm, undisturbed / "corpora") as place:
        done = place.run(spec(calm, steps=STEPS, changes=GRID))
        assert done.returncode == 0, done.stderr
        reference = metrics(place.results)
    with scene(tmp_path, undisturbed / "corpora") as place:
        killed = chaos(place, tmp_path)
        survived(f"chaos: {killed} kills in {MINUTES:g} minutes, seed {SEED}", place, reference)


def chaos(place: Scene, folder: Path) -> int:
    """Run to the end, started again by whoever watches whenever it has stopped; the number of processes killed."""
    path, dice, killed = spec(folder, steps=STEPS, changes=GRID), random.Random(SEED), 0
    until = time.monotonic() + 60 * MINUTES
    run = place.start(path)
    while True:
        pause = dice.uniform(3, 10)
        try:
            _, said = run.communicate(timeout=pause if time.monotonic() < until else None)
        except subprocess.TimeoutExpired:
            killed += strike(run, dice)
            continue
        assert run.returncode in (0, 75, -9, 1), (run.returncode, said)
        if run.returncode == 0:
            return killed
        run = place.start(path)


def strike(run: subprocess.Popen[str], dice: random.Random) -> bool:
    """Kill one of the run's processes, its driver among them."""
    try:
        victims = [psutil.Process(run.pid), *psutil.Process(run.pid).children(recursive=True)]
        send(dice.choice(sorted(victims, key=lambda process: process.pid)))
    except (psutil.Error, ProcessLookupError):
        return False
    return True
