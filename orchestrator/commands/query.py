"""sweep query: SQL over the record."""

from __future__ import annotations

from typing import Annotated

import typer

from orchestrator.commands.options import AllowPartial, AsJson, Results


def command(
    sql: Annotated[str, typer.Argument(help="one SELECT over the views trials, metrics, attempts and plans")],
    results: Results = "results",
    allow_partial: AllowPartial = False,
    as_json: AsJson = False,
    seconds: Annotated[float, typer.Option(help="give up after so many seconds")] = 300.0,
    memory_mb: Annotated[int, typer.Option(help="most memory the query may use, in MB")] = 4000,
) -> int:
    """Answer one SELECT over the record's views."""
    from orchestrator.commands.printing import print_json, print_table
    from sweeps.asking import answer
    from sweeps.store import open_store

    table = answer(open_store(results), sql, seconds=seconds, memory_mb=memory_mb, allow_partial=allow_partial)
    if as_json:
        print_json(table.to_pylist())
    else:
        print_table(table.column_names, [list(row.values()) for row in table.to_pylist()])
    return 0
