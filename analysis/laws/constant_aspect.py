"""d = r·L: the same ratio of width to depth at every size, the rule of thumb that most model families follow.

It is only fitted. With N = k·L·d², ln L* = (ln(N/k) − 2·ln r) / 3.
"""

from dataclasses import dataclass
from typing import ClassVar, final

import numpy as np

from analysis.arrays import Array
from analysis.law import Card
from analysis.transition_law import TransitionLaw

CARD = Card(
    name="constant-aspect",
    formula="ln d = ln r + ln L",
    source="a rule of thumb; Kaplan et al. 2020, arXiv 2001.08361, find the loss nearly flat in the aspect ratio",
    expresses="one aspect ratio for all sizes",
    cannot_express="a best aspect ratio that changes with size, which is what a transition is; tokens, FLOPs or time",
)


@final
@dataclass(frozen=True, slots=True, kw_only=True)
class ConstantAspect(TransitionLaw):
    """log_aspect: ln r, the logarithm of width over depth."""

    log_aspect: float

    card: ClassVar[Card] = CARD
    lower: ClassVar[tuple[float, ...]] = (-20.0,)
    upper: ClassVar[tuple[float, ...]] = (20.0,)

    @staticmethod
    def basis(log_depth: Array) -> Array:
        return np.ones_like(log_depth)[..., None]

    @staticmethod
    def offset(log_depth: Array) -> Array:
        return log_depth

    @staticmethod
    def slope(theta: Array, log_depth: Array) -> Array:
        return np.ones((len(theta), log_depth.shape[-1]))

    @staticmethod
    def solve(theta: Array, log_size: Array) -> Array:
        return np.asarray((log_size - 2 * theta[:, 0:1]) / 3)


LAW = ConstantAspect
