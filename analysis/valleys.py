"""The valley view: near each size, the depth of least loss by a local fit in ln L; for grids and scattered shapes.

Over the networks whose size is near (and whose depth is not far from the best one's), the loss is fitted by the valley
of analysis.surface with a straight bottom, ln L* = c₀ + c₁·(ln N − ln of the size): no law is assumed. A parabola in
ln L would be plainer, but the skew of a real valley moves its bottom by more than the noise does (docs/log.md).
"""

from dataclasses import dataclass

import numpy as np

from analysis.arrays import Array, Flags
from analysis.cells import Cells, size_groups
from analysis.noise import Noise
from analysis.surface import PRIOR, fit_surfaces

# Half-widths of the window in ln N; the first that holds enough networks is used.
WINDOWS = (0.3, 0.5, 0.8, 1.1, 1.4)
# Networks deeper or shallower than the best one by more than this in ln L (a factor of 3.3) are not local.
NEAR_DEPTH = 1.2
ENOUGH = 8
TERMS = 3  # coefficients of the size's own part: a parabola is enough within a window
# ln L* may rise by −1 to 3 per unit of ln N; every published law lies between 0 and 0.7.
STEEPEST = (-1.0, 3.0)


@dataclass(frozen=True, slots=True, kw_only=True)
class Bottom:
    """The best depth near one size.

    depth       of least loss; None where it lies beyond the depths trained near this size
    interval    of it; None on a side the depths trained do not reach
    curvature   of the valley there, nats per (ln L)²
    networks    that entered; window: half its width in ln N
    note        why there is no depth
    """

    params: float
    depth: float | None
    interval: tuple[float | None, float | None]
    curvature: float
    networks: int
    window: float
    note: str | None = None


def bottoms(cells: Cells, noise: Noise, *, sizes: Array | None = None, confidence: float = 0.95) -> tuple[Bottom, ...]:
    """The valley's bottom near each of `sizes` (N; by default the middle of every size group) with enough networks."""
    if sizes is None:
        groups = size_groups(cells.log_params)
        sizes = np.array([np.exp(cells.log_params[groups == g].mean()) for g in np.unique(groups)])
    found = (_bottom(cells, noise, float(size), confidence) for size in sizes)
    return tuple(bottom for bottom in found if bottom)


def _bottom(cells: Cells, noise: Noise, size: float, confidence: float) -> Bottom | None:
    for window in WINDOWS:
        chosen = _near(cells, size, window)
        if chosen.sum() >= ENOUGH and len(np.unique(cells.depth[chosen])) >= 3:
            return _fitted(cells.take(chosen), noise, size, confidence, window)
    return None


def _fitted(cells: Cells, noise: Noise, size: float, confidence: float, window: float) -> Bottom | None:
    x, depths = cells.log_params - np.log(size), cells.log_depth
    kernel = np.sqrt((1 - (np.abs(x) / (window * 1.05)) ** 3) ** 3)
    slanted = np.stack([np.ones_like(x), x], -1)

    def straight(theta: Array) -> tuple[Array, Array]:
        return theta @ slanted.T, np.broadcast_to(slanted, (len(theta), *slanted.shape))

    shapes = [mean for mean, *_ in PRIOR]
    starts = np.array([[start, 0.4, *shapes] for start in np.linspace(depths.min(), depths.max(), 5)])
    reach = 1.5  # beyond the depths trained, in ln L, the bottom may be anywhere
    fits = fit_surfaces(
        cells.log_params,
        depths,
        np.broadcast_to(cells.loss, (len(starts), len(x))),
        kernel / np.sqrt(cells.variance(noise.sd)),
        straight,
        starts,
        (np.array([depths.min() - reach, STEEPEST[0]]), np.array([depths.max() + reach, STEEPEST[1]])),
        terms=TERMS,
    )
    objective = np.where(fits.linear[:, -1] > 0, fits.objective, np.inf)
    best = int(np.argmin(objective))
    if np.isinf(objective[best]):
        return None
    columns = fits.columns[best]
    stiff = np.zeros(columns.shape[1])
    stiff[-len(PRIOR) :] = [1 / sd**2 for _, sd, *_ in PRIOR]
    bread = np.linalg.pinv(columns.T @ columns + np.diag(stiff))
    meat = (columns * kernel[:, None]).T @ (columns * kernel[:, None]) + np.diag(stiff)
    place = TERMS + 1
    error = noise.quantile(confidence) * float(np.sqrt((bread @ meat @ bread)[place, place]))
    at = float(fits.theta[best, 0])
    low, high = at - error, at + error
    inside = depths.min() < at < depths.max()
    return Bottom(
        params=size,
        depth=float(np.exp(at)) if inside else None,
        interval=(
            float(np.exp(low)) if depths.min() <= low <= depths.max() else None,
            float(np.exp(high)) if depths.min() <= high <= depths.max() else None,
        ),
        curvature=float(fits.curvature[best]),
        networks=len(x),
        window=window,
        note=None if inside else "least at or beyond the edge of the depths trained near this size",
    )


def _near(cells: Cells, size: float, window: float) -> Flags:
    """Which networks are within the window and, of these, near in depth to the one of least loss for its size."""
    near = np.abs(cells.log_params - np.log(size)) <= window
    if near.sum() < 3:
        return np.asarray(near, bool)
    x = cells.log_params[near] - np.log(size)
    trend = np.polyfit(x, cells.loss[near], 1) if np.ptp(x) > 0.02 else (0.0, 0.0)
    best = np.argmin(cells.loss[near] - np.polyval(trend, x))
    return np.asarray(near & (np.abs(cells.log_depth - cells.log_depth[near][best]) <= NEAR_DEPTH))
