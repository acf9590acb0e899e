"""Trackers started beside a run and let go at its end: a process each, so that none can hurt a trial."""

from __future__ import annotations

import importlib.util
import subprocess
import sys
from collections.abc import Callable, Iterator
from contextlib import ExitStack, contextmanager
from pathlib import Path

from orchestrator.trackers.tracker import PACKAGES, chosen
from sweeps.safe_yaml import SpecError
from sweeps.spec import Spec
from sweeps.store import FolderStore, Store

FINISH_SECONDS = 60.0  # what a tracker has after the run's end before its process gives up
LATE_SECONDS = 10.0  # what the process has beyond that before it is killed


def check_trackers(spec: Spec) -> None:
    """Raise SpecError where the package of a tracker is not installed."""
    for name in chosen(spec.tracking):
        if importlib.util.find_spec(PACKAGES[name]) is None:
            raise SpecError(
                f"{spec.name}: tracking.{name} needs the package {PACKAGES[name]}, which is not installed; "
                f"pip install 'interplay[{name}]', or leave it out"
            )


@contextmanager
def tracked(spec: Spec, store: Store, say: Callable[[str], None], seconds: float = FINISH_SECONDS) -> Iterator[None]:
    """Mirror the sweep's metrics to its trackers while the block runs, and say which of them failed."""
    with ExitStack() as stack:
        for name in chosen(spec.tracking):
            stack.enter_context(mirrored(name, f"orchestrator.trackers.{name}", spec, store, say, seconds))
        yield


@contextmanager
def mirrored(
    name: str,
    module: str,
    spec: Spec,
    store: Store,
    say: Callable[[str], None],
    seconds: float = FINISH_SECONDS,
) -> Iterator[None]:
    """One tracker's process."""
    folder = folder_of(store) / name
    folder.mkdir(parents=True, exist_ok=True)
    log = folder / f"{spec.name}.log"
    command = [sys.executable, "-m", "orchestrator.trackers.mirror", name, module, store.uri, str(folder), str(seconds)]
    command += [spec.name, spec.tracking.model_dump_json()]
    with log.open("ab") as file:
        process = subprocess.Popen(  # noqa: S603
            command, stdin=subprocess.PIPE, stdout=file, stderr=file
        )
    try:
        yield
    finally:
        assert process.stdin is not None
        process.stdin.close()
        try:
            code = process.wait(seconds + LATE_SECONDS)
        except subprocess.TimeoutExpired:
            process.kill()
            code = process.wait()
        if code:
            say(f"tracking.{name} failed, and no trial was touched; what it says is in {log}; the record has it all")


def folder_of(store: Store) -> Path:
    """Where trackers keep what is theirs: in the record's folder, or in the working one where that is elsewhere."""
    return (store.root if isinstance(store, FolderStore) else Path.cwd()) / "tracking"
