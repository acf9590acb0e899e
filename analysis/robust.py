"""Huber's loss of ln(loss) − ln(law) for additive laws, and its minimum.

    Σ_i w_i·ρ(ln y_i − ln f_i),   ρ(r) = r²/2 for |r| ≤ δ, δ·(|r| − δ/2) beyond,   f = Σ_v e^{c_v − e_v·z_v} + E

z are the logarithms of the law's variables less their means, so that c_v is the size of a term at the middle of the
data and nearly independent of its exponent. E itself is searched, not its logarithm: at E = 0, where it often ends,
the gradient by ln E vanishes and a search could never leave.
"""

from dataclasses import dataclass
from typing import Any

import numpy as np

from analysis.arrays import Array

HUBER_DELTA = 1e-4  # that of the Gemstones fits; residuals are mostly far larger, so the fit is nearly one of medians


@dataclass(frozen=True, slots=True, kw_only=True)
class Problem:
    """N rows: centred log-variables z (N, V), ln y (N,), weights w (N,), bounds of the point (2V + 1,) each.

    A point is (exponents, c, E).
    """

    centred: Array
    log_losses: Array
    weights: Array
    lower: Array
    upper: Array
    delta: float = HUBER_DELTA

    def at(self, point: Array) -> tuple[float, Array, Array, Array]:
        """Objective, gradient (P,), derivatives of ln f (N, P) and residuals (N,)."""
        count = self.centred.shape[1]
        terms = np.exp(point[count:-1] - self.centred * point[:count])
        total = terms.sum(1) + point[-1]
        residuals = self.log_losses - np.log(total)
        size = np.abs(residuals)
        rho = np.where(size <= self.delta, residuals**2 / 2, self.delta * (size - self.delta / 2))
        slopes = np.concatenate([-self.centred * terms, terms, np.ones((len(total), 1))], 1) / total[:, None]
        gradient = -slopes.T @ (self.weights * np.clip(residuals, -self.delta, self.delta))
        return float(self.weights @ rho), gradient, slopes, residuals


def minimise(problem: Problem, start: Array, *, tolerance: float = 1e-8, steps: int = 400) -> tuple[Array, float]:
    """A local minimum from a starting point (P,): the point and its objective.

    Gauss–Newton on the reweighted squares (Huber's weights min(1, δ/|r|)) with Levenberg–Marquardt damping; ends when
    two steps in a row gain less than `tolerance` of the objective.
    """
    point = np.clip(start, problem.lower, problem.upper)
    value, gradient, slopes, residuals = problem.at(point)
    damping, small = 1e-2, 0
    for _ in range(steps):
        huber = problem.weights * np.minimum(1, problem.delta / np.maximum(np.abs(residuals), problem.delta))
        normal = slopes.T @ (slopes * huber[:, None])
        diagonal = np.diag(normal) + 1e-30
        held = ((point <= problem.lower) & (gradient > 0)) | ((point >= problem.upper) & (gradient < 0))
        for _ in range(12):
            step = np.linalg.solve(normal + np.diag(diagonal * (damping + held * 1e12)), -gradient)
            trial = np.clip(point + step, problem.lower, problem.upper)
            tried = problem.at(trial)
            if tried[0] < value:
                break
            damping = max(damping * 4, 1e-8)
        else:
            break
        small = small + 1 if value - tried[0] < tolerance * value else 0
        point, (value, gradient, slopes, residuals) = trial, tried
        damping = max(damping / 3, 1e-12)
        if small == 2:
            break
    return point, value


def polish(problem: Problem, start: Array) -> tuple[Array, float]:
    """The last digits, by scipy's L-BFGS-B from a point near the minimum; never worse than the start."""
    from scipy.optimize import minimize

    scale = 1 / max(problem.at(start)[0], 1e-300)

    def scaled(point: Array) -> tuple[float, Array]:
        value, gradient, *_ = problem.at(point)
        return value * scale, gradient * scale

    bounds: Any = list(zip(problem.lower, problem.upper, strict=True))
    options: Any = {"maxiter": 2000, "maxfun": 4000, "ftol": 1e-15, "gtol": 1e-9}
    found: Any = minimize(scaled, start, jac=True, method="L-BFGS-B", bounds=bounds, options=options)
    value = problem.at(np.asarray(found.x, float))[0]
    return (np.asarray(found.x, float), value) if value < problem.at(start)[0] else (start, problem.at(start)[0])
