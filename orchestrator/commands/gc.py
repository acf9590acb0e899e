"""sweep gc: free what nothing needs."""

from __future__ import annotations

from typing import Annotated

import typer

from orchestrator.commands.options import AsJson, Results


def command(
    results: Results = "results",
    dry_run: Annotated[bool, typer.Option("--dry-run", help="say what would be deleted, and delete nothing")] = False,
    as_json: AsJson = False,
) -> int:
    """Delete what nothing needs: compacted parts, older checkpoints of finished trials, what killed processes left.

    Safe beside a running sweep, and safe to kill.
    """
    from orchestrator.commands.printing import print_json, print_table
    from orchestrator.reclaim import reclaim
    from sweeps.store import open_store

    found = reclaim(open_store(results), dry_run=dry_run)
    if as_json:
        print_json([{"file": file, "reason": reason} for file, reason in found])
        return 0
    if found:
        print_table(["file", "reason"], found)
    print(f"{len(found)} files {'would be' if dry_run else 'were'} deleted")
    return 0
