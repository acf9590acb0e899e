"""The shape of a loss valley in depth, at fixed size.

    V(u; p, q) = [q·e^{pu} + p·e^{−qu} − (p + q)] / [p·q·(p + q)],   u = ln(L / L*)

V(0) = V'(0) = 0, V''(0) = 1, V'''(0) = p − q, and V → u²/2 as p, q → 0. It is exact for every additive law in
width and depth: at fixed N = k·L·d² the width term grows like L^p with p half the width's exponent, the depth
term falls like L^−q with q the depth's exponent, and their sum is least at L*. As a description of other data it
has a curvature (the factor before V), a skew (p − q) and a flattening (p·q), and it is convex whatever they are.
"""

from dataclasses import dataclass

import numpy as np

from analysis.arrays import Array

# Beyond this the exponentials only serve a search that has gone astray; they must not overflow there.
STEEPEST = 50.0


def valley(u: Array, p: Array, q: Array) -> tuple[Array, Array, Array, Array]:
    """V and its derivatives by u, p and q; the three arguments broadcast, p and q are positive.

    With E = e^{pu} − 1 and F = e^{−qu} − 1: V = (qE + pF)/D, D = pq(p + q), V' = (E − F)/(p + q).
    Accurate to 1e-8 for p, q ≥ 0.01 and |u| ≥ 1e-3, and to 1e-8 in absolute terms below that.
    """
    rise = np.expm1(np.minimum(p * u, STEEPEST))
    fall = np.expm1(np.minimum(-q * u, STEEPEST))
    product, total = p * q, p + q
    value = (q * rise + p * fall) / (product * total)
    slope = (rise - fall) / total
    by_p = (q * u * (rise + 1) + fall) / (product * total) - value * (2 * p + q) / (p * total)
    by_q = (rise - p * u * (fall + 1)) / (product * total) - value * (2 * q + p) / (q * total)
    return value, slope, by_p, by_q


@dataclass(frozen=True, slots=True, kw_only=True)
class ValleyShape:
    """How the loss rises to both sides of the best depth: κ·e^{−η·(ln N − m)}·V(u; p, q).

    curvature κ (nats per (ln L)², at ln N = m), trend η, rise p, fall q, log_params m.
    """

    curvature: float
    trend: float
    rise: float
    fall: float
    log_params: float

    def penalty(self, params: float | Array, log_ratio: float | Array) -> Array:
        """Loss above the valley's bottom, nats, at N = params and u = ln(L/L*)."""
        scale = self.curvature * np.exp(-self.trend * (np.log(params) - self.log_params))
        shape = valley(np.asarray(log_ratio, float), np.asarray(self.rise), np.asarray(self.fall))[0]
        return np.asarray(scale * shape)
