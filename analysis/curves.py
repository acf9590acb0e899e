"""Loss against size for each depth: through the measured points, in ln N, never outside them."""

from dataclasses import dataclass

import numpy as np
from numpy.polynomial import Polynomial

from analysis.arrays import Array, Indices
from analysis.cells import Cells, size_groups
from analysis.status import FitError

FEWEST_SIZES = 3


@dataclass(frozen=True, slots=True, kw_only=True)
class Curve:
    """One depth's points: log_params (M,), increasing, and which cells they are (M,)."""

    depth: float
    log_params: Array
    places: Indices


def curves_of(cells: Cells) -> tuple[Curve, ...]:
    """One curve for each depth with three sizes or more, by depth: two say nothing of how a curve bends between them.

    Raises FitError where one depth has two networks of one size: they differ in something that is not in the table.
    """
    curves = []
    for depth in np.unique(cells.depth):
        places = np.flatnonzero(cells.depth == depth)
        places = places[np.argsort(cells.log_params[places])]
        log_params = cells.log_params[places]
        twins = np.flatnonzero(np.diff(log_params) < 1e-12)
        if twins.size:
            first, second = (cells.labels[places[twins[0] + step]] for step in (0, 1))
            raise FitError(
                f"{first} and {second} have one depth and one size, {cells.params[places[twins[0]]]:g}: they are of "
                "different families or counted differently; analyse one at a time"
            )
        if len(places) >= FEWEST_SIZES:
            curves.append(Curve(depth=float(depth), log_params=log_params, places=places))
    return tuple(curves)


def losses_at(curve: Curve, losses: Array, log_params: Array) -> Array:
    """Loss at sizes (G,) for tables of losses (R, N): (R, G), NaN outside the curve's points.

    Fritsch–Carlson's monotone cubic (scipy's PCHIP): it neither overshoots nor turns where the points do not.
    """
    from scipy.interpolate import PchipInterpolator

    through = PchipInterpolator(curve.log_params, losses[:, curve.places], axis=1, extrapolate=False)
    return np.asarray(through(log_params))


def loadings(curve: Curve, log_params: Array, cells: int) -> Array:
    """How much each of N cells weighs in the curve at sizes (G,), to first order: linear interpolation; (G, N).

    For the variance only: at the points it is exact, between them the cubic's differs by less than a tenth.
    """
    weights = np.zeros((len(log_params), cells))
    for column, place in enumerate(curve.places):
        hat = np.zeros(len(curve.places))
        hat[column] = 1.0
        weights[:, place] = np.interp(log_params, curve.log_params, hat)
    return weights


def common_trend(cells: Cells) -> Polynomial:
    """What size does to all depths alike: loss over ln N less its mean, a polynomial with fewer terms than sizes.

    To be taken out for the eye only, where the difference between depths is small beside the effect of size.
    """
    sizes = int(size_groups(cells.log_params).max()) + 1
    degree = max(1, min(4, sizes - 2))
    return Polynomial.fit(cells.log_params - cells.log_params.mean(), cells.loss, degree)
