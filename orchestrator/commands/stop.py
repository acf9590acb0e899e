"""sweep stop: ask whoever trains a sweep to save and stop."""

from __future__ import annotations

import time
from typing import Annotated

import typer

from orchestrator.commands.options import Results


def command(
    sweep: Annotated[str, typer.Argument(help="a sweep's name")],
    wait: Annotated[float, typer.Option(help="seconds to wait until it has stopped")] = 120.0,
    results: Results = "results",
) -> int:
    """Ask a running sweep to save where every trial stands and stop; from any machine that reaches the record."""
    from orchestrator.owners import living, read, signs
    from sweeps.record import find_plan
    from sweeps.requests import ask_to_stop
    from sweeps.store import open_store

    store = open_store(results)
    name = find_plan(store, sweep).sweep
    drivers = [driver for driver, facts in signs(store).items() if facts.get("sweep") == name]
    alive = living(store, drivers)
    dead = [driver for driver in drivers if driver not in alive]
    for driver in dead:
        print(f"{driver} gives no sign of life any more: it trains nothing")
    if not alive:
        print(f"nobody is training {name}: there is nothing to stop; `sweep run` with its spec goes on from the record")
        return 0
    for driver in sorted(alive):
        request = ask_to_stop(store, driver)
        print(f"asked {driver} to stop ({request['user']} on {request['host']}, {request['at']})")
    deadline = time.monotonic() + wait
    while (left := {driver for driver in alive if read(store, driver) is not None}) and time.monotonic() < deadline:
        time.sleep(0.5)
    for driver in sorted(alive):
        print(f"{driver} {'has not stopped yet; it saves first' if driver in left else 'has stopped'}")
    print("`sweep run` with the same spec goes on from where it stood")
    return 0
