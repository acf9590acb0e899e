"""Outside tables: any CSV, JSONL or Parquet file to a loss table, by a mapping of its columns."""

import difflib
import json
from pathlib import Path
from typing import Literal

import numpy as np
import pandas as pd

from analysis.arrays import Array
from analysis.losses import COLUMNS, INTEGERS, NUMBERS, REQUIRED, checked
from analysis.status import FitError

LossUnit = Literal["nats", "bits", "perplexity"]
READERS = {".csv": "CSV", ".jsonl": "JSONL", ".ndjson": "JSONL", ".parquet": "Parquet"}


def read_table(path: Path) -> pd.DataFrame:
    """The rows of a CSV, JSONL or Parquet file as they are, by its suffix.

    Raises FitError where the suffix is another, or where a line of a JSONL file is not an object, naming the line.
    """
    kind = READERS.get(path.suffix.lower())
    if kind == "CSV":
        return pd.read_csv(path)
    if kind == "Parquet":
        return pd.read_parquet(path)
    if kind == "JSONL":
        return pd.DataFrame(_json_lines(path))
    raise FitError(f"{path.name} ends in {path.suffix or 'nothing'}; a table to import ends in {', '.join(READERS)}")


def table_of(
    rows: pd.DataFrame,
    mapping: dict[str, str],
    *,
    block_coefficient: float | None = None,
    loss_unit: LossUnit = "nats",
    name: str = "the table",
) -> pd.DataFrame:
    """A loss table from a frame with other column names.

    mapping             our column → theirs, or "=value" for one value in every row ("tokens": "=1e10"). depth, width,
                        tokens and loss must be there; seed, learning_rate, run, status and the rest of COLUMNS may be
    block_coefficient   N = k·L·d² where `params` is not mapped; 12 for the paper's block
    loss_unit           of their loss

    Raises FitError, naming the row (1 is the first) and their column, where a value is not a number or is not
    allowed, and naming the columns there are where one is missing.
    """
    unknown = sorted(set(mapping) - set(COLUMNS))
    if unknown:
        raise FitError(f"{unknown[0]} is no column of a loss table; map to {', '.join(COLUMNS)}")
    needed = [column for column in REQUIRED if column not in mapping and column != "params"]
    if needed:
        raise FitError(f"{' and '.join(needed)} must be mapped: --map {needed[0]}=THEIR_COLUMN, or {needed[0]}==VALUE")
    columns = {ours: _column(rows, ours, theirs, name) for ours, theirs in mapping.items()}
    table = pd.DataFrame(columns, index=rows.index).reset_index(drop=True)
    table["loss"] = _in_nats(table["loss"].to_numpy(float), loss_unit)
    if "params" not in table:
        if block_coefficient is None:
            raise FitError("params is not mapped: give the column with N, or block_coefficient to count N = k·L·d²")
        table["params"] = (block_coefficient * table["depth"] * table["width"] ** 2).round().astype("Int64")
        table["counting"] = f"{block_coefficient:g}·L·d²"
    else:
        table["counting"] = f"{mapping['params']} of {name}"
    return checked(table)


def _column(rows: pd.DataFrame, ours: str, theirs: str, name: str) -> pd.Series:
    if theirs.startswith("="):
        values = pd.Series(theirs[1:], index=rows.index)
    elif theirs in rows.columns:
        values = rows[theirs]
    else:
        close = difflib.get_close_matches(theirs, list(map(str, rows.columns)), 1)
        hint = f"; did you mean {close[0]!r}?" if close else "."
        raise FitError(f"{name} has no column {theirs!r}{hint} Its columns are {', '.join(map(str, rows.columns))}")
    if ours not in (*INTEGERS, *NUMBERS):
        return values
    numbers = pd.to_numeric(values, errors="coerce").astype("float64")
    least = 0.0 if ours in ("seed", "loss_se", "rate_error") else np.nextafter(0, 1)
    checks = [
        (values.notna() & numbers.isna(), "a number"),
        (numbers.isna() & (ours in REQUIRED) & (ours != "loss"), "there in every row"),
        ((numbers < least).fillna(False), "positive" if least else "zero or more"),
        (numbers.isin([np.inf, -np.inf]), "finite"),
    ]
    if ours in INTEGERS:
        checks.append((numbers.notna() & (numbers != numbers.round()), "a whole number"))
    for broken, allowed in checks:
        places = np.flatnonzero(np.asarray(broken, bool))
        if places.size:
            more = f", and {places.size - 1} more rows" if places.size > 1 else ""
            value = values.iloc[int(places[0])]
            shown = value.item() if isinstance(value, np.generic) else value
            raise FitError(
                f"row {places[0] + 1} of {name}, column {theirs!r}: {shown!r}{more}; as {ours} it must be {allowed}"
            )
    return numbers.astype("Int64") if ours in INTEGERS else numbers


def _in_nats(loss: Array, unit: LossUnit) -> Array:
    match unit:
        case "nats":
            return loss
        case "bits":
            return np.asarray(loss * np.log(2))
        case "perplexity":
            return np.asarray(np.log(loss))


def _json_lines(path: Path) -> list[dict[str, object]]:
    rows = []
    for number, line in enumerate(path.read_text(encoding="utf-8").splitlines(), 1):
        if not line.strip():
            continue
        try:
            row = json.loads(line)
        except json.JSONDecodeError as error:
            raise FitError(f"line {number} of {path.name} is not JSON ({error.msg}): {line[:60]!r}") from None
        if not isinstance(row, dict):
            raise FitError(f"line {number} of {path.name} is {type(row).__name__}; every line must be a JSON object")
        rows.append(row)
    return rows
