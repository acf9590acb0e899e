"""sweep retry: another go for trials that were given up."""

from __future__ import annotations

from typing import Annotated

import typer

from orchestrator.commands.options import AsJson, Results


def command(
    sweep: Annotated[str, typer.Argument(help="a sweep's name, or name@hash")],
    trial: Annotated[list[str] | None, typer.Option(help="only this trial (the beginning of its id will do)")] = None,
    kind: Annotated[
        list[str] | None, typer.Option(help="only trials that ended so: error, out_of_memory, hung, diverged")
    ] = None,
    results: Results = "results",
    as_json: AsJson = False,
) -> int:
    """Let the next run try again what ended in an error, hung, ran out of memory or diverged. Deletes nothing."""
    from orchestrator.commands.printing import print_json, print_table
    from orchestrator.retrying import given_up, pardon_all
    from sweeps.store import open_store

    store = open_store(results)
    rows = given_up(store, sweep, trials=trial or (), kinds=kind or ())
    pardon_all(store, rows)
    if as_json:
        print_json([row.as_dict() for row in rows])
        return 0
    if not rows:
        print(f"no trial of {sweep} was given up: there is nothing to retry")
        return 0
    print_table(["trial", "attempts", "last ended"], [[row.trial_id, row.attempts, row.ended] for row in rows])
    print(f"{len(rows)} trials will be tried again: run the sweep's spec once more (sweep run)")
    if any(row.kind == "diverged" for row in rows):
        print(
            "a diverged trial gives the same numbers again on the same machine; to change them, change its rate in the "
            "spec"
        )
    return 0
