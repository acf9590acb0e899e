"""The C library's heap, told to keep what a training step frees, since the next step asks for it again.

As it comes, glibc gives every tensor of some size back to the kernel and takes it anew: a fifth to a third of a small
network's step on a CPU went into page faults (docs/log.md). Elsewhere (macOS, musl) nothing is changed.
"""

from __future__ import annotations

import ctypes
import gc
import platform
from functools import cache

# Of <malloc.h>: free bytes at the top beyond which they are given back; how many blocks may be maps of their own.
M_TRIM_THRESHOLD, M_MMAP_MAX = -1, -4
NEVER = 2**31 - 1


@cache
def glibc() -> ctypes.CDLL | None:
    return ctypes.CDLL(None) if platform.libc_ver()[0] == "glibc" else None


def keep_freed() -> None:
    """From now on, freed memory stays with this process until `give_back`."""
    if library := glibc():
        library.mallopt(M_MMAP_MAX, 0)
        library.mallopt(M_TRIM_THRESHOLD, NEVER)


def give_back() -> None:
    """Return to the system what a dismantled engine held, so that the next trial starts as in a new process.

    What outlives the first one, nearly all of it the libraries' own, is set aside from the collector: walking it again
    took 0.37 s a trial, more than everything else between two trials (docs/log.md).
    """
    gc.collect()
    if not gc.get_freeze_count():
        gc.freeze()
    if library := glibc():
        library.malloc_trim(0)
