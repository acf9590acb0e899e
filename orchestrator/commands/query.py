"""sweep query: SQL over the record."""

from __future__ import annotations


def command() -> int:
    """Answer a SELECT."""
    return 0
