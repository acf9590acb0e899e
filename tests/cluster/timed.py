"""A run that says when each trial took its devices and when they were free for the next: what a schedule is made of.

python -m tests.cluster.timed SPEC RESULTS ADDRESS trains as `sweep run` does, and prints by trial the two moments in
seconds.
"""

from __future__ import annotations

import json
import sys
import time
from pathlib import Path
from typing import Any

from orchestrator.dispatch import Order
from orchestrator.display import Quiet
from orchestrator.run import run
from sweeps.loading import load_spec
from sweeps.store import open_store


class Timed(Quiet):
    """Keeps when the driver gave each trial its devices, and when it heard of the end."""

    def __init__(self) -> None:
        super().__init__()
        self.moments: dict[str, list[float]] = {}

    def event(self, what: str, order: Order, result: dict[str, Any] | None) -> None:
        super().event(what, order, result)
        if what != "progress":
            self.moments.setdefault(order.planned.trial.trial_id, []).append(time.monotonic())


def main(path: str, results: str, address: str) -> None:
    spec = load_spec(Path(path))
    cluster = spec.cluster.model_copy(update={"address": address})
    display = Timed()
    try:
        run(spec.model_copy(update={"cluster": cluster}), open_store(results), display, lambda: False)
    finally:
        display.close()
    print(json.dumps(display.moments))


if __name__ == "__main__":
    main(*sys.argv[1:])
