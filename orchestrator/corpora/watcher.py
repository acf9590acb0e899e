"""Who waits for a corpus: told of progress, and able to stop it."""

from __future__ import annotations

import time
from collections.abc import Callable

SAY_SECONDS = 10.0


class Interrupted(Exception):
    """Preparing was asked to stop; nothing of it is kept."""


class Watcher:
    """Whoever waits for a corpus: is told of progress, and may stop it."""

    def __init__(self, say: Callable[[str], None] | None = None, stopping: Callable[[], bool] | None = None) -> None:
        self.say, self.stopping = say or (lambda _: None), stopping or (lambda: False)
        self.said = time.monotonic()

    def at(self, progress: str) -> None:
        """Called after every batch. Raises Interrupted."""
        if self.stopping():
            raise Interrupted
        if time.monotonic() - self.said > SAY_SECONDS:
            self.said = time.monotonic()
            self.say(f"preparing the corpus: {progress}")
