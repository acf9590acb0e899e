from typing import ClassVar

import numpy as np
import pytest

from analysis.additive import AdditiveLaw, log_loss
from analysis.catalogue import published
from analysis.law import Card, LawError
from analysis.laws.gemstones_width_depth_tokens import GemstonesWidthDepthTokens

NAMES = ["gemstones-width-depth-tokens", "gemstones-width-depth-params-tokens", "inverse-depth2026"]


class InOtherUnits(AdditiveLaw):
    """Widths in heads of 64, depths in pairs of layers."""

    __slots__ = ()

    card: ClassVar[Card] = published("gemstones-width-depth-tokens")[0].card
    variables: ClassVar[tuple[str, ...]] = ("width", "depth")
    units: ClassVar[dict[str, float]] = {"width": 1 / 64, "depth": 0.5}


def test_units_of_width_and_depth_are_those_of_the_best_depth_too():
    law = InOtherUnits(exponents=(0.4, 0.5), log_coefficients=(0.2, 0.1), log_irreducible=0.5)
    best = float(law.depth(1e9))
    depths = best * np.linspace(0.98, 1.02, 401)
    losses = law.loss(width=np.sqrt(1e9 / (12 * depths)), depth=depths)
    assert depths[np.argmin(losses)] == pytest.approx(best, rel=2e-4)


@pytest.mark.parametrize("name", NAMES)
@pytest.mark.parametrize("block_coefficient", [12.0, 15.0])
def test_the_best_depth_is_where_the_loss_at_fixed_size_is_least(name, block_coefficient):
    law, _ = published(name)
    for params in (1e7, 1e9, 1e12):
        best = float(law.depth(params, block_coefficient))
        depths = best * np.linspace(0.98, 1.02, 401)
        widths = np.sqrt(params / (block_coefficient * depths))
        losses = law.loss(width=widths, depth=depths, params=params, tokens=1e11)
        assert depths[np.argmin(losses)] == pytest.approx(best, rel=2e-4)


@pytest.mark.parametrize("name", NAMES)
def test_the_gradient_of_the_best_depth_is_that_of_finite_differences(name):
    law, _ = published(name)
    theta = law.theta
    for column in range(len(theta)):
        step = np.zeros_like(theta)
        step[column] = 1e-6
        up, down = (type(law).of(theta + sign * step).depth(1e10) for sign in (1, -1))
        assert law.depth_gradient(1e10)[column] == pytest.approx(float(np.log(up / down)) / 2e-6, rel=1e-4, abs=1e-6)


def test_a_law_is_its_constants_by_name_and_back():
    law, _ = published("gemstones-width-depth-tokens")
    assert GemstonesWidthDepthTokens.of_values(law.values) == law
    assert GemstonesWidthDepthTokens.of(law.theta) == law


def test_the_wrong_number_of_constants_is_a_programming_error():
    with pytest.raises(ValueError, match="has 7 constants, not 3"):
        GemstonesWidthDepthTokens.of(np.zeros(3))


def test_huge_terms_do_not_overflow():
    features = np.array([[0.0, 0.0]])
    assert log_loss(np.array([0.1, 0.1, 800.0, 1.0, 0.0]), features) == pytest.approx([800.0])


def test_an_exponent_of_nothing_has_no_best_depth():
    law = GemstonesWidthDepthTokens(exponents=(0.0, 0.1, 0.5), log_coefficients=(0.0, 0.0, 0.0), log_irreducible=0.0)
    with pytest.raises(LawError, match="not positive: no best depth"):
        law.depth(1e9)
