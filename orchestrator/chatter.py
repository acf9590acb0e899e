"""Ray's, DeepSpeed's and their libraries' own output into a file, so that the terminal has only what we say."""

from __future__ import annotations

import os
import sys
import tempfile
import time
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

from sweeps.store import FolderStore, Store


@contextmanager
def quiet(store: Store) -> Iterator[Path]:
    """Within the block whatever this process writes to its descriptors 1 and 2 goes to the log whose path it gives.

    A display that has its own duplicate of a descriptor (orchestrator/display.py) still reaches the terminal.
    """
    folder = store.root / "logs" if isinstance(store, FolderStore) else Path(tempfile.gettempdir())
    folder.mkdir(parents=True, exist_ok=True)
    path = folder / f"{time.strftime('%Y%m%d-%H%M%S')}-{os.getpid()}.log"
    ours = [os.dup(1), os.dup(2)]
    with path.open("ab") as log:
        for fd in (1, 2):
            os.dup2(log.fileno(), fd)
        try:
            yield path
        except Exception as error:
            error.add_note(f"the end of {path}:\n{last_lines(path)}")
            raise
        finally:
            sys.stdout.flush()
            sys.stderr.flush()
            for fd, saved in zip((1, 2), ours, strict=True):
                os.dup2(saved, fd)
                os.close(saved)


def last_lines(path: Path, most: int = 12) -> str:
    """The end of a log, indented; it may be gone, as the results folder it is in may be."""
    sys.stderr.flush()
    try:
        with path.open("rb") as log:
            log.seek(max(0, path.stat().st_size - 8192))
            lines = [line for line in log.read().decode(errors="replace").splitlines() if line.strip()]
    except OSError as error:
        return f"  | (cannot be read: {error.strerror})"
    return "\n".join(f"  | {line}" for line in lines[-most:]) or "  | (nothing)"
