"""How much of a device's memory a trial really took, beside what was estimated."""

from __future__ import annotations

import sys
from collections.abc import Iterator
from contextlib import contextmanager

from orchestrator.failures import OutOfMemory, is_out_of_memory


def peak_bytes() -> float | None:
    """The most that torch had allocated on this process's GPU since `forget_peak`; None where it computes on none."""
    torch = sys.modules.get("torch")
    if torch is None or not torch.cuda.is_available() or not torch.cuda.is_initialized():
        return None
    return float(torch.cuda.max_memory_allocated())


def forget_peak() -> None:
    """Count from here: a process trains one trial after another."""
    if peak_bytes() is not None:
        sys.modules["torch"].cuda.reset_peak_memory_stats()


def memory_facts(peak: float | None, estimated: float | None) -> list[tuple[str, float]] | None:
    """For an attempt's last row: the peak in bytes, and the estimate's relative error; None where nothing is known.

    The estimate has what a process holds before it trains, which torch's count has not, so a small error upward is
    no surprise. After running out of memory the peak is what was reached, and more was wanted: the error is at most
    the one recorded.
    """
    if peak is None:
        return None
    facts = [("memory_bytes", peak)]
    if estimated is not None and peak > 0:
        facts.append(("memory_error", estimated / peak - 1))
    return facts


@contextmanager
def out_of_memory_measured() -> Iterator[None]:
    """Within the block, running out of memory is raised as OutOfMemory, with the peak that was reached."""
    try:
        yield
    except Exception as error:
        if not is_out_of_memory(error):
            raise
        raise OutOfMemory(" ".join(str(error).split())[:500], peak_bytes()) from error
