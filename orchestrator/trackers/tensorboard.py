"""TensorBoard: a folder of event files a trial. `tensorboard --logdir FOLDER` shows them."""

from __future__ import annotations

import json
from collections.abc import Sequence
from pathlib import Path
from typing import Any

from tensorboardX import SummaryWriter

from orchestrator.trackers.tracker import Point, Shown
from sweeps.tracking import TensorBoard


class TensorBoardTracker:
    def __init__(self, folder: Path) -> None:
        self.folder = folder
        self.writers: dict[str, Any] = {}

    def begin(self, trial: Shown) -> None:
        writer = self.writers[trial.trial_id] = SummaryWriter(str(self.folder / trial.name))
        writer.add_text("trial", f"```\n{json.dumps(dict(trial.facts), indent=1)}\n```", 0)

    def add(self, trial: Shown, points: Sequence[Point]) -> None:
        writer = self.writers[trial.trial_id]
        for point in points:
            for name, value in point.metrics.items():
                writer.add_scalar(name, value, point.step, point.seconds)
        writer.flush()

    def end(self, trial: Shown, reason: str) -> None:
        writer = self.writers.pop(trial.trial_id)
        writer.add_text("end", reason, 0)
        writer.close()

    def close(self) -> None:
        for writer in self.writers.values():
            writer.close()


def open_tracker(options: TensorBoard, sweep: str, folder: Path) -> TensorBoardTracker:
    return TensorBoardTracker(Path(options.folder or folder) / sweep)
