"""The valley view: at a size, the depth of least loss by a local fit in ln L. For grids and for scattered shapes alike.

Near a size, loss = c₀ + c₁·x + c₂·l + c₃·l² (+ c₄·x·l where there are enough networks), x = ln N less that of the size,
l = ln L, by weighted least squares over the networks whose size and depth are close. The bottom is at −c₂/(2c₃), its
interval Fieller's: the depths at which the slope c₂ + 2c₃·l is not told from zero.
"""

from dataclasses import dataclass

import numpy as np

from analysis.arrays import Array
from analysis.cells import Cells, size_groups
from analysis.noise import Noise

# Half-widths of the window in ln N, the first that holds enough networks being used.
WINDOWS = (0.2, 0.35, 0.7, 1.0, 1.4)
# Networks deeper or shallower than the best one by more than this in ln L (a factor of 3.7) are not local.
NEAR_DEPTH = 1.3
ENOUGH = 6


@dataclass(frozen=True, slots=True, kw_only=True)
class Bottom:
    """The best depth near one size.

    depth       of least loss; None where the losses are not convex in ln L, or least outside the depths trained
    interval    of it; None on a side the data leaves open
    curvature   c₃·2, nats per (ln L)², and its standard error
    networks    that entered, and the window's half-width in ln N
    note        why there is no depth
    """

    params: float
    depth: float | None
    interval: tuple[float | None, float | None]
    curvature: float
    curvature_error: float
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
            break
    else:
        return None
    x, log_depth = cells.log_params[chosen] - np.log(size), cells.log_depth[chosen]
    middle = log_depth.mean()
    l = log_depth - middle  # noqa: E741  # the docstring's formula
    columns = [np.ones_like(l), l, l**2]
    if np.ptp(x) > 0.02:
        columns.append(x)
    if np.ptp(x) > 0.02 and chosen.sum() > ENOUGH + 2:
        columns.append(x * l)
    design = np.stack(columns, -1)
    variance = cells.variance(noise.sd)[chosen]
    kernel = (1 - (np.abs(x) / (window * 1.01)) ** 3) ** 3 / variance
    inverse = np.linalg.pinv(design.T @ (design * kernel[:, None]))
    gain = inverse @ (design * kernel[:, None]).T
    c, covariance = gain @ cells.loss[chosen], (gain * variance) @ gain.T
    reach = noise.quantile(confidence)
    grid = np.linspace(l.min(), l.max(), 801)
    slope = c[1] + 2 * c[2] * grid
    error = np.sqrt(covariance[1, 1] + 4 * grid * covariance[1, 2] + 4 * grid**2 * covariance[2, 2])
    falling, rising = grid[slope < -reach * error], grid[slope > reach * error]
    depth, note = None, None
    if c[2] <= 0:
        note = "the losses are not convex in ln L here: no depth between the others is best"
    elif not l.min() <= -c[1] / (2 * c[2]) <= l.max():
        note = "least beyond the depths trained near this size"
    else:
        depth = float(np.exp(middle - c[1] / (2 * c[2])))
    return Bottom(
        params=size,
        depth=depth,
        interval=(
            float(np.exp(middle + falling.max())) if falling.size else None,
            float(np.exp(middle + rising.min())) if rising.size else None,
        ),
        curvature=float(2 * c[2]),
        curvature_error=float(2 * np.sqrt(covariance[2, 2])),
        networks=int(chosen.sum()),
        window=window,
        note=note,
    )


def _near(cells: Cells, size: float, window: float) -> Array:
    """Which networks are within the window and, of these, near in depth to the one of least loss for its size."""
    near = np.abs(cells.log_params - np.log(size)) <= window
    if near.sum() < 3:
        return np.asarray(near)
    x = cells.log_params[near] - np.log(size)
    trend = np.polyfit(x, cells.loss[near], 1) if np.ptp(x) > 0.02 else (0.0, 0.0)
    best = np.argmin(cells.loss[near] - np.polyval(trend, x))
    return np.asarray(near & (np.abs(cells.log_depth - cells.log_depth[near][best]) <= NEAR_DEPTH))
