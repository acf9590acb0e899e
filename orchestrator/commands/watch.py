"""sweep watch: a sweep's progress from its record, from any terminal or machine."""

from __future__ import annotations

import sys
import time
from typing import Annotated

import typer

from orchestrator.commands.options import AsJson, Results


def command(
    sweep: Annotated[str, typer.Argument(help="a sweep's name, or name@hash")],
    every: Annotated[float, typer.Option(min=0.5, help="seconds between two looks")] = 5.0,
    once: Annotated[bool, typer.Option("--once", help="look once and end")] = False,
    results: Results = "results",
    as_json: AsJson = False,
) -> int:
    """Show what runs, what failed, the time left and the cost so far, until every trial has ended. Needs no Ray."""
    from dataclasses import asdict

    from orchestrator.board import summary
    from orchestrator.commands.printing import print_json
    from orchestrator.picture import picture
    from orchestrator.watching import Watcher
    from sweeps.store import open_store

    watcher = Watcher(open_store(results), sweep)
    board = watcher.look()
    if as_json:
        print_json(asdict(board))
        return 0
    from rich.console import Console

    console = Console(width=None if sys.stdout.isatty() else 120, highlight=False)
    if once:
        console.print(picture(board))
        return 0
    if not sys.stdout.isatty():
        while True:
            print(f"{time.strftime('%H:%M:%S')}  {summary(board)}", flush=True)
            if board.over:
                return 0
            time.sleep(max(every, 1.0))
            board = watcher.look()
    from rich.live import Live

    try:
        with Live(picture(board), console=console, auto_refresh=False) as live:
            while not board.over:
                time.sleep(every)
                board = watcher.look()
                live.update(picture(board), refresh=True)
    except KeyboardInterrupt:  # leaving is not stopping
        console.print("the sweep goes on; this only watched")
    return 0
