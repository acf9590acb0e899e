"""Options that several commands share."""

from __future__ import annotations

import sys
from typing import TYPE_CHECKING, Annotated

import typer

if TYPE_CHECKING:
    from sweeps.store import Store

Results = Annotated[str, typer.Option("--results", help="the record: a folder, or a URI such as s3://bucket/prefix")]
AllowPartial = Annotated[
    bool, typer.Option("--allow-partial", help="answer without the record's damaged files, naming them")
]
AsJson = Annotated[bool, typer.Option("--json", help="print JSON instead of a table")]


def opened(results: str, allow_partial: bool) -> Store:
    """The record for reading; without its damaged files, each named on standard error, where that will do."""
    from sweeps.partial import without_damaged
    from sweeps.store import open_store

    store = open_store(results)
    return without_damaged(store, lambda text: print(text, file=sys.stderr)) if allow_partial else store
