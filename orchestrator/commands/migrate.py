"""sweep migrate: a record copied under the schema of now."""

from __future__ import annotations

from typing import Annotated

import typer

from orchestrator.commands.options import Results


def command(
    to: Annotated[str, typer.Option("--to", help="where the new record goes: an empty folder, or a URI")],
    results: Results = "results",
) -> int:
    """Copy a record to another place under this version's schema, verify the copy, and leave the old one as it is."""
    from orchestrator.migration import migrate
    from sweeps.store import open_store

    old, new = open_store(results), open_store(to)
    copied = migrate(old, new)
    total = ", ".join(f"{count} in {folder}" for folder, count in copied.items())
    print(f"{new.uri} is equal to {old.uri} ({total}); the old one is untouched, and may be deleted")
    return 0
