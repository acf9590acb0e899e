"""docs/reliability.md, from what the suite counted. INTERPLAY_RELIABILITY names the file; unset, nothing is written."""

import json
import os
import platform
import time
from pathlib import Path

from tests.faults.invariants import TALLY

HEAD = """\
# What was broken on purpose, and what became of it

Written by the suite in tests/faults (`make test-faults`) on {date} ({machine}); edits are lost.

Every fault is injected for real, by killing, stopping, filling, flipping or mounting, and after each the same is checked: every trial has one end or can be
resumed, the metrics view has each step once and equal bit for bit to an undisturbed run (where the layout of the
attempt did not have to change), nothing is left behind, and nothing that was finished is trained again.

Faults tried: **{tried}**. Survived: **{survived}**. Rows lost: **{lost}**. Rows doubled: **{doubled}**.

"""


def write_if_asked() -> None:
    if wanted := os.environ.get("INTERPLAY_RELIABILITY"):
        Path(wanted).write_text(page())


def page() -> str:
    """The page; figures of the chaos run stand in its own row."""
    rows = sorted((json.loads(path.read_text()) for path in TALLY.glob("*.json")), key=lambda row: row["fault"])
    text = HEAD.format(
        date=time.strftime("%Y-%m-%d"),
        machine=f"{os.cpu_count()} cores, {platform.system()}, Python {platform.python_version()}",
        tried=len(rows),
        survived=sum(row["survived"] for row in rows),
        lost=sum(row["lost"] for row in rows),
        doubled=sum(row["doubled"] for row in rows),
    )
    text += "| fault | survived | rows lost | rows doubled |\n|---|---|---|---|\n"
    for row in rows:
        text += f"| {row['fault']} | {'yes' if row['survived'] else '**no**'} | {row['lost']} | {row['doubled']} |\n"
    return text
