"""The loss over size and depth at one token budget, as a valley whose bottom follows a law.

    loss = g(ln N) + κ·e^{−η·(ln N − m)}·V(ln L − ln L*(N; θ); p, q) + noise

g, a Chebyshev polynomial in N^−0.1, is what size does by itself; κ is the valley's curvature at the mean size e^m, and
η how it changes with size; V is its shape (analysis.valley); θ are the constants of the law. g and κ enter linearly and
are solved for exactly at every step (variable projection); θ, η, p and q by Levenberg–Marquardt with analytic
derivatives. η, p and q carry weak normal priors (PRIOR), so that a small grid, which says little about them,
neither fixes them nor lets them run away. All replicates are fitted at once.
"""

from collections.abc import Callable
from dataclasses import dataclass

import numpy as np

from analysis.arrays import Array, Flags, Indices
from analysis.valley import valley

Curve = Callable[[Array], tuple[Array, Array]]
"""θ (R, K) → ln L* at the N sizes (R, N) and its derivatives by θ (R, N, K)."""

# (mean, standard deviation, smallest, largest) of η, p, q. The published additive laws have η from 0.07 to 0.35, p from
# 0.11 to 0.49 and q from 0.14 to 1.20 (tests/analysis/test_valley.py derives them): all within one standard deviation.
PRIOR = ((0.1, 0.5, -4.0, 4.0), (0.2, 0.5, 0.02, 5.0), (0.5, 0.8, 0.02, 5.0))
SHAPES = len(PRIOR)
# g is a polynomial in N to this power, near the exponents by which losses fall, so that few terms follow a power law.
SIZE_POWER = -0.1


@dataclass(frozen=True, slots=True, kw_only=True)
class Surface:
    """R fits. shapes: η, ln p, ln q. linear: the coefficients of g, then κ. residuals: loss − fit, not weighted.

    objective       Σ (weight·residual)² + Σ ((shape − prior mean)/prior sd)²
    columns         derivatives of the weighted fit by (linear, θ, shapes), (R, N, P)
    """

    theta: Array
    shapes: Array
    linear: Array
    residuals: Array
    objective: Array
    columns: Array
    converged: Flags

    @property
    def curvature(self) -> Array:
        """κ at the mean size, nats per (ln depth)², (R,)."""
        return np.asarray(self.linear[:, -1])


def size_terms(log_params: Array, count: int) -> Array:
    """(N, count): Chebyshev polynomials of N^−0.1 scaled to [−1, 1]."""
    power = np.exp(SIZE_POWER * (log_params - log_params.mean()))
    middle, half = (power.max() + power.min()) / 2, np.ptp(power) / 2
    return np.asarray(np.polynomial.chebyshev.chebvander((power - middle) / half, count - 1))


def fit_surfaces(
    log_params: Array,
    log_depth: Array,
    losses: Array,
    weights: Array,
    curve: Curve,
    start: Array,
    bounds: tuple[Array, Array],
    *,
    terms: int,
    steps: int = 100,
) -> Surface:
    """Least squares for R tables of losses (R, N) of the same networks, from R starting points (R, K + 3).

    weights (N,) are one over each loss's standard deviation. `bounds` are of θ, (K,) each. A replicate has converged
    when a step lowers its objective by less than one part in 1e8.
    """
    system = _System(log_params, log_depth, losses * weights, weights, curve, len(bounds[0]), terms)
    lower = np.concatenate([bounds[0], [low for *_, low, _ in PRIOR]])
    upper = np.concatenate([bounds[1], [high for *_, high in PRIOR]])
    R = len(losses)
    everyone = np.arange(R)
    point = np.clip(np.broadcast_to(start, (R, len(lower))), lower, upper)
    columns, linear, residual, objective = system.at(point, everyone)
    damping, active = np.full(R, 1e-3), everyone
    for _ in range(steps):
        here = point[active]
        step = system.step(columns[active], residual[active], here, damping[active], (here <= lower, here >= upper))
        trial = np.clip(here + step, lower, upper)
        tried = system.at(trial, active)
        gain = objective[active] - tried[3]
        better = gain >= 0
        finished = (better & (gain < 1e-8 * objective[active])) | (~better & (damping[active] > 1e8))
        damping[active] = np.where(better, damping[active] / 5, damping[active] * 5).clip(1e-10, 1e10)
        moved = active[better]
        point[moved] = trial[better]
        columns[moved], linear[moved], residual[moved], objective[moved] = (part[better] for part in tried)
        active = active[~finished]
        if not active.size:
            break
    return Surface(
        theta=point[:, : system.constants],
        shapes=point[:, system.constants :],
        linear=linear,
        residuals=residual / weights,
        objective=objective,
        columns=columns,
        converged=~np.isin(everyone, active),
    )


class _System:
    """The least-squares problem of one set of networks: what the replicates share."""

    def __init__(
        self,
        log_params: Array,
        log_depth: Array,
        target: Array,
        weights: Array,
        curve: Curve,
        constants: int,
        terms: int,
    ) -> None:
        self.centred, self.log_depth = log_params - log_params.mean(), log_depth
        self.target, self.weights, self.curve = target, weights, curve
        self.constants, self.terms = constants, terms
        self.sizes = size_terms(log_params, terms) * weights[:, None]
        self.prior_mean = np.concatenate([np.zeros(constants), [mean for mean, *_ in PRIOR]])
        self.prior_weight = np.concatenate([np.zeros(constants), [1 / sd for _, sd, *_ in PRIOR]])
        self.stiff = np.diag(np.concatenate([np.zeros(terms + 1), self.prior_weight]) ** 2)

    def at(self, point: Array, which: Indices) -> tuple[Array, Array, Array, Array]:
        """Weighted columns of linear part and rest, linear solution, weighted residuals, objective, at (R, K + 3)."""
        K, target = self.constants, self.target[which]
        bottom, by_theta = self.curve(point[:, :K])
        trend = np.exp(-point[:, K : K + 1] * self.centred) * self.weights
        value, slope, by_p, by_q = valley(self.log_depth - bottom, point[:, K + 1 : K + 2], point[:, K + 2 :])
        sizes = np.broadcast_to(self.sizes, (len(point), *self.sizes.shape))
        linear = np.concatenate([sizes, (trend * value)[..., None]], -1)
        gram = np.swapaxes(linear, 1, 2) @ linear
        ridge = 1e-12 * np.einsum("rii->r", gram)[:, None, None] * np.eye(self.terms + 1)
        solution = np.linalg.solve(gram + ridge, np.swapaxes(linear, 1, 2) @ target[..., None])
        residual = target - (linear @ solution)[..., 0]
        by_shape = np.stack([-self.centred * value, by_p, by_q], -1)
        rest = np.concatenate([-slope[..., None] * by_theta, by_shape], -1) * trend[..., None] * solution[:, -1:]
        objective = (residual**2).sum(1) + ((self.prior_weight * (point - self.prior_mean)) ** 2).sum(1)
        return np.concatenate([linear, rest], -1), solution[..., 0], residual, objective

    def step(self, columns: Array, residual: Array, point: Array, damping: Array, edges: tuple[Flags, Flags]) -> Array:
        """The damped Gauss–Newton step in (θ, shapes), (R, K + 3); those at an edge and pulled outwards stay there."""
        turned = np.swapaxes(columns, 1, 2)
        normal = turned @ columns + self.stiff
        pull = (turned @ residual[..., None])[..., 0]
        pull[:, self.terms + 1 :] -= self.prior_weight**2 * (point - self.prior_mean)
        diagonal = np.einsum("rii->ri", normal) + 1e-12
        outwards = (edges[0] & (pull[:, self.terms + 1 :] < 0)) | (edges[1] & (pull[:, self.terms + 1 :] > 0))
        held = np.concatenate([np.zeros((len(point), self.terms + 1)), outwards * 1e12], -1)
        damped = normal + (diagonal * (damping[:, None] + held))[..., None] * np.eye(normal.shape[1])
        return np.asarray(np.linalg.solve(damped, pull[..., None])[:, self.terms + 1 :, 0])
