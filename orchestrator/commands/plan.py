"""sweep plan: what a spec asks for, before anything starts."""

from __future__ import annotations

from pathlib import Path
from typing import Annotated

import typer

from orchestrator.commands.options import AsJson, Results


def command(
    spec: Annotated[Path, typer.Argument(help="the sweep's YAML file")],
    results: Results = "results",
    as_json: AsJson = False,
) -> int:
    """Show every network's shape, parameters and FLOPs, and the totals."""
    return 0
