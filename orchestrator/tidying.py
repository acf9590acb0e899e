"""A sweep's parts merged when its run has finished them all and they are many: the record then answers at once."""

from __future__ import annotations

import subprocess
import sys
from collections.abc import Callable, Collection

from sweeps.compacted import compacted
from sweeps.record import RecordError, parts
from sweeps.store import Store, StoreError

MANY = 1000  # parts; fewer are read sooner than a person notices, and are left as they are
COMMAND = [sys.executable, "-P", "-c", "from orchestrator.cli import main; main()", "compact"]


def tidy(store: Store, trials: Collection[str], say: Callable[[str], None], many: int = MANY) -> None:
    """Compact the record where these trials, all of them finished, have many parts outside compacted files.

    In a process of its own, so that whatever becomes of it, the run is a success; a failure is said in one line.
    """
    try:
        if loose(store, trials) < many:
            return
        done = subprocess.run(  # noqa: S603 – our own interpreter
            [*COMMAND, "--results", store.uri], capture_output=True, text=True, check=False
        )
        failure = done.stderr.strip() or f"ended with {done.returncode}" if done.returncode else None
    except (RecordError, StoreError) as error:
        failure = str(error)
    if failure:
        say(f"the record was not compacted, and is as it was: {failure.splitlines()[0]}")


def loose(store: Store, trials: Collection[str]) -> int:
    """How many parts of these trials no compacted file stands for."""
    covers = {trial: whole.covers[trial] for whole in compacted(store) for trial in whole.takes}
    wanted = set(trials)
    return sum(
        match["trial"] in wanted and int(match["attempt"]) > covers.get(match["trial"], 0) for match in parts(store)
    )
