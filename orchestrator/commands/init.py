"""sweep init: a spec from a few answers."""

from __future__ import annotations

import sys
from pathlib import Path
from typing import Annotated

import typer


def command(
    file: Annotated[
        Path | None, typer.Argument(help="the file to write; NAME.yaml if left out, - for the terminal")
    ] = None,
    name: Annotated[str | None, typer.Option(help="the sweep's name; the file's, or mine")] = None,
    hours: Annotated[
        float | None, typer.Option(help="hours it may take, by the clock; 1 where no price is given")
    ] = None,
    price: Annotated[float | None, typer.Option(help="what it may cost, in USD by the shipped list of devices")] = None,
    devices: Annotated[
        str | None,
        typer.Option(help="cpu (this machine's cores), or such as 8xh100, or 4x8xh100 for four nodes of them"),
    ] = None,
    corpus: Annotated[
        str | None,
        typer.Option(
            help="python-stdlib (here already), your files ('texts/*.txt'), or OWNER/NAME of a Hugging Face data set"
        ),
    ] = None,
    yes: Annotated[bool, typer.Option("--yes", help="ask nothing: what is not said is as above")] = False,
) -> int:
    """Write a commented spec: the largest sweep of depths and sizes that the budget pays for on the devices."""
    from orchestrator.beginning import ask, wish_of
    from orchestrator.sketch import sketch
    from orchestrator.sketch_text import written
    from sweeps.safe_yaml import SpecError

    if not yes and is_asked():
        hours, devices, corpus = ask(hours, price, devices, corpus)
    name = name or (file.stem.lower() if file and str(file) != "-" else "mine")
    wish = wish_of(name, hours=hours, price=price, devices=devices, corpus=corpus)
    made = sketch(wish)
    text = written(wish, made)
    if str(file) == "-":
        print(text, end="")
        return 0
    path = file or Path(f"{name}.yaml")
    try:
        with path.open("x", encoding="utf-8") as opened:
            opened.write(text)
    except FileExistsError:
        raise SpecError(f"{path} exists already and is left as it is; name another file") from None
    except OSError as error:
        raise SpecError(f"{path} cannot be written: {error.strerror}; name another file") from None
    print(
        f"{path}: {made.trials} networks, about {made.hours:.2g} hours on {wish.devices} {wish.device or 'cores'}, "
        f"{made.price:,.2f} USD by the list of devices",
        file=sys.stderr,
    )
    print(f"next: sweep plan {path}   every network's shape, time and price\n      sweep run {path}", file=sys.stderr)
    return 0


def is_asked() -> bool:
    """Whether somebody is there to answer."""
    return sys.stdin.isatty() and sys.stderr.isatty()
