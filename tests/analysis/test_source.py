import numpy as np
import pytest

from analysis.laws.levine2020 import LAW
from analysis.source import LENDER, source_of_fit, source_of_published
from analysis.transition_fit import fit_transition


@pytest.fixture(scope="module")
def fit(paper_cells):
    return fit_transition(LAW, paper_cells, replicates=100)


def test_a_fit_is_a_source_with_its_own_valley_and_interval(fit):
    source = source_of_fit("fit:paper", fit)
    prices, lender = source.penalty(1e8, float(source.depth(1e8)) * np.array([0.5, 1.0, 2.0]))
    assert lender == "fit:paper"
    assert prices[1] == pytest.approx(0, abs=1e-9)
    assert prices[0] > 5e-3
    assert prices[2] > 5e-3
    low, high = source.depth_interval(1e12)
    assert low < float(source.depth(1e12)) < high


def test_extrapolation_is_how_many_times_beyond_the_data(fit):
    source = source_of_fit("fit:paper", fit)
    low, high = fit.params_range
    assert source.extrapolation(high) is None
    assert source.extrapolation(low * 1.5) is None
    assert source.extrapolation(high * 10) == pytest.approx(10)
    assert source.extrapolation(low / 4) == pytest.approx(4)


def test_a_law_without_a_valley_borrows_one_and_says_whose():
    prices, lender = source_of_published("levine2020").penalty(1e9, np.array([20.0, 80.0]))
    assert lender == LENDER
    assert (prices > 0).all()


def test_a_loss_law_prices_by_itself():
    source = source_of_published("inverse-depth2026")
    best = float(source.depth(1e9))
    price, lender = source.penalty(1e9, 2 * best)
    law = source.law
    widths = [np.sqrt(1e9 / 12 / depth) for depth in (best, 2 * best)]
    losses = [float(law.loss(width=w, depth=d, tokens=1e10)) for w, d in zip(widths, (best, 2 * best), strict=True)]
    assert lender == "inverse-depth2026"
    assert float(price) == pytest.approx(losses[1] - losses[0])


def test_what_comes_from_memory_is_said():
    assert "from memory of the source" in source_of_published("levine2020").notes[0]
    assert "the sizes behind it are not known here" in source_of_published("inverse-depth2026").notes


def test_a_wider_confidence_is_a_wider_interval():
    narrow, wide = (source_of_published("levine2020", confidence=c).depth_interval(1e12) for c in (0.68, 0.99))
    assert wide[0] < narrow[0] < narrow[1] < wide[1]
