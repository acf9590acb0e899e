"""sweep serve: the report, live, while a sweep runs."""

from __future__ import annotations

from typing import Annotated

import typer

from orchestrator.commands.options import AllowPartial, Results, opened


def command(
    sweep: Annotated[str, typer.Argument(help="a sweep's name, or name@hash")],
    results: Results = "results",
    allow_partial: AllowPartial = False,
    port: Annotated[
        int | None, typer.Option(min=0, max=65535, help="of 127.0.0.1; 8642, or a free one, if left out")
    ] = None,
    open_it: Annotated[bool, typer.Option("--open", help="open it in the browser")] = False,
) -> int:
    """Show the report on 127.0.0.1 and keep it up to date from the record, until Ctrl-C."""
    import sys

    from orchestrator.serving import Board, serve

    def started(url: str) -> None:
        print(url, flush=True)
        print("the page follows the record by itself; Ctrl-C ends this", file=sys.stderr)
        if open_it:
            import webbrowser

            webbrowser.open(url)

    serve(Board(opened(results, allow_partial), sweep), port, started)
    return 0
