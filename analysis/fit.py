"""The result of a fit: a law, how sure it is, and whether to believe it."""

from dataclasses import dataclass

import numpy as np
from scipy.special import ndtri

from analysis.arrays import Array
from analysis.catalogue import AnyLaw
from analysis.law import BLOCKS_ALONE
from analysis.noise import Noise
from analysis.status import Status
from analysis.transition_law import TransitionLaw
from analysis.valley import ValleyShape

Interval = tuple[float, float]


@dataclass(frozen=True, slots=True, kw_only=True)
class Fit:
    """A law fitted to data.

    intervals     by constant, at `confidence`; None where the data leaves the constant open
    draws         constants of the resampled tables, (R, K)
    reach         standard errors that an interval of this confidence spans to each side (Student's t)
    objective     what was minimised, at the optimum
    rows, runs    that entered; runs are what was resampled
    params_range  smallest and largest N trained; the fit extrapolates outside
    residuals     loss − surface of each cell, nats; or ln loss − ln law of each row; or ln N − ln law of each crossing
    valley        the price of another depth, where the fit measured it
    counting      what N counts
    """

    law: AnyLaw
    status: Status
    notes: tuple[str, ...]
    intervals: dict[str, Interval | None]
    draws: Array
    confidence: float
    reach: float
    objective: float
    rows: int
    runs: int
    params_range: Interval
    block_coefficient: float
    residuals: Array
    noise: Noise | None = None
    valley: ValleyShape | None = None
    counting: str = BLOCKS_ALONE

    @property
    def theta(self) -> Array:
        """The constants, (K,), in the order of the draws."""
        return self.law.theta

    def depth_interval(self, params: float) -> Interval | None:
        """Of L* at N = params; None where nothing was resampled."""
        law = type(self.law)
        if issubclass(law, TransitionLaw):
            log_depths = law.solve(self.draws, np.log(np.array([params / self.block_coefficient])))[:, 0]
        else:
            log_depths = np.array([np.log(law.of(theta).depth(params, self.block_coefficient)) for theta in self.draws])
        estimate = float(np.log(self.law.depth(params, self.block_coefficient)))
        between = interval(log_depths, estimate, self.confidence, self.reach)
        return (float(np.exp(between[0])), float(np.exp(between[1]))) if between else None

    def as_json(self) -> dict[str, object]:
        """What `sweep fit --json` prints."""
        return {
            "law": self.law.card.name,
            "status": str(self.status),
            "notes": list(self.notes),
            "parameters": self.law.values,
            "intervals": {name: list(pair) if pair else None for name, pair in self.intervals.items()},
            "confidence": self.confidence,
            "objective": self.objective,
            "rows": self.rows,
            "runs": self.runs,
            "counting": self.counting,
        }


def interval(draws: Array, estimate: float, confidence: float, reach: float) -> Interval | None:
    """Percentiles of `draws` (R,), stretched about the estimate from a normal quantile to Student's, `reach`.

    The draws are made with the noise as measured; the stretch is for not knowing that noise exactly. Without draws
    there is no interval.
    """
    if not len(draws):
        return None
    tail = (1 - confidence) / 2
    low, high = np.quantile(draws, [tail, 1 - tail])
    stretch = reach / float(ndtri(1 - tail))
    return float(estimate + (low - estimate) * stretch), float(estimate + (high - estimate) * stretch)
