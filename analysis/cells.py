"""Cells: what a loss table says at one token budget, one loss for each shape, with its repeats."""

from dataclasses import dataclass

import numpy as np
import pandas as pd

from analysis.arrays import Array, Flags
from analysis.losses import flagged, used
from analysis.rates import with_best_rates
from analysis.status import FitError

# Token counts this close, as a ratio, are one budget: the last batch rounds differently for different shapes.
SAME_BUDGET = 1.01
# Sizes this close are one size: widths come in steps, so that no two depths have exactly the same N.
SAME_SIZE = 1.2


@dataclass(frozen=True, slots=True, kw_only=True)
class Cells:
    """N shapes at one token budget, sorted by depth and size; every array is (N,).

    loss          mean over repeats, nats per token
    repeats       seeds behind it
    deviations    of each repeat from the mean, nats; one array a cell
    rate_error    what the loss may be too high by for want of a better learning rate, nats
    loss_se       standard error of the held-out evaluation, nats; NaN where not known
    labels        depth × width, as people write it
    tokens        the budget
    counting      what `params` counts
    rows, runs    of the loss table that entered
    """

    depth: Array
    width: Array
    params: Array
    loss: Array
    repeats: Array
    deviations: tuple[Array, ...]
    rate_error: Array
    loss_se: Array
    labels: tuple[str, ...]
    tokens: float
    counting: str
    rows: int
    runs: int

    @property
    def log_depth(self) -> Array:
        return np.log(self.depth)

    @property
    def log_params(self) -> Array:
        return np.log(self.params)

    @property
    def block_coefficient(self) -> float:
        """k of N = k·L·d²: the middle one, where blocks round differently at different widths."""
        return float(np.median(self.params / (self.depth * self.width**2)))

    def variance(self, noise_sd: float) -> Array:
        """Of each loss: seed noise over its repeats, and the error of its learning rate; nats²."""
        return np.asarray(noise_sd**2 / self.repeats + self.rate_error**2)

    def take(self, chosen: Flags) -> "Cells":
        """Those cells for which `chosen` is true."""
        places = np.arange(len(self.depth))[chosen]
        arrays = {
            name: getattr(self, name)[places]
            for name in ("depth", "width", "params", "loss", "repeats", "rate_error", "loss_se")
        }
        deviations = tuple(self.deviations[i] for i in places)
        rows = int(arrays["repeats"].sum())
        return Cells(
            **arrays,
            deviations=deviations,
            labels=tuple(self.labels[i] for i in places),
            tokens=self.tokens,
            counting=self.counting,
            rows=rows,
            runs=rows,
        )


def budgets(table: pd.DataFrame) -> dict[float, int]:
    """Token budgets of the usable rows, smallest first, each with the number of shapes trained on it."""
    rows = used(table).sort_values("tokens")
    tokens = rows["tokens"].to_numpy(float)
    groups = np.cumsum(np.concatenate([[0.0], tokens[1:] > tokens[:-1] * SAME_BUDGET])[: len(tokens)])
    return {
        float(group["tokens"].median()): len(group[["depth", "width"]].drop_duplicates())
        for _, group in rows.groupby(groups)
    }


def at_budget(table: pd.DataFrame, tokens: float | None = None) -> pd.DataFrame:
    """The loss table with every row flagged that is not at this token budget or not at its best learning rate.

    Without `tokens`, the budget at which most shapes were trained, and of equals the largest. Raises FitError where
    no usable row is at that budget.
    """
    known = budgets(table)
    if not known:
        reasons = table["flag"].dropna().value_counts()
        why = f": {reasons.index[0]} ({reasons.iloc[0]} rows)" if len(reasons) else ""
        raise FitError(f"no row of the loss table can be used{why}")
    if tokens is None:
        tokens = max(known, key=lambda budget: (known[budget], budget))
    off = np.abs(np.log(table["tokens"].to_numpy(float) / tokens)) > np.log(SAME_BUDGET)
    if (~off & table["flag"].isna()).sum() == 0:
        raise FitError(f"no usable row has {tokens:g} tokens; the budgets are {', '.join(f'{b:g}' for b in known)}")
    where = pd.Series(off, index=table.index)
    table = flagged(table, where, f"trained on another budget than {tokens:g} tokens")
    return with_best_rates(table)


def cells_of(table: pd.DataFrame, tokens: float | None = None) -> Cells:
    """One cell for each shape at a token budget (see `at_budget`), means over seeds.

    Raises FitError where nothing about depth can be learnt: no network at a learning rate between two worse ones, one
    depth only, fewer than three sizes, all losses equal.
    """
    flagged_rows = at_budget(table, tokens)
    rows = used(flagged_rows).sort_values(["depth", "params", "width"])
    if rows.empty:
        edge = flagged_rows["flag"].str.startswith("the best learning rate")
        raise FitError(f"no network's learning rate lies between two worse ones: {flagged_rows['flag'][edge].iloc[0]}")
    key = rows[["depth", "params", "width"]].to_numpy(float)
    starts = np.flatnonzero(np.concatenate([[True], (key[1:] != key[:-1]).any(1)]))
    repeats = np.diff([*starts, len(rows)])
    losses = np.split(rows["loss"].to_numpy(float), starts[1:])
    rate_error = np.maximum.reduceat(rows["rate_error"].fillna(0.0).to_numpy(float), starts)
    cells = Cells(
        depth=key[starts, 0],
        width=key[starts, 2],
        params=key[starts, 1],
        loss=np.array([loss.mean() for loss in losses]),
        repeats=repeats.astype(float),
        deviations=tuple(loss - loss.mean() for loss in losses),
        rate_error=rate_error,
        loss_se=np.add.reduceat(rows["loss_se"].to_numpy(float), starts) / repeats,
        labels=tuple(f"{depth:g}×{width:g}" for depth, _, width in key[starts]),
        tokens=float(rows["tokens"].median()),
        counting=str(rows["counting"].iloc[0]),
        rows=len(rows),
        runs=rows["run"].nunique(),
    )
    _refuse(cells)
    return cells


def size_groups(log_params: Array, ratio: float = SAME_SIZE) -> Array:
    """The number of each size's group, (N,), from 0 for the smallest; a group spans at most this ratio of sizes."""
    groups = np.empty(len(log_params))
    first, number = -np.inf, -1
    for place in np.argsort(log_params):
        if log_params[place] - first > np.log(ratio):
            first, number = log_params[place], number + 1
        groups[place] = number
    return groups


def _refuse(cells: Cells) -> None:
    depths = np.unique(cells.depth)
    at = f"at {cells.tokens:g} tokens"
    if len(depths) < 2:
        raise FitError(
            f"one depth only ({depths[0]:g} layers) {at}: a transition is a comparison of depths, so train the same "
            "sizes at another depth as well"
        )
    sizes = int(size_groups(cells.log_params).max()) + 1
    if sizes < 3:
        raise FitError(f"{sizes} sizes only {at}: a loss curve in N needs three at the least, so train further sizes")
    if np.ptp(cells.loss) < 1e-9:
        raise FitError(
            f"all {len(cells.loss)} losses {at} are equal ({cells.loss[0]:.6g}): these are not measurements of "
            "different networks; look at how the loss was taken"
        )
