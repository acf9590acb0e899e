"""A law of the transition, fitted to the crossings alone: a second opinion on analysis.transition_fit.

Each pair of neighbouring depths puts the law's size at their geometric mean depth, ln N(√(L₁L₂); θ), which is linear
in θ, against what was seen: a crossing, with its normal error, or none inside the overlap of their sizes, which is a
censored observation and enters by the probability of lying beyond its end. This asks less of the valley's shape than
the surface does (only that it is even about its bottom between two neighbouring depths), and uses less of the data.
"""

import numpy as np
from scipy.special import log_ndtr

from analysis.arrays import Array
from analysis.cells import Cells
from analysis.crossings import adjacent, crossings
from analysis.curves import Curve, curves_of, losses_at
from analysis.fit import Fit, interval
from analysis.leads import GRID
from analysis.noise import Noise, resampled
from analysis.status import FitError, Status, worst
from analysis.transition_law import TransitionLaw


def fit_crossings(
    law: type[TransitionLaw],
    cells: Cells,
    noise: Noise,
    *,
    replicates: int = 1000,
    confidence: float = 0.95,
    rng: np.random.Generator | None = None,
) -> Fit:
    """The law of greatest likelihood over crossings and censored pairs; intervals by bootstrap over runs.

    Raises FitError where fewer pairs cross than the law has constants, or where no two depths overlap.
    """
    rng = rng or np.random.default_rng(0)
    curves = {curve.depth: curve for curve in curves_of(cells)}
    pairs = [c for c in adjacent(crossings(cells, noise, confidence=confidence)) if c.log_error]
    tables = np.concatenate([cells.loss[None], resampled(cells, noise, replicates, rng)])
    seen = [_observed(curves[c.shallow], curves[c.deep], tables) for c in pairs]
    places, sides = (np.stack([observed[part] for observed in seen], -1) for part in (0, 1))
    constants = len(law.names())
    found = int((sides[0] == 0).sum())
    if found < constants:
        raise FitError(
            f"{found} of {len(pairs)} neighbouring pairs of depths cross inside the data; {law.card.name} has "
            f"{constants} constants and needs as many crossings"
        )
    depths = np.log(np.array([c.depth for c in pairs]))
    errors = np.array([c.log_error for c in pairs], float)
    design = 2 * law.basis(depths)
    offset = np.log(cells.block_coefficient) + depths + 2 * law.offset(depths)
    bounds = np.array(law.lower), np.array(law.upper)
    thetas, values = _most_likely(places - offset, sides, errors, design, bounds)
    draws = thetas[1:]
    notes = [(Status.FEW_DATA, f"{found} crossings only")] if found < constants + 3 else []
    notes += [(Status.AT_BOUND, "a constant stopped at its bound")] * bool(
        ((thetas[0] <= bounds[0]) | (thetas[0] >= bounds[1])).any()
    )
    reach = noise.quantile(confidence)
    return Fit(
        law=law.of(thetas[0]),
        status=worst([status for status, _ in notes]),
        notes=tuple(note for _, note in notes),
        intervals={
            name: interval(draws[:, k], float(thetas[0, k]), confidence, reach) for k, name in enumerate(law.names())
        },
        draws=draws,
        confidence=confidence,
        reach=reach,
        objective=float(values[0]),
        rows=cells.rows,
        runs=cells.runs,
        params_range=(float(cells.params.min()), float(cells.params.max())),
        block_coefficient=cells.block_coefficient,
        counting=cells.counting,
        residuals=places[0] - offset - design @ thetas[0],
        noise=noise,
    )


def _observed(shallow: Curve, deep: Curve, tables: Array) -> tuple[Array, Array]:
    """ln N of the crossing in each table, (R,), and 0, or the end of the overlap and +1 (beyond) or −1 (before)."""
    x = np.linspace(
        max(shallow.log_params[0], deep.log_params[0]), min(shallow.log_params[-1], deep.log_params[-1]), GRID
    )
    lead = losses_at(deep, tables, x) - losses_at(shallow, tables, x)
    area = np.concatenate([np.zeros((len(lead), 1)), np.cumsum((lead[:, 1:] + lead[:, :-1]) / 2, 1)], 1)
    turn = np.argmax(area, 1)
    rows = np.arange(len(lead))
    inside = (turn > 0) & (turn < GRID - 1)
    here = np.where(inside, turn, 1)
    other = np.where(lead[rows, here] > 0, here + 1, here - 1)
    y0, y1 = lead[rows, here], lead[rows, other]
    share = np.divide(y0, y0 - y1, out=np.zeros_like(y0), where=y0 != y1)
    crossing = x[here] + share * (x[other] - x[here])
    side = np.where(inside, 0.0, np.where(turn == 0, -1.0, 1.0))
    return np.where(inside, crossing, x[turn]), side


def _most_likely(
    places: Array, sides: Array, errors: Array, design: Array, bounds: tuple[Array, Array], steps: int = 60
) -> tuple[Array, Array]:
    """θ (R, K) and −ln likelihood (R,), by damped Newton steps on a convex function.

    z = (places − design·θ)/errors, (R, P). Where a pair crosses, ½z²; where it is censored on side s, −ln Φ(−s·z).
    """

    def at(theta: Array) -> tuple[Array, Array, Array]:
        z = (places - theta @ design.T) / errors
        tail = log_ndtr(-sides * z)
        # φ/Φ, the hazard of a censored pair.
        hazard = np.exp(-(z**2) / 2 - np.log(2 * np.pi) / 2 - tail)
        value = np.where(sides == 0, z**2 / 2, -tail).sum(1)
        slope = np.where(sides == 0, z, sides * hazard)
        bend = np.where(sides == 0, 1.0, hazard * (hazard - sides * z))
        return value, slope, np.maximum(bend, 0)

    crossing = (sides == 0) / errors
    normal = np.einsum("rp,pk,pl->rkl", crossing**2, design, design)
    pull = np.einsum("rp,pk->rk", crossing**2 * places, design)
    eye = np.eye(design.shape[1])
    theta = np.clip(np.linalg.solve(normal + 1e-9 * eye, pull[..., None])[..., 0], *bounds)
    value, slope, bend = at(theta)
    damping = np.full(len(theta), 1e-6)
    for _ in range(steps):
        gradient = (slope / errors) @ design
        hessian = np.einsum("rp,pk,pl->rkl", bend / errors**2, design, design)
        diagonal = np.einsum("rkk->rk", hessian) + 1e-9
        step = np.linalg.solve(hessian + (diagonal * damping[:, None])[..., None] * eye, gradient[..., None])[..., 0]
        trial = np.clip(theta + step, *bounds)
        tried = at(trial)
        better = tried[0] <= value
        theta = np.where(better[:, None], trial, theta)
        value = np.where(better, tried[0], value)
        slope, bend = (np.where(better[:, None], new, old) for new, old in zip(tried[1:], (slope, bend), strict=True))
        damping = np.where(better, damping / 10, damping * 10).clip(1e-9, 1e9)
    return theta, value
