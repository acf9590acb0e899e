"""Large numbers as people write them on a command line: 7e9, 7B, 1.5T."""

from __future__ import annotations

import re

import typer

UNITS = {"": 1.0, "k": 1e3, "M": 1e6, "B": 1e9, "G": 1e9, "T": 1e12}
AMOUNT = re.compile(r"([0-9][0-9_]*\.?[0-9]*(?:[eE][-+]?[0-9]+)?|\.[0-9]+)([kMBGT]?)")


def amount(text: str | float) -> float:
    """The number. Raises typer.BadParameter, saying how it is written."""
    match = AMOUNT.fullmatch(str(text).strip())
    if not match:
        raise typer.BadParameter(f"{text!r} is no number; write 7e9, or 7B (k, M, B and T are 1e3, 1e6, 1e9 and 1e12)")
    return float(match[1].replace("_", "")) * UNITS[match[2]]
