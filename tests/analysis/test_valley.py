import numpy as np
import pytest

from analysis.catalogue import published
from analysis.surface import PRIOR
from analysis.valley import ValleyShape, valley

U = np.linspace(-2.5, 2.5, 41)


@pytest.mark.parametrize(("p", "q"), [(0.02, 0.02), (0.13, 0.142), (0.49, 1.2), (2.0, 0.1)])
def test_derivatives_are_those_of_finite_differences(p, q):
    at, step = (np.array(p), np.array(q)), 1e-6
    _, slope, by_p, by_q = valley(U, *at)
    assert slope == pytest.approx((valley(U + step, *at)[0] - valley(U - step, *at)[0]) / 2e-6, abs=1e-6)
    assert by_p == pytest.approx(
        (valley(U, at[0] + step, at[1])[0] - valley(U, at[0] - step, at[1])[0]) / 2e-6, abs=1e-4
    )
    assert by_q == pytest.approx(
        (valley(U, at[0], at[1] + step)[0] - valley(U, at[0], at[1] - step)[0]) / 2e-6, abs=1e-4
    )


def test_it_is_a_parabola_when_both_exponents_vanish():
    assert valley(U, np.array(1e-3), np.array(1e-3))[0] == pytest.approx(U**2 / 2, rel=1e-2, abs=1e-9)


def test_at_its_bottom_it_is_zero_flat_and_of_curvature_one():
    step = 1e-3
    low, middle, high = (float(valley(np.array(u), np.array(0.3), np.array(0.8))[0]) for u in (-step, 0.0, step))
    assert middle == 0
    assert (low + high) / step**2 == pytest.approx(1, rel=1e-3)


def shape_of(name):
    """κ, η, p and q of a published additive law's valley, by its own constants."""
    law, _ = published(name)
    width, depth = law.variables.index("width"), law.variables.index("depth")
    p, q = law.exponents[width] / 2, law.exponents[depth]
    sizes = np.array([1e8, 1e9])
    best = law.depth(sizes)
    term = np.exp(law.log_coefficients[depth]) * (best * law.units.get("depth", 1.0)) ** -q
    curvature = term * q * (p + q)  # second derivative by ln L of p-term + q-term where their slopes cancel
    return curvature, float(-np.diff(np.log(curvature))[0] / np.log(10)), p, q


@pytest.mark.parametrize(
    "name", ["gemstones-width-depth-tokens", "gemstones-width-depth-params-tokens", "inverse-depth2026"]
)
def test_it_is_exactly_the_valley_of_every_additive_law(name):
    law, _ = published(name)
    curvature, trend, p, q = shape_of(name)
    shape = ValleyShape(curvature=float(curvature[0]), trend=trend, rise=p, fall=q, log_params=float(np.log(1e8)))
    for params in (1e8, 1e10):
        best = float(law.depth(params))
        depths = best * np.exp(U)
        losses = law.loss(width=np.sqrt(params / 12 / depths), depth=depths, params=params, tokens=1e11)
        least = law.loss(width=np.sqrt(params / 12 / best), depth=best, params=params, tokens=1e11)
        assert shape.penalty(params, U) == pytest.approx(losses - least, rel=1e-6, abs=1e-12)


def test_the_prior_holds_the_published_laws_within_one_standard_deviation():
    for name in ("gemstones-width-depth-tokens", "gemstones-width-depth-params-tokens", "inverse-depth2026"):
        _, trend, p, q = shape_of(name)
        for value, (mean, sd, low, high) in zip((trend, p, q), PRIOR, strict=True):
            assert abs(value - mean) <= sd
            assert low < value < high
