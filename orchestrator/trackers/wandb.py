"""Weights & Biases: a run a trial, grouped by sweep; offline unless the spec says online (`wandb sync` sends it)."""

from __future__ import annotations

from collections.abc import Sequence
from pathlib import Path
from typing import Any

import wandb

from orchestrator.trackers.tracker import Point, Shown
from sweeps.tracking import WeightsAndBiases


class WandbTracker:
    def __init__(self, options: WeightsAndBiases, sweep: str, folder: Path) -> None:
        self.options, self.sweep, self.folder = options, sweep, folder
        self.runs: dict[str, Any] = {}
        folder.mkdir(parents=True, exist_ok=True)

    def begin(self, trial: Shown) -> None:
        self.runs[trial.trial_id] = wandb.init(
            project=self.options.project or "interplay",
            entity=self.options.entity,
            group=self.sweep,
            id=trial.trial_id,
            name=trial.name,
            config=dict(trial.facts),
            dir=str(self.folder),
            mode=self.options.mode,
            resume="allow" if self.options.mode == "online" else None,
            reinit="create_new",
            settings=wandb.Settings(silent=True, console="off", disable_git=True, x_disable_stats=True),
        )

    def add(self, trial: Shown, points: Sequence[Point]) -> None:
        for point in points:
            self.runs[trial.trial_id].log(dict(point.metrics), step=point.step)

    def end(self, trial: Shown, reason: str) -> None:
        run = self.runs.pop(trial.trial_id)
        run.summary["end"] = reason
        run.finish(exit_code=0 if reason == "completed" else 1)

    def close(self) -> None:
        for run in self.runs.values():
            run.finish(exit_code=255)


def open_tracker(options: WeightsAndBiases, sweep: str, folder: Path) -> WandbTracker:
    return WandbTracker(options, sweep, Path(options.folder or folder))
