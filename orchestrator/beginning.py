"""What `sweep init` is told, on the command line or in answer to its questions."""

from __future__ import annotations

import os
import re
from pathlib import Path
from typing import Any

import typer

from orchestrator.sketch import Wish
from sweeps.safe_yaml import SpecError

DEVICES = re.compile(r"(?:(?P<nodes>[0-9]+)x)?(?P<gpus>[0-9]+)x(?P<kind>[a-z][a-z0-9-]*)")
DATASET = re.compile(r"[A-Za-z0-9][\w.-]*/[\w.-]+")
NAME = re.compile(r"[a-z0-9][a-z0-9._-]{0,62}")
HOURS = 1.0


def ask(
    hours: float | None, price: float | None, devices: str | None, corpus: str | None
) -> tuple[float | None, str, str]:
    """What was not said as an option, asked for."""
    if devices is None:
        devices = typer.prompt("Devices: cpu, or such as 8xh100 or 4x8xh100", default="cpu", err=True)
    if hours is None and price is None:
        hours = typer.prompt("Hours it may take", default=HOURS, type=float, err=True)
    if corpus is None:
        corpus = typer.prompt(
            "Text: python-stdlib, a pattern such as texts/*.txt, or OWNER/NAME of a data set",
            default="python-stdlib",
            err=True,
        )
    return hours, devices, corpus


def wish_of(name: str, *, hours: float | None, price: float | None, devices: str | None, corpus: str | None) -> Wish:
    """The wish that these words are. Raises SpecError naming the option that is wrong."""
    if not NAME.fullmatch(name):
        raise SpecError(f"--name {name}: a sweep's name has lower-case letters, digits, '.', '-' and '_', at most 63")
    for option, value in (("--hours", hours), ("--price", price)):
        if value is not None and not value > 0:
            raise SpecError(f"{option} {value:g}: it is a number above 0")
    if hours is None and price is None:
        hours = HOURS
    cores = len(os.sched_getaffinity(0)) if hasattr(os, "sched_getaffinity") else os.cpu_count() or 1
    cluster: dict[str, Any] = {}
    if devices not in (None, "cpu"):
        match = DEVICES.fullmatch(devices)
        if not match or int(match["gpus"]) < 1 or int(match["nodes"] or 1) < 1:
            raise SpecError(f"--devices {devices}: say cpu, or such as 8xh100 (one node), or 4x8xh100 (four nodes)")
        cluster = {"nodes": int(match["nodes"] or 1), "gpus": int(match["gpus"]), "device": match["kind"]}
    return Wish(
        name=name, corpus=corpus_of(corpus or "python-stdlib"), hours=hours, price=price, cores=cores, **cluster
    )


def corpus_of(said: str) -> str | dict[str, Any]:
    """What `data.corpus` says for a word, a path, a pattern, or a data set's name."""
    path = Path(said).expanduser()
    if said == "python-stdlib":
        return said
    if path.is_dir():
        return {"files": f"{said.rstrip('/')}/**/*.txt"}
    if path.exists() or any(sign in said for sign in "*?[") or said.startswith((".", "/", "~")):
        return {"files": said}
    if DATASET.fullmatch(said):
        return {"dataset": said, "split": "train", "text": "text"}
    raise SpecError(
        f"--corpus {said}: no such file is here, and it is no data set's OWNER/NAME; say python-stdlib, a path or a "
        f"pattern such as 'texts/*.txt', or OWNER/NAME"
    )
