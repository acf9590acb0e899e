"""Named points at which the fault tests kill the process that passes them. Unset, as always outside them, a no-op.

INTERPLAY_FAULT is `<point>` or `<point>#<n>`: the process that passes it for the n-th time (the first by default)
kills itself with SIGKILL, as the kernel or a neighbour would. INTERPLAY_FAULT_ONCE names a file that the first
victim makes, so that the next attempt lives.
"""

import os
import signal
from collections import Counter
from pathlib import Path

passed: Counter[str] = Counter()


def fault(point: str) -> None:
    """Die here if the environment says so."""
    wanted = os.environ.get("INTERPLAY_FAULT")
    if wanted is None:
        return
    name, _, count = wanted.partition("#")
    if name != point:
        return
    passed[point] += 1
    if passed[point] != int(count or 1):
        return
    if once := os.environ.get("INTERPLAY_FAULT_ONCE"):
        try:
            Path(once).touch(exist_ok=False)
        except FileExistsError:
            return
    os.kill(os.getpid(), signal.SIGKILL)
