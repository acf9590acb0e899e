"""Which law foretells larger networks best: each fitted to the smaller sizes, judged on the largest."""

from dataclasses import dataclass

import numpy as np
import pandas as pd

from analysis.additive import AdditiveLaw
from analysis.arrays import Array
from analysis.catalogue import find, law_names
from analysis.cells import at_budget, cells_of, size_groups
from analysis.fit import Fit
from analysis.law import LawError
from analysis.loss_fit import fit_losses, law_columns
from analysis.losses import flagged, used
from analysis.noise import Noise
from analysis.status import FitError
from analysis.transition_fit import fit_transition

# Of the size groups, how many of the largest are held out.
HELD_OUT = 1 / 3
NO_SHAPE = "no effect of shape"


@dataclass(frozen=True, slots=True, kw_only=True)
class Ranked:
    """A law's error on held-out larger sizes, nats per token; lower is better.

    shape_error   root mean square of what depth does at a size: prediction less measurement, once a straight line in
                  ln N is taken out of both, which says nothing about shape. None where the law could not be fitted
    loss_error    of the loss itself, for laws that predict it
    networks      held out
    reason        why there is no error
    """

    law: str
    shape_error: float | None
    loss_error: float | None
    networks: int
    reason: str | None = None


def rank_laws(
    table: pd.DataFrame,
    *,
    tokens: float | None = None,
    laws: tuple[str, ...] | None = None,
    noise: Noise | None = None,
) -> tuple[Ranked, ...]:
    """Every law, best first, those that cannot be judged last; and "no effect of shape", what a law must beat.

    Raises FitError where the held-out sizes hold one depth only, or fewer than four networks.
    """
    cells = cells_of(table, tokens)
    groups = size_groups(cells.log_params)
    count = int(groups.max()) + 1
    held = groups >= count - max(1, round(count * HELD_OUT))
    limit = float(cells.params[~held].max())
    small = cells.take(~held)
    larger = (table["params"] > limit * (1 + 1e-9)).fillna(False)
    rows = used(at_budget(table, tokens))
    rows = rows[larger[rows.index]]
    if len(rows) < 4 or rows["depth"].nunique() < 2:
        raise FitError(
            f"the largest sizes, above N = {limit:.3g}, hold {len(rows)} networks of {rows['depth'].nunique()} depths: "
            "too few to judge laws by; train two depths at two of the largest sizes"
        )
    straight = np.stack([np.ones(len(rows)), np.log(rows["params"].to_numpy(float))], -1)

    def entry(name: str, shape: Array, loss_error: float | None = None) -> Ranked:
        left = rows["loss"].to_numpy(float) - shape
        left = left - straight @ np.linalg.lstsq(straight, left, rcond=None)[0]
        error = float(np.sqrt((left**2).sum() / (len(left) - 2)))
        return Ranked(law=name, shape_error=error, loss_error=loss_error, networks=len(rows))

    entries = [entry(NO_SHAPE, np.zeros(len(rows)))]
    training = flagged(table, larger, "held out: a larger size")
    for name in law_names() if laws is None else laws:
        law = find(name)
        try:
            if issubclass(law, AdditiveLaw):
                fitted = law.of(fit_losses(law, training, replicates=0).theta)
                predicted = fitted.loss(**law_columns(rows))
                error = float(np.sqrt(np.mean((predicted - rows["loss"].to_numpy(float)) ** 2)))
                entries.append(entry(name, predicted, error))
            else:
                entries.append(entry(name, _valley_part(fit_transition(law, small, noise=noise, replicates=0), rows)))
        except (FitError, LawError) as error:
            entries.append(Ranked(law=name, shape_error=None, loss_error=None, networks=len(rows), reason=str(error)))
    return tuple(sorted(entries, key=lambda ranked: np.inf if ranked.shape_error is None else ranked.shape_error))


def _valley_part(fit: Fit, rows: pd.DataFrame) -> Array:
    """What the fit says depth costs each network, nats."""
    assert fit.valley is not None
    params = rows["params"].to_numpy(float)
    ratio = np.log(rows["depth"].to_numpy(float) / fit.law.depth(params, fit.block_coefficient))
    return fit.valley.penalty(params, ratio)
