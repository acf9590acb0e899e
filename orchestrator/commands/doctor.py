"""sweep doctor: what is missing on this machine, and whether a record is whole."""

from __future__ import annotations

from typing import Annotated

import typer

from orchestrator.commands.options import AsJson


def command(
    results: Annotated[str | None, typer.Option("--results", help="check this record; the machine if left out")] = None,
    as_json: AsJson = False,
) -> int:
    """Check this machine's set-up, or with --results every file of a record (exit code 4 where it is not whole)."""
    from orchestrator.audit import record_findings
    from orchestrator.commands.printing import print_json, print_table
    from orchestrator.health import machine_findings
    from sweeps.store import open_store

    found = machine_findings() if results is None else record_findings(open_store(results))
    if as_json:
        print_json(found)
    elif found and results is None:
        print_table(list(found[0]), [list(row.values()) for row in found])
    else:
        for row in found:  # whole sentences and whole names, however narrow the terminal
            print(f"{row['file']} {row['what']}\n    {row['repair']}")
    bad = [row for row in found if row["verdict"] == "bad"]
    if results is not None:
        print(f"{len(bad)} {'defect' if len(bad) == 1 else 'defects'} in {results}" if bad else f"{results} is whole")
    return (4 if results is not None else 2) if bad else 0
