"""The loss table: the contract between the record of a sweep (or an outside table) and everything concluded from it.

One row is one network at one token budget. Rows are flagged, never dropped: a row with a `flag` is shown with its
reason and enters no fit. `checked` turns any frame with these columns into such a table, or refuses it.

    trial_id       str    names the row's network in messages
    run            str    the unit of resampling: rows that share a run are not independent of one another
    depth          int    L, layers
    width          int    d, model dimension
    params         int    N, the blocks' weight matrices alone (or as `counting` of an imported table says)
    params_total   int?   all parameters
    tokens         float  seen in training when the loss was taken
    loss           float? held-out, nats per token; null where the trial ended without one
    loss_se        float? its standard error over held-out documents
    seed           int?   null where not known
    learning_rate  float? peak rate; null where not known
    status         str    "completed", or how else the trial ended
    flag           str?   why the row is not used; null where it is
    rate_error     float? what the loss may be too high by because its learning rate was chosen from a few, in nats
    counting       str    what `params` counts, shown wherever N is
"""

import numpy as np
import pandas as pd

from analysis.law import BLOCKS_ALONE
from analysis.status import FitError

REQUIRED = ("depth", "width", "params", "tokens", "loss")
INTEGERS = ("depth", "width", "params", "params_total", "seed")
NUMBERS = ("tokens", "loss", "loss_se", "learning_rate", "rate_error")
TEXTS = ("trial_id", "run", "status", "flag", "counting")
COLUMNS = (
    "trial_id",
    "run",
    "depth",
    "width",
    "params",
    "params_total",
    "tokens",
    "loss",
    "loss_se",
    "seed",
    "learning_rate",
    "status",
    "flag",
    "rate_error",
    "counting",
)
# Two rows of one network agree when their losses differ by less than this: they are then one row written twice.
SAME_LOSS_NATS = 1e-9


def checked(rows: pd.DataFrame) -> pd.DataFrame:
    """A loss table with every column of the contract, its types, and a flag on each row that may not be used.

    Columns beyond REQUIRED may be absent: without `trial_id` rows are numbered, without `run` each is its own,
    without `status` all are completed. Further columns are kept. Nothing in `rows` is changed.

    Raises FitError, naming the first offending row, where a column is missing or not a number, a depth, width, size
    or token count is not positive, a completed trial's loss is missing, not finite or not positive, or two rows of
    one network, seed and learning rate disagree.
    """
    missing = [name for name in REQUIRED if name not in rows.columns]
    if missing:
        raise FitError(f"the loss table has no column {', '.join(missing)}; it needs {', '.join(REQUIRED)}")
    if rows.empty:
        raise FitError("the loss table has no rows: nothing has finished yet")
    table = rows.reset_index(drop=True).copy()
    _fill_absent(table)
    _convert(table)
    _refuse_impossible(table)
    ended = (table["status"] != "completed") & table["flag"].isna()
    table.loc[ended, "flag"] = "the trial ended as " + table.loc[ended, "status"].astype(str)
    _flag_duplicates(table)
    return table[[*COLUMNS, *(name for name in table.columns if name not in COLUMNS)]]


def used(table: pd.DataFrame) -> pd.DataFrame:
    """The rows without a flag."""
    return table[table["flag"].isna()]


def flagged(table: pd.DataFrame, where: pd.Series, reason: str | pd.Series) -> pd.DataFrame:
    """The table with `reason` on the rows `where` that have no flag yet."""
    table = table.copy()
    chosen = where & table["flag"].isna()
    table.loc[chosen, "flag"] = reason if isinstance(reason, str) else reason[chosen]
    return table


def _fill_absent(table: pd.DataFrame) -> None:
    for name in (*INTEGERS, *NUMBERS):
        if name not in table.columns:
            table[name] = np.nan
    if "trial_id" not in table.columns:
        table["trial_id"] = [f"row {number}" for number in range(1, len(table) + 1)]
    if "run" not in table.columns:
        table["run"] = table["trial_id"]
    if "status" not in table.columns:
        table["status"] = "completed"
    if "flag" not in table.columns:
        table["flag"] = None
    if "counting" not in table.columns:
        table["counting"] = BLOCKS_ALONE


def _convert(table: pd.DataFrame) -> None:
    for name in (*INTEGERS, *NUMBERS):
        try:
            numbers = pd.to_numeric(table[name])
        except (ValueError, TypeError):
            for position, value in enumerate(table[name]):
                if value is not None and pd.isna(pd.to_numeric(pd.Series([value]), errors="coerce")).all():
                    raise FitError(f"{_place(table, position)}: {name} is {value!r}; it must be a number") from None
            raise
        if name in INTEGERS:
            whole = numbers.astype("float64")
            broken = np.flatnonzero(whole.notna() & (whole != whole.round()))
            if broken.size:
                value = whole.iloc[broken[0]]
                raise FitError(f"{_place(table, int(broken[0]))}: {name} is {value}; it must be a whole number")
            table[name] = whole.astype("Int64")
        else:
            table[name] = numbers.astype("float64")
    for name in TEXTS:
        table[name] = table[name].astype("object").where(table[name].notna(), None)


def _refuse_impossible(table: pd.DataFrame) -> None:
    completed = (table["status"] == "completed") & table["flag"].isna()
    positive = "it must be a positive number"
    checks = [(name, table[name].isna() | (table[name] <= 0).fillna(False), positive) for name in REQUIRED[:4]]
    loss = table["loss"]
    checks += [
        (
            "loss",
            completed & loss.isna(),
            "a completed trial has one: mend the row, or give it the status it ended with",
        ),
        ("loss", loss.notna() & ~(loss > 0), "a loss in nats per token is above zero"),
        ("loss", loss == np.inf, "a diverged trial has no loss: give the row the status 'diverged'"),
    ]
    for name, broken, allowed in checks:
        places = np.flatnonzero(broken.to_numpy(bool))
        if places.size:
            value = table[name].iloc[places[0]]
            shown = "missing (NaN)" if pd.isna(value) else f"{value:g}"
            more = f", and {places.size - 1} more rows" if places.size > 1 else ""
            raise FitError(f"{_place(table, int(places[0]))}: {name} is {shown}{more}; {allowed}")


def _flag_duplicates(table: pd.DataFrame) -> None:
    identity = ["depth", "width", "params", "tokens", "seed", "learning_rate"]
    usable = table[table["flag"].isna()]
    repeated = usable[usable.duplicated(identity, keep=False)]
    for _, group in repeated.groupby(identity, dropna=False, sort=False):
        first = group.iloc[0]
        apart = group[(group["loss"] - first["loss"]).abs() > SAME_LOSS_NATS]
        if not apart.empty:
            other = apart.iloc[0]
            seed = "without a seed" if pd.isna(first["seed"]) else f"with seed {first['seed']}"
            raise FitError(
                f"two rows of {first['depth']}×{first['width']} at {first['tokens']:g} tokens {seed} disagree: "
                f"{first['trial_id']} has loss {first['loss']:.6g}, {other['trial_id']} {other['loss']:.6g}; "
                "give repeats their own seeds, or keep the row that is right"
            )
        table.loc[group.index[1:], "flag"] = f"the same network and loss as {first['trial_id']}"


def _place(table: pd.DataFrame, position: int) -> str:
    row = table.iloc[position]
    return f"row {position + 1} ({row['trial_id']}, {row['depth']}×{row['width']})"
