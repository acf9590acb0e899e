"""sweep diff: which trials two sweeps share."""

from __future__ import annotations

from typing import Annotated

import typer

from orchestrator.commands.options import AsJson, Results

TAIL = ("tokens", "seed", "learning_rate")


def command(
    first: Annotated[str, typer.Argument(help="a spec's YAML file, or a recorded sweep's name or name@hash")],
    second: Annotated[str, typer.Argument(help="another")],
    results: Results = "results",
    as_json: AsJson = False,
) -> int:
    """Say which trials two sweeps share (they are trained once), which only one has, and what makes them differ."""
    from orchestrator.commands.printing import print_json, print_table
    from orchestrator.comparing import compared, trials_of

    one, other = trials_of(first, results), trials_of(second, results)
    found = compared(one, other)
    if as_json:
        print_json(found)
        return 0
    rows = [
        [one["where"], one["trial_id"], f"{one['depth']} × {one['width']}", *(one[key] for key in TAIL)]
        for one in found["trials"]
    ]
    print_table(["in", "trial", "L × d", "tokens", "seed", "rate"], rows, title=f"A {first}   B {second}")
    shared, only_a, only_b = (found[key] for key in ("shared", "only_a", "only_b"))
    print(f"{shared} trials in both (trained once), {only_a} only in A, {only_b} only in B")
    for key, values in found["differences"].items():
        print(f"{key}: A {values['a']}, B {values['b']} ({values['pairs']} pairs of networks that otherwise match)")
    for note in found["notes"]:
        print(f"note: {note}")
    return 0
