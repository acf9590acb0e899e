"""MLflow: a run a trial in an experiment named after the sweep, on a server or in a local store.

`mlflow ui --backend-store-uri sqlite:///…/tracking/mlflow/mlflow.db` shows the local one.
"""

from __future__ import annotations

from collections.abc import Sequence
from pathlib import Path
from typing import Any

from mlflow import MlflowClient
from mlflow.entities import Metric, Param, RunTag

from orchestrator.trackers.tracker import Point, Shown
from sweeps.tracking import MLflow

TAG = "interplay.trial"
BATCH = 1000  # metrics in a request; MLflow takes no more


class MLflowTracker:
    def __init__(self, uri: str, experiment: str, artifacts: str | None) -> None:
        self.client = MlflowClient(tracking_uri=uri)
        found = self.client.get_experiment_by_name(experiment)
        self.experiment: str = (
            found.experiment_id if found else self.client.create_experiment(experiment, artifact_location=artifacts)
        )
        self.runs: dict[str, str] = {}

    def begin(self, trial: Shown) -> None:
        """Go on with the trial's run where it has one already, from a run of the sweep before this one."""
        found = self.client.search_runs([self.experiment], f"tags.`{TAG}` = '{trial.trial_id}'", max_results=1)
        if found:
            self.runs[trial.trial_id] = found[0].info.run_id
            self.client.update_run(found[0].info.run_id, status="RUNNING")
            return
        tags = {TAG: trial.trial_id}
        made = self.client.create_run(self.experiment, run_name=trial.name, tags=tags)
        self.runs[trial.trial_id] = made.info.run_id
        params = [Param(name, str(value)) for name, value in trial.facts.items()]
        self.client.log_batch(made.info.run_id, params=params)

    def add(self, trial: Shown, points: Sequence[Point]) -> None:
        metrics = [
            Metric(name, value, int(point.seconds * 1000), point.step)
            for point in points
            for name, value in point.metrics.items()
        ]
        for first in range(0, len(metrics), BATCH):
            self.client.log_batch(self.runs[trial.trial_id], metrics=metrics[first : first + BATCH])

    def end(self, trial: Shown, reason: str) -> None:
        run = self.runs.pop(trial.trial_id)
        self.client.log_batch(run, tags=[RunTag("interplay.end", reason)])
        self.client.set_terminated(run, "FINISHED" if reason == "completed" else "FAILED")

    def close(self) -> None:
        for run in self.runs.values():
            self.client.set_terminated(run, "KILLED")


def open_tracker(options: MLflow, sweep: str, folder: Path) -> Any:
    experiment = options.experiment or sweep
    if options.uri is not None:
        return MLflowTracker(options.uri, experiment, None)
    return MLflowTracker(f"sqlite:///{folder / 'mlflow.db'}", experiment, (folder / "artifacts").as_uri())
