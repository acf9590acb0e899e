"""The record at scale: a record of 10,000 trials and 10 million rows, asked, compacted and asked again; and its peers.

    python -m benchmarks.record             or as a section of benchmarks/report.py; 1.3 GB of temporary files

MLflow is asked with this interpreter where it has mlflow, or with the one that MLFLOW_PYTHON names.
"""

import datetime
import os
import statistics
import subprocess
import sys
import tempfile
import time
from pathlib import Path
from typing import Any

import numpy as np
import pyarrow as pa

from benchmarks.rows import Row
from orchestrator.writer import Writer
from sweeps.record import part_name, publish_plan_rows
from sweeps.rows import ATTEMPTS, METRICS, encode
from sweeps.store import open_store

ROOT = Path(__file__).parents[1]
TITLE = "The record at scale"
ABOUT = """10,000 trials of 1,000 steps. The question is the same everywhere: for each trial, how many steps and the
least loss, by us with the whole `sweep query` command, start-up included; medians of five. Peers hold a hundredth of
the trials, because the whole would take them too long, and their start-up is left out: Ray Tune's own result.json and
progress.csv, written by Ray's own logger callbacks and read by pandas, and MLflow's local store through its client."""
TRIALS, ROWS, REPEATS = 10_000, 1_000, 5
PEERS = {
    "ray_json": "Ray Tune's result.json and pandas",
    "ray_csv": "Ray Tune's progress.csv and pandas",
    "mlflow": "MLflow's local store (SQLite)",
    "mlflow_files": "MLflow's store of files",
}
COMMAND = [sys.executable, "-c", "from orchestrator.cli import main; main()"]
QUESTION = "select trial_id, count(*) as steps, min(loss) as least from metrics group by trial_id"
STEP_SECONDS = 0.02  # of the quickstart's smallest network, the shortest step a record is likely to see
PEER_SHARE = 100  # peers hold one trial in so many
PARTS = "opening and decoding a part is 0.1 ms of processor; what was tried is in docs/log.md"
IMPORTS = "on a record of a hundred parts 0.6: two processes import Arrow and DuckDB (docs/log.md)"
MLFLOW = """
import sys, time
from mlflow.entities import Metric
from mlflow.tracking import MlflowClient
client = MlflowClient(tracking_uri=sys.argv[1])
if sys.argv[2] == "write":
    experiment = client.create_experiment("runs")
    for trial in range(int(sys.argv[3])):
        run = client.create_run(experiment).info.run_id
        rows = int(sys.argv[4])
        names = ("loss", "lr", "grad_norm", "tokens_per_second", "step_seconds")
        made = [Metric(n, 3.0 + s * 1e-4, 1_700_000_000_000 + s, s) for s in range(rows) for n in names]
        for first in range(0, len(made), 1000):
            client.log_batch(run, metrics=made[first:first + 1000])
        client.set_terminated(run)
else:
    started = time.perf_counter()
    experiment = client.get_experiment_by_name("runs").experiment_id
    found = {}
    for run in client.search_runs([experiment], max_results=50000):
        history = client.get_metric_history(run.info.run_id, "loss")
        found[run.info.run_id] = (len(history), min(m.value for m in history))
    print(time.perf_counter() - started)
"""


def steps(rng: np.random.Generator, count: int) -> dict[str, np.ndarray]:
    """Columns of so many steps, as noisy as real ones, since noise is what compression cannot take."""
    step = np.arange(1, count + 1)
    return {
        "step": step,
        "tokens": step * 2048,
        "flops": step * 4.8e8,
        "loss": 2 + 3 * step**-0.3 + 0.02 * rng.standard_normal(count),
        "lr": 6e-3 * np.cos(step / count * 1.5),
        "grad_norm": 1 + 0.1 * rng.standard_normal(count),
        "tokens_per_second": 4e4 * (1 + 0.1 * rng.standard_normal(count)),
        "step_seconds": 0.05 * (1 + 0.1 * rng.standard_normal(count)),
    }


def part(rng: np.random.Generator, trial: str, count: int) -> pa.Table:
    """One attempt's whole rows: its start, its steps, its end."""
    rows = count + 2
    own = {name: np.concatenate([[values[0]], values, [values[-1]]]) for name, values in steps(rng, count).items()}
    own["step"][0] = 0
    wall = np.datetime64("2026-01-01T00:00:00", "us") + (np.arange(rows) * 50_000).astype("timedelta64[us]")
    known = {
        "trial_id": pa.array([trial] * rows),
        "attempt": np.ones(rows, np.int32),
        "resume_step": np.zeros(rows, np.int64),
        "seq": np.arange(rows),
        "wall_time": pa.array(wall, METRICS.field("wall_time").type),
        "event": pa.array(["start", *[None] * count, "end"], pa.string()),
        "reason": pa.array(["initialisation", *[None] * count, "completed"], pa.string()),
        "eval_loss": pa.array([None] * (count + 1) + [float(own["loss"][-1])], pa.float64()),
    } | own
    columns = {field.name: known.get(field.name, pa.nulls(rows, field.type)) for field in METRICS}
    return pa.table(columns, schema=METRICS)


def make(folder: Path, trials: int, rows: int) -> None:
    """A record of so many trials in a plan, each with its claim and one part. Not flushed to disk file by file."""
    for name in ("attempts", "metrics"):
        (folder / name).mkdir(parents=True, exist_ok=True)
    rng = np.random.default_rng(0)
    now = datetime.datetime.now(datetime.UTC)
    planned = []
    for number in range(trials):
        trial = f"{number * 0x9E3779B97F4A7C15 % 2**64:016x}"
        (folder / part_name(trial, 1, 0)).write_bytes(encode(part(rng, trial, rows), METRICS))
        claim = {"trial_id": trial, "attempt": 1, "driver": "benchmark", "claimed_at": now}
        (folder / f"attempts/{trial}-a0001.parquet").write_bytes(encode([claim], ATTEMPTS))
        shape = {"depth": 1 + number % 48, "width": 64 + 2 * (number // 48), "params": 12 * (64 + number) ** 2}
        facts = {"sweep": "big", "plan": "0" * 12, "planned_at": now, "position": number, "config": "{}"}
        ends = {"first_step": 0, "last_step": rows, "tokens": 2048.0 * rows}
        planned.append({"trial_id": trial, "purpose": "result", "run": trial} | facts | shape | ends)
    publish_plan_rows(open_store(folder), "big", "0" * 12, planned, {"interplay.notes": "[]"})


def command(arguments: list[str]) -> tuple[float, float]:
    """Wall seconds and highest resident memory in GiB (its own, or its child's where that is more) of a command."""
    started = time.perf_counter()
    environment = os.environ | {"PYTHONPATH": str(ROOT)}
    process = subprocess.Popen([*COMMAND, *arguments], stdout=subprocess.DEVNULL, env=environment, cwd=ROOT)
    _, status, usage = os.wait4(process.pid, 0)
    seconds = time.perf_counter() - started
    if status:
        raise RuntimeError(f"sweep {' '.join(arguments)} ended with status {status}")
    return seconds, usage.ru_maxrss / 2**20


def ask(folder: Path, repeats: int) -> float:
    """Median seconds of the whole `sweep query` command."""
    arguments = ["query", QUESTION, "--json", "--results", str(folder)]
    command(arguments)
    return statistics.median(command(arguments)[0] for _ in range(repeats))


class RayTrial:
    """A trial as far as Ray's loggers look at one."""

    checkpoint = None  # nothing to resume from

    def __init__(self, path: Path) -> None:
        self.local_path, self.path, self.config = str(path), str(path), {"lr": 1e-3}
        path.mkdir(parents=True)

    def init_local_path(self) -> None:
        """The folder is there already."""


def ray_files(folder: Path, trials: int, rows: int) -> None:
    """What Ray Tune's own callbacks write for such trials."""
    from ray.tune.logger import CSVLoggerCallback, JsonLoggerCallback

    rng = np.random.default_rng(0)
    for number in range(trials):
        trial = RayTrial(folder / f"train_{number:05d}")
        known = {"trial_id": f"{number:05d}", "pid": 1, "hostname": "node", "node_ip": "10.0.0.1", "done": False}
        loggers = (JsonLoggerCallback(), CSVLoggerCallback())
        columns = steps(rng, rows)
        for place in range(rows):
            own = {name: float(values[place]) for name, values in columns.items()}
            timing = {"training_iteration": place + 1, "time_total_s": place * 0.05, "time_this_iter_s": 0.05}
            timing |= {"timestamp": 1_700_000_000 + place, "time_since_restore": place * 0.05}
            for logger in loggers:
                logger.log_trial_result(place + 1, trial, own | timing | known)
        for logger in loggers:
            logger.log_trial_end(trial)


def ask_ray(folder: Path, kind: str) -> float:
    """Seconds for pandas to read every trial's file and answer."""
    import pandas as pd

    started = time.perf_counter()
    frames = []
    for path in sorted(folder.iterdir()):
        frame = pd.read_json(path / "result.json", lines=True) if kind == "json" else pd.read_csv(path / "progress.csv")
        frames.append(frame.assign(trial=path.name))
    answer = pd.concat(frames).groupby("trial")["loss"].agg(["count", "min"])
    assert len(answer) == len(frames)
    return time.perf_counter() - started


def writer_figures(rows: int = 300_000, held: int = 20_000) -> dict[str, float]:
    """Rows a second through the writer, parts published and flushed to disk, and its share of a trial's time."""
    row = {"tokens": 1, "flops": 1.0, "loss": 3.0, "lr": 1e-3, "grad_norm": 1.0, "tokens_per_second": 4e4}
    with tempfile.TemporaryDirectory() as folder:
        writer = Writer(open_store(folder), trial_id="0" * 16, attempt=1, resume_step=0)
        started = time.perf_counter()
        for number in range(rows):
            writer.add({"step": number + 1, "step_seconds": 0.02} | row)
            if number % held == held - 1:
                writer.flush()
        many = time.perf_counter() - started
    with tempfile.TemporaryDirectory() as folder:
        # one row a step, a part a minute
        minute = round(60 / STEP_SECONDS)
        writer = Writer(open_store(folder), trial_id="0" * 16, attempt=1, resume_step=0)
        started = time.perf_counter()
        for number in range(10 * minute):
            writer.add({"step": number + 1, "step_seconds": 0.02} | row)
            if number % minute == minute - 1:
                writer.flush()
        share = (time.perf_counter() - started) / (10 * 60)
    return {"rows_per_second": rows / many, "share_of_a_trial": share}


def measure(folder: Path, mlflow: str | None, repeats: int) -> dict[str, Any]:
    """Every figure; seconds and GiB."""
    parts = len(list((folder / "metrics").iterdir()))
    found: dict[str, Any] = {}
    found["ask_parts"] = ask(folder, repeats)
    found["compaction"], found["compaction_gib"] = command(["compact", "--results", str(folder)])
    found["ask_compacted"] = ask(folder, repeats)
    found["writer"] = writer_figures()
    trials = max(parts // PEER_SHARE, 1)
    found["peer_trials"] = trials
    with tempfile.TemporaryDirectory() as temporary:
        ray_files(Path(temporary) / "ray", trials, ROWS)
        for kind in ("json", "csv"):
            ask_ray(Path(temporary) / "ray", kind)
            found[f"ray_{kind}"] = statistics.median(ask_ray(Path(temporary) / "ray", kind) for _ in range(repeats))
        if mlflow:
            for label, uri in (("mlflow", f"sqlite:///{temporary}/mlflow.db"), ("mlflow_files", f"{temporary}/mlruns")):
                found[label] = ask_mlflow(mlflow, uri, trials, ROWS)
    return found


def ask_mlflow(python: str, uri: str, trials: int, rows: int) -> float:
    """Seconds for MLflow's client to answer, its start left out."""
    # its store of files must be asked for since version 3
    environment = os.environ | {"MLFLOW_ALLOW_FILE_STORE": "true", "MLFLOW_TRACKING_URI": uri}
    environment.pop("PYTHONPATH", None)
    said = ""
    for what in ("write", "ask"):
        arguments = [python, "-W", "ignore", "-c", MLFLOW, uri, what, str(trials), str(rows)]
        done = subprocess.run(arguments, capture_output=True, text=True, env=environment, check=False)
        if done.returncode:
            raise RuntimeError(f"mlflow, {what}: {done.stderr.strip().splitlines()[-1:]}")
        said = done.stdout
    return float(said.strip().splitlines()[-1])


def rows() -> list[Row]:
    """The section's table, of a record made for it."""
    with tempfile.TemporaryDirectory() as folder:
        make(Path(folder) / "record", TRIALS, ROWS)
        found = measure(Path(folder) / "record", mlflow_python(), REPEATS)
    writer = found["writer"]
    table = [
        Row(name="ask, as 10,000 parts", figure=found["ask_parts"], unit="s", target=1.5, better="less", note=PARTS),
        Row(name="ask, compacted", figure=found["ask_compacted"], unit="s", target=0.4, better="less", note=IMPORTS),
        Row(name="compact", figure=found["compaction"], unit="s", target=15.0, better="less"),
        Row(name="memory of compaction", figure=found["compaction_gib"], unit="GiB", target=2.0, better="less"),
        Row(name="writer", figure=writer["rows_per_second"], unit="rows/s", target=1e5, note="parts flushed to disk"),
        Row(
            name="writer's share of a trial",
            figure=100 * writer["share_of_a_trial"],
            unit="%",
            target=1.0,
            better="less",
            note=f"one row a step of {STEP_SECONDS * 1000:g} ms",
        ),
    ]
    for key, name in PEERS.items():
        if key not in found:
            table.append(Row(name=f"times quicker than {name}", figure=None, unit="×", note="mlflow is not installed"))
            continue
        whole = found[key] * TRIALS / found["peer_trials"]
        table += [
            Row(
                name=f"{how}: times quicker than {name}",
                figure=whole / found[ours],
                unit="×",
                target=20.0,
                peer=f"{found[key]:.2f} s for {found['peer_trials']} trials, taken to grow with them",
            )
            for how, ours in (("as parts", "ask_parts"), ("compacted", "ask_compacted"))
        ]
    return table


def mlflow_python() -> str | None:
    """An interpreter that has mlflow: what MLFLOW_PYTHON names, else this one if it does."""
    from importlib.util import find_spec

    return os.environ.get("MLFLOW_PYTHON") or (sys.executable if find_spec("mlflow") else None)


if __name__ == "__main__":
    for row in rows():
        print(f"{row.name}: {row.figure} {row.unit} {row.peer}")
