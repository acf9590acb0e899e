"""sweep status: how far a sweep is, from the record alone."""

from __future__ import annotations

from typing import Annotated

import typer

from orchestrator.commands.options import AllowPartial, AsJson, Results, opened


def command(
    sweep: Annotated[str | None, typer.Argument(help="a sweep's name, or name@hash; all if left out")] = None,
    results: Results = "results",
    allow_partial: AllowPartial = False,
    as_json: AsJson = False,
) -> int:
    """Show a sweep's trials and their states, or every sweep's counts."""
    from orchestrator.commands.printing import print_json, print_table
    from sweeps.status import sweep_status, trial_status

    store = opened(results, allow_partial)
    rows = sweep_status(store) if sweep is None else trial_status(store, sweep)
    if as_json:
        print_json(rows)
    elif rows:
        print_table(list(rows[0]), [list(row.values()) for row in rows], title=sweep)
    else:
        print(f"there are no sweeps in {store.uri}")
    return 0
