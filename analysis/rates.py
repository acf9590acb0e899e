"""One learning rate for each network: where several were tried, the best, and what choosing among few may have cost.

A learning rate off by two costs as much loss as a wrong depth, so a rate that is not bracketed by worse ones is not
used at all: its network's loss is only an upper bound on what the network can do.
"""

import numpy as np
import pandas as pd

from analysis.arrays import Array
from analysis.losses import flagged

NETWORK = ["depth", "width", "params", "tokens", "seed"]


def with_best_rates(table: pd.DataFrame) -> pd.DataFrame:
    """The loss table with every row flagged whose learning rate is not its network's best, or is at the sweep's edge.

    A network is one shape, token budget and seed. `rate_error` of a best rate between two others is how far the
    parabola in ln(rate) through the three dips below it, in nats; a rate whose next one diverged is bracketed too.
    """
    loss, rates = table["loss"].to_numpy(float), table["learning_rate"].to_numpy(float)
    usable = table["flag"].isna().to_numpy(bool)
    names = table["trial_id"].tolist()
    # Rows at other rates that diverged bracket an optimum although their loss is null.
    tried = table[(usable | (table["status"] == "diverged")) & table["learning_rate"].notna()].reset_index()
    flags, errors = pd.Series(None, index=table.index, dtype="object"), table["rate_error"].to_numpy(float).copy()
    for _, group in tried.groupby(NETWORK, dropna=False, sort=False):
        places = group["index"].to_numpy(int)
        places = places[np.argsort(rates[places], kind="stable")]
        if len(np.unique(rates[places])) < 2 or not usable[places].any():
            continue
        losses = np.where(usable[places], loss[places], np.inf)
        best, count = int(np.argmin(losses)), len(places)
        name, rate = names[places[best]], rates[places[best]]
        for place in np.delete(places, best):
            flags.iloc[place] = f"another of the {count} learning rates tried did better: {rate:g} ({name})"
        if best in (0, count - 1):
            side, more = ("lowest", "lower") if best == 0 else ("highest", "higher")
            flags.iloc[places[best]] = (
                f"the best learning rate, {rate:g}, is the {side} of the {count} tried, so this loss is only an upper "
                f"bound: try {more} ones"
            )
        else:
            beside = slice(best - 1, best + 2)
            errors[places[best]] = dip(np.log(rates[places][beside]), losses[beside])
    table = flagged(table, flags.notna(), flags)
    table["rate_error"] = errors
    return table


def dip(log_rates: Array, losses: Array) -> float:
    """How far below the middle loss the parabola through three points reaches, nats; the middle one is the lowest.

    Where an outer loss is infinite (it diverged) there is no parabola; an eighth of the other side's rise is taken,
    which is the most the dip can be when the two sides are alike in curvature.
    """
    finite = np.isfinite(losses)
    if not finite.all():
        return float((losses[finite] - losses[1]).max() / 8)
    curvature, slope, _ = np.polyfit(log_rates - log_rates[1], losses - losses[1], 2)
    return float(slope**2 / (4 * curvature)) if curvature > 0 else 0.0


def rate_curvature(log_rates: Array, losses: Array) -> float:
    """Half the second derivative of the loss by ln(rate) at its least, nats, from several rates, increasing.

    By the parabola through the lowest point and its neighbours; where the lowest is an edge, through the three at
    that end, and by their mean slope over the outermost step if these bend the wrong way. NaN for fewer than three.
    """
    if len(losses) < 3:
        return float("nan")
    middle = int(np.clip(np.argmin(losses), 1, len(losses) - 2))
    near = slice(middle - 1, middle + 2)
    curvature = float(np.polyfit(log_rates[near] - log_rates[middle], losses[near], 2)[0])
    if curvature > 0:
        return curvature
    edge = (0, 1) if np.argmin(losses) == 0 else (-1, -2)
    step = float(abs(log_rates[edge[0]] - log_rates[edge[1]]))
    return float(losses[edge[1]] - losses[edge[0]]) / step**2
