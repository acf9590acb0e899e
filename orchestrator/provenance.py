"""What made the numbers, for the record."""

from __future__ import annotations

import platform
from importlib.metadata import version


def versions() -> dict[str, str]:
    """Versions of Python, of this machine's instruction set, and of the packages that decide numbers."""
    names = ("interplay", "torch", "deepspeed", "ray", "pyarrow")
    return {"python": platform.python_version(), "machine": platform.machine()} | {n: version(n) for n in names}
