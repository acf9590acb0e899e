"""sweep import: tables from outside, as sweeps of the record."""

from __future__ import annotations

import re
from pathlib import Path
from typing import TYPE_CHECKING, Annotated, Any

import typer

from orchestrator.commands.options import AsJson, Results

if TYPE_CHECKING:
    import pandas as pd

app = typer.Typer(
    help="Bring an outside table into the record, as a sweep that status, query, fit, recommend and figures know.",
    no_args_is_help=True,
    rich_markup_mode=None,
)


@app.command()
def gemstones(
    file: Annotated[Path, typer.Argument(help="hot_100b.jsonl of the Gemstones authors, or a file like it")],
    counting: Annotated[
        str, typer.Option(help="N: 'blocks', the blocks' weight matrices; 'authors', all but the token embedding")
    ] = "blocks",
    name: Annotated[str, typer.Option(help="the sweep's name in the record")] = "gemstones",
    results: Results = "results",
    as_json: AsJson = False,
) -> int:
    """The Gemstones table (McLeish et al. 2025): 22 shapes, N counted from the architecture and checked row by row."""
    from analysis.gemstones import COUNTINGS, gemstones_table
    from sweeps.safe_yaml import SpecError

    match counting:
        case "blocks" | "authors":
            table = gemstones_table(existing(file), counting)
        case _:
            raise SpecError(f"--counting is {counting!r}; it is one of {', '.join(COUNTINGS)}")
    return record(table, name, file, results, {"counting": counting}, as_json=as_json)


@app.command()
def table(
    file: Annotated[Path, typer.Argument(help="a .csv, .jsonl, .ndjson or .parquet file, one network a row")],
    mapping: Annotated[
        list[str],
        typer.Option("--map", help="OURS=THEIRS, a column each; OURS==VALUE gives every row the same value"),
    ],
    block_coefficient: Annotated[
        float | None, typer.Option(help="count N as k·L·d² with this k, where no column has it; 12 for a plain block")
    ] = None,
    loss_unit: Annotated[str, typer.Option(help="of their loss: nats, bits or perplexity")] = "nats",
    name: Annotated[str | None, typer.Option(help="the sweep's name; the file's if left out")] = None,
    results: Results = "results",
    as_json: AsJson = False,
) -> int:
    """Any table: depth, width, tokens and loss are needed; params, seed, learning_rate, run and more may be mapped."""
    from analysis.outside import read_table, table_of
    from sweeps.safe_yaml import SpecError

    columns: dict[str, str] = {}
    for entry in mapping:
        ours, equals, theirs = entry.partition("=")
        if not equals or not ours or not theirs:
            raise SpecError(f"--map {entry!r} is not OURS=THEIRS; for one value in every row write OURS==VALUE")
        if ours in columns:
            raise SpecError(f"--map {entry!r}: {ours} is mapped to {columns[ours]!r} already")
        columns[ours] = theirs
    match loss_unit:
        case "nats" | "bits" | "perplexity":
            rows = read_table(existing(file))
            read = table_of(rows, columns, block_coefficient=block_coefficient, loss_unit=loss_unit, name=file.name)
        case _:
            raise SpecError(f"--loss-unit is {loss_unit!r}; it is nats, bits or perplexity")
    facts = {"map": columns, "block_coefficient": block_coefficient, "loss_unit": loss_unit}
    return record(read, name or named_after(file), file, results, facts, as_json=as_json)


def record(read: pd.DataFrame, name: str, file: Path, results: str, facts: dict[str, Any], *, as_json: bool) -> int:
    """Publish a checked loss table and say what is in the record now."""
    import hashlib

    from analysis.losses import used
    from orchestrator.commands.printing import plain, print_json
    from sweeps.imports import KEYS, publish_import
    from sweeps.store import open_store

    whole = read[list(KEYS)].astype("object")
    rows = [plain(row) for row in whole.where(whole.notna(), None).to_dict("records")]
    origin = {"file": file.name, "sha256": hashlib.sha256(file.read_bytes()).hexdigest()}
    counting = str(read["counting"].iloc[0])
    notes = [f"imported from {file.name}; N counts {counting}; its FLOPs are 6·N a token"]
    plan, new = publish_import(open_store(results), name, rows, notes=notes, facts=origin | facts)
    answer = {
        "sweep": name,
        "plan": plan,
        "rows": len(read),
        "new": new,
        "runs": int(read["run"].nunique()),
        "shapes": len(read[["depth", "width"]].drop_duplicates()),
        "flagged": len(read) - len(used(read)),
        "counting": counting,
    }
    if as_json:
        print_json(answer)
        return 0
    print(
        f"{name}: {answer['rows']} rows of {answer['runs']} runs, {answer['shapes']} shapes; "
        f"{new} are new to the record"
        + (f"; {answer['flagged']} flagged and used in no fit" if answer["flagged"] else "")
    )
    print(f"N counts {counting}")
    return 0


def existing(file: Path) -> Path:
    """The file. Raises SpecError where there is none."""
    from sweeps.safe_yaml import SpecError

    if not file.is_file():
        raise SpecError(f"there is no file {file}; give the path of the table to import")
    return file


def named_after(file: Path) -> str:
    """A sweep's name made of a file's."""
    return re.sub(r"[^a-z0-9._-]+", "-", file.stem.lower()).strip("-._") or "imported"
