"""ln d = c + p·ln L: the width past which a depth pays off grows as a power of the depth.

The plainest rival of Levine's exponential. It is only fitted: nobody has published constants for it.
"Depth delusion" (arXiv 2601.20994) reports a critical depth ∝ W^0.44, which is p = 1/0.44 = 2.3 in this form.
With N = k·L·d², ln L* = (ln(N/k) − 2c) / (1 + 2p).
"""

from dataclasses import dataclass
from typing import ClassVar, final

import numpy as np

from analysis.arrays import Array
from analysis.law import Card
from analysis.transition_law import TransitionLaw

CARD = Card(
    name="transition-power",
    formula="ln d = c + p·ln L",
    source="this project; compare arXiv 2601.20994, critical depth ∝ W^0.44",
    expresses="one best depth for each size, growing as a power of the size",
    cannot_express="how much loss another depth costs; tokens, FLOPs or time; a transition exponential in the depth",
)


@final
@dataclass(frozen=True, slots=True, kw_only=True)
class TransitionPower(TransitionLaw):
    """c: ln of the width at which one layer is best. p: the power of the depth with which the width grows."""

    c: float
    p: float

    card: ClassVar[Card] = CARD
    lower: ClassVar[tuple[float, ...]] = (-20.0, -0.4)  # at p = −1/2 every depth would be best at the same size
    upper: ClassVar[tuple[float, ...]] = (20.0, 50.0)

    @staticmethod
    def basis(log_depth: Array) -> Array:
        return np.stack([np.ones_like(log_depth), log_depth], -1)

    @staticmethod
    def offset(log_depth: Array) -> Array:
        return np.zeros_like(log_depth)

    @staticmethod
    def slope(theta: Array, log_depth: Array) -> Array:
        return np.broadcast_to(theta[:, 1:2], log_depth.shape)

    @staticmethod
    def solve(theta: Array, log_size: Array) -> Array:
        return np.asarray((log_size - 2 * theta[:, 0:1]) / (1 + 2 * theta[:, 1:2]))


LAW = TransitionPower
