"""sweep run: train what a spec asks for and the record does not have."""

from __future__ import annotations

from pathlib import Path
from typing import TYPE_CHECKING, Annotated

import typer

from orchestrator.commands.options import Results

if TYPE_CHECKING:
    from orchestrator.display import Display
    from orchestrator.run import Outcome


def command(
    spec: Annotated[Path, typer.Argument(help="the sweep's YAML file")],
    results: Results = "results",
    address: Annotated[
        str | None, typer.Option(help="train on the Ray cluster whose head is there: host:port, or auto")
    ] = None,
    quiet: Annotated[bool, typer.Option("--quiet", help="say only what goes wrong, and the conclusions")] = False,
    takeover: Annotated[
        bool, typer.Option("--takeover", help="claim trials that another driver is training; its attempts end unused")
    ] = False,
) -> int:
    """Train the sweep's networks, those that are not in the record yet, and say what the data says."""
    import importlib.util
    import os
    import signal

    from orchestrator.corpora.watcher import Interrupted
    from orchestrator.display import display_for
    from orchestrator.run import run
    from orchestrator.tidying import tidy
    from sweeps.loading import load_spec
    from sweeps.store import open_store

    asked = load_spec(spec)
    for name in ("torch", "deepspeed", "ray"):  # said now, and not after a corpus has been prepared
        if importlib.util.find_spec(name) is None:
            raise ModuleNotFoundError(f"there is no {name}", name=name)
    if address is not None:
        asked = asked.model_copy(update={"cluster": asked.cluster.model_copy(update={"address": address})})
    stop: list[int] = []

    def on_signal(number: int, _: object) -> None:
        if stop:
            display.rest()
            os._exit(128 + number)  # the second one: at once; Ray's processes go with this one
        stop.append(number)
        display.warn("stopping: every trial saves where it stands; once more stops at once")

    display = display_for(quiet)
    for number in (signal.SIGINT, signal.SIGTERM):
        signal.signal(number, on_signal)
    store = open_store(results)
    try:
        outcome = run(asked, store, display, lambda: bool(stop), takeover=takeover)
        tell(display, outcome, bool(stop))
        if not stop and not outcome.left:
            tidy(store, [planned.trial.trial_id for planned in outcome.plan.trials], display.warn)
    except Interrupted:
        display.say("stopped while the corpus was prepared; the same command prepares it anew")
        return 128 + stop[0] if stop else 75
    finally:
        display.close()
    if stop:
        return 128 + stop[0]
    if outcome.left:
        return 75
    from orchestrator.commands.closing import close

    close(store, asked.name)
    return 3 if outcome.unusable else 0


def tell(display: Display, outcome: Outcome, stopped: bool) -> None:
    """How the run ended."""
    total = len(outcome.plan.trials)
    if not outcome.trained and not outcome.left:
        there = f"{total - outcome.barred} of {total}" if outcome.barred else f"all {total}"
        display.say(f"nothing to train: {there} trials are in the record")
    else:
        display.say(
            f"{total} trials: {outcome.trained} trained now, {outcome.already} before, "
            f"{outcome.unusable} without a usable loss, {outcome.left} left"
        )
    if outcome.barred:
        display.say(
            f"{outcome.barred} of them cannot start: the trunks that they go on from ended without usable weights "
            f"(`sweep logs TRIAL` says how, `sweep retry` tries them again)"
        )
    if stopped:
        display.say("stopped; the same command goes on from here")
    elif outcome.left:
        display.say("some trials are left; the same command goes on with them")
