"""What it costs to run many trials, beside training them; see ABOUT."""

from __future__ import annotations

import os
import signal
import subprocess
import sys
import tempfile
import time
from collections.abc import Callable
from datetime import UTC, datetime
from pathlib import Path
from statistics import median

import numpy as np
import psutil
import pyarrow as pa

from benchmarks.rows import Curve, Row
from orchestrator.corpora.prepare import prepare
from sweeps.loading import load_spec
from sweeps.planning import plan
from sweeps.record import part_name, publish_plan
from sweeps.rows import ATTEMPTS, METRICS, encode
from sweeps.store import open_store
from sweeps.views import connect

TITLE = "Orchestration"
ABOUT = """
Whole commands, `sweep run` of a spec of small networks, one thread a trial and a trial a core. Busy is the time inside
training steps, by the record, over cores times the time from the first trial's start to the last one's end; overhead is
what is left of that, a trial. Memory is resident memory of the command and of the actors it starts, looked at twice a
second. A finished sweep is one whose every trial has a claim and a part with its end, not compacted.
"""

SWEEP = [sys.executable, "-c", "from orchestrator.cli import main; main()"]
SPEC = """\
name: many
model: {{family: gpt, tokenizer: bytes, heads: 2, context: 128}}
grid: {{shapes: [[1, 64]], seeds: {seeds}}}
data: {{corpus: python-stdlib}}
training: {{tokens: {tokens}, batch_tokens: 2048, learning_rate: 3e-3, precision: bf16, zero: 1}}
evaluation: {{tokens: 16384, points: 1}}
"""


def spec(folder: Path, trials: int, steps: int) -> Path:
    path = folder / "many.yaml"
    path.write_text(SPEC.format(seeds=list(range(trials)), tokens=steps * 2048))
    return path


def run(path: Path, results: Path, watch: Callable[[psutil.Process], None] | None = None) -> None:
    """One `sweep run`. Raises CalledProcessError with what it said."""
    with (results.parent / "said").open("w+") as said:
        process = psutil.Popen([*SWEEP, "run", str(path), "--results", str(results)], stdout=said, stderr=said)
        while process.poll() is None:
            if watch:
                watch(process)
            time.sleep(0.5)
        if process.returncode:
            said.seek(0)
            raise subprocess.CalledProcessError(process.returncode, "sweep run", said.read())


def busy(results: Path) -> tuple[float, float, float]:
    """(share of the cores' time inside steps, overhead in seconds a trial, seconds of steps of the median trial)."""
    with connect(open_store(results)) as connection:
        found = connection.execute(
            """
            select min(started_at), max(ended_at), any_value(stepping)
            from attempts join (select trial_id, sum(step_seconds) as stepping from metrics group by trial_id)
            using (trial_id) group by trial_id
            """
        ).fetchall()
    span = (max(end for _, end, _ in found) - min(start for start, _, _ in found)).total_seconds()
    cores = len(os.sched_getaffinity(0))
    stepping = sum(seconds for _, _, seconds in found)
    return stepping / (cores * span), (cores * span - stepping) / len(found), median(s for _, _, s in found)


def steps_in(folder: Path, seconds: float) -> int:
    """Steps that a trial of the spec takes in so many seconds, from a short sweep of as many trials as cores."""
    results = folder / "calibration"
    run(spec(folder, len(os.sched_getaffinity(0)), 100), results)
    return max(10, round(100 * seconds / busy(results)[2]))


class Memory:
    """Resident bytes of a command and of its actors against the number of trials that have ended."""

    def __init__(self, results: Path) -> None:
        self.results = results
        self.driver: list[tuple[int, int]] = []
        self.actors: dict[int, list[tuple[int, int]]] = {}

    def __call__(self, driver: psutil.Process) -> None:
        folder = self.results / "checkpoints"
        ended = len(list(folder.iterdir())) if folder.exists() else 0
        try:
            self.driver.append((ended, driver.memory_info().rss))
            for child in driver.children(recursive=True):
                if "ResourceTrainable" in " ".join(child.cmdline()):
                    self.actors.setdefault(child.pid, []).append((ended, child.memory_info().rss))
        except psutil.NoSuchProcess:
            return

    def growth(self, points: list[tuple[int, int]], trials: int) -> tuple[float, float]:
        """(share by which it grew over the last seven eighths of the trials, bytes a trial), of a line through them.

        An actor's memory goes up and down by four percent within a trial, so that two moments of it say little.
        """
        settled = [(ended, rss) for ended, rss in points if ended > trials / 8]
        slope, start = np.polyfit(*zip(*settled, strict=True), 1)
        return slope * trials / (start + slope * trials / 8), slope


def memory_rows(folder: Path, trials: int = 400) -> list[Row]:
    """`trials` over two actors: 200 in a row for each."""
    results = folder / "memory"
    seen = Memory(results)
    run(spec(folder, trials, 4), results, seen)
    actors = [seen.growth(points, trials)[0] for points in seen.actors.values() if len(points) > 20]
    return [
        Row(
            name=f"an actor's memory, growth over {trials // 2} trials",
            figure=100 * max(actors),
            unit="%",
            target=1.0,
            better="less",
            note="of a line; medians of an early and a late stretch gave 0.5 to 1.6 on three actors (docs/log.md)",
        ),
        Row(
            name="the driver's memory, growth a trial",
            figure=seen.growth(seen.driver, trials)[1] / 1000,
            unit="kB",
            target=90.0,
            better="less",
            peer="Ray Tune's own share 57 (docs/log.md)",
        ),
        Row(
            name="overhead of a one-worker trial, four steps long",
            figure=busy(results)[1],
            unit="s",
            target=0.35,
            better="less",
            peer="Ray Tune as it comes, torch and DeepSpeed imported: 1.4 (docs/log.md)",
        ),
    ]


def finished(folder: Path, trials: int) -> tuple[Path, Path]:
    """A spec and a record in which all its trials have ended."""
    path, results = spec(folder, trials, 10), folder / f"finished-{trials}"
    asked, store = load_spec(path), open_store(results)
    made = plan(asked, prepare(asked, store).content, {})
    publish_plan(store, made, asked.model_dump(mode="json"), {})
    now = datetime.now(UTC)
    (results / "attempts").mkdir()
    (results / "metrics").mkdir()
    place = {"trial_id": "", "attempt": 1, "resume_step": 0, "flops": 1.0, "wall_time": now}
    steps = [place | {"seq": n, "step": n + 1, "tokens": 2048 * (n + 1), "loss": 3.0} for n in range(10)]
    end = place | {"seq": 10, "step": 10, "tokens": 20480, "event": "end", "reason": "completed"}
    end |= {"loss": 3.0, "eval_loss": 3.0, "eval_loss_se": 0.01}
    part = pa.Table.from_pylist([*steps, end], METRICS)
    claimed = {"trial_id": "", "attempt": 1, "driver": "benchmark", "claimed_at": now}
    attempt = pa.Table.from_pylist([claimed], ATTEMPTS)
    for planned in made.trials:
        key = planned.trial.trial_id
        (results / "attempts" / f"{key}-a0001.parquet").write_bytes(encode(of(key, attempt), ATTEMPTS))
        (results / part_name(key, 1, 0)).write_bytes(encode(of(key, part), METRICS))
    return path, results


def of(trial_id: str, table: pa.Table) -> pa.Table:
    """The same rows of a trial; its id is the first column."""
    return table.set_column(0, table.schema.field(0), pa.array([trial_id] * len(table)))


def says_so(path: Path, results: Path) -> float:
    """Seconds until `sweep run` says that there is nothing to train. Raises RuntimeError where it does not."""
    started = time.monotonic()
    process = subprocess.Popen(
        [*SWEEP, "run", str(path), "--results", str(results)],
        stderr=subprocess.PIPE,
        stdout=subprocess.DEVNULL,
        text=True,
        start_new_session=True,
    )
    assert process.stderr is not None
    try:
        for line in process.stderr:
            if "nothing to train" in line:
                return time.monotonic() - started
    finally:
        os.killpg(process.pid, signal.SIGKILL)  # with the compaction that it goes on to
        process.wait()
    raise RuntimeError("sweep run on a finished sweep did not say that there is nothing to train")


def rows() -> list[Row]:
    made: list[Row] = []
    with tempfile.TemporaryDirectory() as name:
        folder = Path(name)
        results = folder / "ten-seconds"
        run(spec(folder, 40, steps_in(folder, 10.0)), results)
        share, overhead, each = busy(results)
        note = f"40 trials, {each:.1f} s of steps the median one; {overhead:.2f} s a trial outside steps"
        made.append(Row(name="both cores inside training steps", figure=100 * share, unit="%", target=92.0, note=note))
        made += memory_rows(folder)
        path, results = finished(folder, 10_000)
        took = median(says_so(path, results) for _ in range(3))
        made.append(
            Row(name="`sweep run`, all 10,000 trials finished", figure=took, unit="s", target=5.0, better="less")
        )
    return made


def curves() -> list[Curve]:
    """What `sweep run` takes to see that a sweep is finished, from 10 trials to 10,000."""
    points = []
    with tempfile.TemporaryDirectory() as name:
        for trials in (10, 100, 1000, 10_000):
            path, results = finished(Path(name), trials)
            points.append((float(trials), median(says_so(path, results) for _ in range(3))))
    return [Curve(name="A finished sweep asked for again", x_label="trials", y_label="seconds", points=tuple(points))]


if __name__ == "__main__":
    for row in rows():
        print(row)
