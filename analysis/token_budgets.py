"""How the token budget moves the best depth: the same law fitted at each budget, asked at one size."""

from dataclasses import dataclass

import numpy as np
import pandas as pd

from analysis.cells import budgets, cells_of
from analysis.fit import Interval
from analysis.status import FitError, Status
from analysis.transition_fit import fit_transition
from analysis.transition_law import TransitionLaw


@dataclass(frozen=True, slots=True, kw_only=True)
class AtBudget:
    """Best depth at one token budget and size, with its interval; or the reason why the data refuses it."""

    tokens: float
    networks: int
    depth: float | None = None
    interval: Interval | None = None
    status: Status | None = None
    reason: str | None = None


def best_depth_by_tokens(
    table: pd.DataFrame,
    law: type[TransitionLaw],
    params: float,
    *,
    at: tuple[float, ...] | None = None,
    replicates: int = 300,
    confidence: float = 0.95,
    seed: int = 0,
) -> tuple[AtBudget, ...]:
    """For each token budget of a checked loss table, smallest first, or for those of `at`.

    Budgets of one run are not independent (a long run passes through the short ones), so that neighbouring answers move
    together: a trend over budgets is surer than its intervals look, a difference between two runs is not.
    """
    known = budgets(table)
    found = []
    for tokens in at or tuple(known):
        try:
            cells = cells_of(table, tokens)
            rng = np.random.default_rng(seed)
            fit = fit_transition(law, cells, replicates=replicates, confidence=confidence, rng=rng)
        except FitError as error:
            found.append(AtBudget(tokens=tokens, networks=known.get(tokens, 0), reason=str(error)))
            continue
        found.append(
            AtBudget(
                tokens=cells.tokens,
                networks=len(cells.loss),
                depth=float(fit.law.depth(params, fit.block_coefficient)),
                interval=fit.depth_interval(params),
                status=fit.status,
            )
        )
    return tuple(found)
