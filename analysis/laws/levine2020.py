"""ln d = a + b·L: the width past which a depth pays off grows exponentially with the depth.

Levine, Wies, Sharir, Bata and Shashua, "The Depth-to-Width Interplay in Self-Attention" (arXiv 2006.12467 v3;
NeurIPS 2020), equation 5 and table 1. With N = k·L·d², ln(N/k) = ln L + 2a + 2bL, so that
L*(N) = W0(2b·N/(k·e^{2a})) / (2b), W0 the principal branch of Lambert's function.
"""

from dataclasses import dataclass
from typing import ClassVar, final

import numpy as np

from analysis.arrays import Array
from analysis.law import Card, Mark, Published
from analysis.transition_law import TransitionLaw

CARD = Card(
    name="levine2020",
    formula="ln d = a + b·L",
    source="Levine et al. 2020, arXiv 2006.12467 v3, section 5",
    expresses="one best depth for each size, growing like the logarithm of the width",
    cannot_express="how much loss another depth costs; tokens, FLOPs or time; a best depth that grows as a power of N",
    published=(
        Published(
            label="Levine et al. 2020",
            values={"a": 5.039, "b": 0.0555},
            source="arXiv 2006.12467 v3, section 5.1; the errors and their covariance as reported, from memory",
            mark=Mark.READ,
            covariance=((9.4e-4, -3.74e-5), (-3.74e-5, 1.7e-6)),
            covariance_mark=Mark.MEMORY,
            params_range=(1e6, 6e8),
            params_range_mark=Mark.MEMORY,
        ),
    ),
)


@final
@dataclass(frozen=True, slots=True, kw_only=True)
class Levine2020(TransitionLaw):
    """a: ln of the width at which no layer is best. b: growth of ln d a layer; positive, or depth never pays."""

    a: float
    b: float

    card: ClassVar[Card] = CARD
    lower: ClassVar[tuple[float, ...]] = (-20.0, 1e-4)
    upper: ClassVar[tuple[float, ...]] = (20.0, 5.0)

    @staticmethod
    def basis(log_depth: Array) -> Array:
        return np.stack([np.ones_like(log_depth), np.exp(log_depth)], -1)

    @staticmethod
    def offset(log_depth: Array) -> Array:
        return np.zeros_like(log_depth)

    @staticmethod
    def slope(theta: Array, log_depth: Array) -> Array:
        return np.asarray(theta[:, 1:2] * np.exp(log_depth))

    @staticmethod
    def solve(theta: Array, log_size: Array) -> Array:
        a, b = theta[:, 0:1], theta[:, 1:2]
        return log_lambert(np.log(2 * b) + log_size - 2 * a) - np.log(2 * b)


def log_lambert(x: Array) -> Array:
    """y = ln W0(e^x), which is the root of e^y + y = x, by Newton's method; nothing overflows far out.

    The left side is convex and rises, and the start lies right of the root, so every step goes towards it. Scipy's
    wrightomega says the same; loading it would be a third of what `sweep recommend` takes.
    """
    y = np.where(x > 1, np.log(np.maximum(x, 1)), np.minimum(x, 0.0))
    for _ in range(6):
        grown = np.exp(y)
        y = y - (grown + y - x) / (grown + 1)
    return y


LAW = Levine2020
