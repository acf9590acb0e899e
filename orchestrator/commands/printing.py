"""Data on standard output: tables for people, JSON for programs."""

from __future__ import annotations

import json
import math
from collections.abc import Sequence
from datetime import datetime
from typing import Any


def print_json(value: Any) -> None:
    """One JSON document; what is missing or no number is null."""
    print(json.dumps(plain(value), indent=2, allow_nan=False))


def plain(value: Any) -> Any:
    """A value as JSON has it."""
    match value:
        case float():
            return value if math.isfinite(value) else None
        case dict():
            return {str(key): plain(item) for key, item in value.items()}
        case list() | tuple():
            return [plain(item) for item in value]
        case datetime():
            return value.isoformat()
        case None | bool() | int() | str():
            return value
        case _ if hasattr(value, "item"):  # a NumPy scalar
            return plain(value.item())
        case _:
            return str(value)


def print_table(columns: Sequence[str], rows: Sequence[Sequence[Any]], title: str | None = None) -> None:
    """A table on standard output; numbers to the right, what is missing as a dash."""
    from rich.box import SIMPLE_HEAD
    from rich.console import Console
    from rich.table import Table

    table = Table(title=title, box=SIMPLE_HEAD, title_justify="left", title_style="bold", pad_edge=False)
    for index, name in enumerate(columns):
        numeric = all(row[index] is None or isinstance(row[index], (int, float)) for row in rows)
        table.add_column(name, justify="right" if numeric else "left", no_wrap=True)
    for row in rows:
        table.add_row(*[cell(value) for value in row])
    # markup=False: the [train] of 'interplay[train]' is text, and no style of rich's
    width = None if is_terminal() else 200
    console = Console(width=width, soft_wrap=not is_terminal(), highlight=False, markup=False, emoji=False)
    console.print(table)


def cell(value: Any) -> str:
    match value:
        case None:
            return "–"
        case bool():
            return str(value).lower()
        case float():
            return f"{value:.6g}"
        case datetime():
            return value.strftime("%Y-%m-%d %H:%M:%S")
        case _:
            return str(value)


def is_terminal() -> bool:
    import sys

    return sys.stdout.isatty()
