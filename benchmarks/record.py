"""The record at scale: a record of 10,000 trials and 10 million rows, asked, compacted and asked again; and its peers.

    python benchmarks/record.py make FOLDER [--trials 10000] [--rows 1000]    a record as a sweep leaves it (650 MB)
    python benchmarks/record.py measure FOLDER [--mlflow PYTHON]              ask, compact, ask; the peers; the writer

`measure` needs a record that is not compacted yet and leaves it compacted. The question is the same everywhere: for
each trial, how many steps and the least loss. Peers hold a hundredth of the trials, because the whole would take them
hours: Ray Tune's own result.json and progress.csv, written by Ray's own logger callbacks and read by pandas, and
MLflow's local store, for which PYTHON is an interpreter with mlflow (it cannot live beside our pandas). Prints a
section of docs/performance.md and writes docs/performance/record.json.
"""

import argparse
import datetime
import json
import os
import statistics
import subprocess
import sys
import tempfile
import time
from pathlib import Path

import numpy as np
import pyarrow as pa

from orchestrator.writer import Writer
from sweeps.record import part_name, publish_plan_rows
from sweeps.rows import ATTEMPTS, METRICS, encode
from sweeps.store import open_store

ROOT = Path(__file__).parents[1]
FIGURES = ROOT / "docs" / "performance" / "record.json"
COMMAND = [sys.executable, "-c", "from orchestrator.cli import main; main()"]
QUESTION = "select trial_id, count(*) as steps, min(loss) as least from metrics group by trial_id"
STEP_SECONDS = 0.02  # of the quickstart's smallest network, the shortest step a record is likely to see
PEER_SHARE = 100  # peers hold one trial in so many
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


def measure(folder: Path, mlflow: str | None, repeats: int) -> dict[str, object]:
    """Every figure; seconds and GiB."""
    parts = len(list((folder / "metrics").iterdir()))
    found: dict[str, object] = {"date": time.strftime("%Y-%m-%d"), "repeats": repeats, "trials": parts}
    import pyarrow.parquet as pq

    first = next((folder / "metrics").iterdir())
    found["rows"] = parts * (pq.read_metadata(first).num_rows - 2)
    found["ask_parts"] = ask(folder, repeats)
    found["compaction"], found["compaction_gib"] = command(["compact", "--results", str(folder)])
    found["ask_compacted"] = ask(folder, repeats)
    found["writer"] = writer_figures()
    trials, rows = max(parts // PEER_SHARE, 1), int(found["rows"]) // parts
    found["peer_trials"] = trials
    with tempfile.TemporaryDirectory() as temporary:
        ray_files(Path(temporary) / "ray", trials, rows)
        for kind in ("json", "csv"):
            ask_ray(Path(temporary) / "ray", kind)
            found[f"ray_{kind}"] = statistics.median(ask_ray(Path(temporary) / "ray", kind) for _ in range(repeats))
        if mlflow:
            for label, uri in (("mlflow", f"sqlite:///{temporary}/mlflow.db"), ("mlflow_files", f"{temporary}/mlruns")):
                found[label] = ask_mlflow(mlflow, uri, trials, rows)
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


def section(found: dict[str, object]) -> list[str]:
    """The part of docs/performance.md that these figures are."""
    scale = int(found["trials"]) / int(found["peer_trials"])
    writer = found["writer"]
    lines = [
        "## The record at scale",
        "",
        f"`python benchmarks/record.py measure`, {found['date']}: {found['trials']:,} trials, {found['rows']:,} rows.",
        "The question is the number of steps and the least loss of each trial, asked by the whole `sweep query`",
        f"command; medians of {found['repeats']}.",
        "",
        "| what | measured | wanted |",
        "|---|---|---|",
        f"| ask, as {found['trials']:,} parts | {found['ask_parts']:.2f} s | ≤ 1.5 s |",
        f"| compact | {found['compaction']:.1f} s, {found['compaction_gib']:.2f} GiB | ≤ 15 s, ≤ 2 GiB |",
        f"| ask, compacted | {found['ask_compacted']:.2f} s | ≤ 0.4 s |",
        f"| writer, parts flushed to disk | {writer['rows_per_second']:,.0f} rows/s | ≥ 100,000 rows/s |",
        f"| writer, one row a step of {STEP_SECONDS * 1000:g} ms | {writer['share_of_a_trial']:.3%} of it | < 1 % |",
        "",
        f"Peers with {found['peer_trials']:,} of these trials; the ratio is that of their time for all of them, taken",
        "to grow with the rows, to ours:",
        "",
        "| peer | seconds | as parts, times slower | compacted, times slower |",
        "|---|---|---|---|",
    ]
    names = {
        "ray_json": "Ray Tune's result.json, read by pandas",
        "ray_csv": "Ray Tune's progress.csv, read by pandas",
        "mlflow": "MLflow's local store (SQLite), by its client",
        "mlflow_files": "MLflow's store of files, by its client",
    }
    for key, name in names.items():
        if key in found:
            whole = float(found[key]) * scale
            ratios = f"{whole / float(found['ask_parts']):.0f} | {whole / float(found['ask_compacted']):.0f}"
            lines.append(f"| {name} | {found[key]:.2f} | {ratios} |")
    return lines


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("action", choices=["make", "measure"])
    parser.add_argument("folder", type=Path)
    parser.add_argument("--trials", type=int, default=10_000)
    parser.add_argument("--rows", type=int, default=1_000)
    parser.add_argument("--mlflow", help="an interpreter that has mlflow")
    parser.add_argument("--repeats", type=int, default=5)
    arguments = parser.parse_args()
    if arguments.action == "make":
        make(arguments.folder, arguments.trials, arguments.rows)
        return
    found = measure(arguments.folder.absolute(), arguments.mlflow, arguments.repeats)
    FIGURES.parent.mkdir(parents=True, exist_ok=True)
    FIGURES.write_text(json.dumps(found, indent=1) + "\n", encoding="utf-8")
    print("\n".join(section(found)))


if __name__ == "__main__":
    main()
