"""Where a worker stands when it makes no progress: the stacks of its threads, in a file that bears its trial's name, so
that whoever is left on the machine finds it."""

from __future__ import annotations

import faulthandler
import sys
import tempfile
from pathlib import Path

from orchestrator.work import Work


class watched:
    """Writes the stacks of all threads to a file when the block outlasts hang_seconds; Python need not be running."""

    def __init__(self, work: Work, rank: int) -> None:
        self.seconds = work.hang_seconds
        self.path = folder() / f"{stem(work.trial.trial_id, work.attempt)}-r{rank}.txt"

    def __enter__(self) -> None:
        self.file = self.path.open("w")
        faulthandler.dump_traceback_later(self.seconds, file=self.file)

    def __exit__(self, *error: object) -> None:
        faulthandler.cancel_dump_traceback_later()
        self.file.close()
        if not self.path.stat().st_size:
            self.path.unlink()


def left_stacks(trial_id: str, attempt: int) -> list[Path]:
    """Files with the stacks of an attempt's workers on this machine, by rank; none where none hung."""
    return sorted(path for path in folder().glob(f"{stem(trial_id, attempt)}-r*.txt") if path.stat().st_size)


def stem(trial_id: str, attempt: int) -> str:
    return f"interplay-stacks-{trial_id}-a{attempt:04d}"


def folder() -> Path:
    """Ray's own logs, where it runs here: they outlive a process that is killed and go with Ray's session."""
    ray = sys.modules.get("ray")
    node = ray._private.worker._global_node if ray else None
    return Path(node.get_logs_dir_path() if node else tempfile.gettempdir())
