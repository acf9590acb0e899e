"""The source text of the running interpreter's own standard library: real text that every machine has.

About 30 MB. Another Python has other text, so its trials have other identities.
"""

import os
import platform
import sysconfig
from collections.abc import Iterator
from pathlib import Path

from sweeps.strict import Strict


class Options(Strict):
    """Nothing to choose."""


def fingerprint(options: Options) -> list[object]:
    """Changes whenever the text may have: interpreter, and every file's path, size and time."""
    return [platform.python_implementation(), platform.python_version(), *([*f] for f in facts())]


def documents(options: Options) -> Iterator[bytes]:
    """Every module's source, UTF-8, in the order of their paths."""
    for path, _, _ in facts():
        text = (root() / path).read_bytes()
        try:
            text.decode()
        except UnicodeDecodeError:
            continue  # the library keeps a few files in other encodings to test its own decoder
        if text.strip():
            yield text


def root() -> Path:
    return Path(sysconfig.get_paths()["stdlib"])


def facts() -> list[tuple[str, int, int]]:
    """(path, bytes, modification time in ns) of every module, sorted by path; installed packages left out."""
    base = root()
    found = []
    for folder, inside, files in os.walk(base):
        inside[:] = [name for name in inside if name not in ("site-packages", "dist-packages", "__pycache__")]
        for name in files:
            if name.endswith(".py"):
                path = Path(folder, name)
                state = path.stat()
                found.append((path.relative_to(base).as_posix(), state.st_size, state.st_mtime_ns))
    return sorted(found)
