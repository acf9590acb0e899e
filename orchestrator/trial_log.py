"""What a trial's process said before its attempt ended badly, kept in the record, where every machine finds it.

logs/<trial>-a<attempt>.txt   the exception, the stacks of a hung process, and the end of the process's own output
"""

from __future__ import annotations

import os
import platform
import traceback
from pathlib import Path

from orchestrator.stacks import left_stacks
from sweeps.store import AlreadyPublished, Store, StoreError

LAST_BYTES = 16_384


def log_name(trial_id: str, attempt: int) -> str:
    return f"logs/{trial_id}-a{attempt:04d}.txt"


def keep(store: Store, trial_id: str, attempt: int, error: BaseException) -> None:
    """Publish what is known here of why an attempt ends; a store that cannot take it changes nothing."""
    parts = [
        f"trial {trial_id}, attempt {attempt}, on {platform.node()}, process {os.getpid()}",
        "".join(traceback.format_exception(error)).rstrip(),
    ]
    output = own_output(2)
    parts += [part("end of its standard error", output)] if output else []
    put(store, trial_id, attempt, parts)


def keep_lost(store: Store, trial_id: str, attempt: int) -> None:
    """Publish what a process that went away without a word left on this machine, if that is anything."""
    if left_stacks(trial_id, attempt):
        put(
            store,
            trial_id,
            attempt,
            [f"trial {trial_id}, attempt {attempt}: its process hung, and was ended from outside"],
        )


def put(store: Store, trial_id: str, attempt: int, parts: list[str]) -> None:
    stacks = [part("stacks", path) for path in left_stacks(trial_id, attempt)]
    try:
        store.publish(log_name(trial_id, attempt), ("\n\n".join([*parts, *stacks]) + "\n").encode())
    except (AlreadyPublished, StoreError):
        return
    for path in left_stacks(trial_id, attempt):
        path.unlink(missing_ok=True)


def part(title: str, path: Path) -> str:
    return f"--- {title} ({path}) ---\n{tail(path)}"


def read_log(store: Store, trial_id: str, attempt: int) -> str | None:
    """What was kept of an attempt; None where nothing was."""
    try:
        return store.read(log_name(trial_id, attempt)).decode(errors="replace")
    except FileNotFoundError:
        return None


def relevant(text: str, most: int = 6) -> list[str]:
    """The lines of a log that say what went wrong: the last ones of its exception."""
    first = text.split("\n--- ", 1)[0]
    lines = [line for line in first.splitlines() if line.strip()]
    return lines[-most:]


def own_output(descriptor: int) -> Path | None:
    """The file that this process's own output goes to; None where it is no file, or the machine cannot tell."""
    try:
        path = Path(f"/proc/self/fd/{descriptor}").readlink()
    except OSError:
        return None
    return path if path.is_file() else None


def tail(path: Path) -> str:
    """The end of a file, whole lines."""
    try:
        with path.open("rb") as file:
            size = file.seek(0, os.SEEK_END)
            file.seek(max(0, size - LAST_BYTES))
            text = file.read().decode(errors="replace")
    except OSError:
        return ""
    return (text.split("\n", 1)[-1] if size > LAST_BYTES else text).strip()
