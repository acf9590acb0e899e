"""sweep logs: what is known of one trial."""

from __future__ import annotations

from typing import Annotated

import typer

from orchestrator.commands.options import AsJson, Results


def command(
    trial: Annotated[str, typer.Argument(help="a trial's id, or its beginning")],
    results: Results = "results",
    as_json: AsJson = False,
) -> int:
    """Show a trial's attempts: where each ran, from where it went on, how it ended and why, stacks and log lines."""
    from orchestrator.commands.printing import print_json
    from orchestrator.trial_history import history, told
    from sweeps.store import open_store

    found = history(open_store(results), trial)
    if as_json:
        print_json(found)
    else:
        print("\n".join(told(found)))
    return 0
