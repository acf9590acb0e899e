"""sweep status: how far a sweep is, from the record alone."""

from __future__ import annotations


def command() -> int:
    """Show trials by state."""
    return 0
