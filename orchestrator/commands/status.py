"""sweep status: how far a sweep is, from the record alone."""

from __future__ import annotations

from typing import Annotated

import typer

from orchestrator.commands.options import AsJson, Results


def command(
    sweep: Annotated[str | None, typer.Argument(help="a sweep's name, or name@hash; all if left out")] = None,
    results: Results = "results",
    as_json: AsJson = False,
) -> int:
    """Show a sweep's trials and their states, or every sweep's counts."""
    from orchestrator.commands.printing import print_json, print_table
    from sweeps.status import sweep_status, trial_status
    from sweeps.store import open_store

    store = open_store(results)
    rows = sweep_status(store) if sweep is None else trial_status(store, sweep)
    if as_json:
        print_json(rows)
    elif rows:
        print_table(list(rows[0]), [list(row.values()) for row in rows], title=sweep)
    else:
        print(f"there are no sweeps in {store.uri}")
    return 0
