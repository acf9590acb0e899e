import dataclasses

import numpy as np
import pytest
from scipy.special import log_ndtr

from analysis import crossing_fit
from analysis.coverage import drawn_cells
from analysis.crossing_fit import fit_crossings
from analysis.laws.levine2020 import LAW
from analysis.noise import Noise, noise_of_seeds
from analysis.status import FitError
from analysis.worlds import PAPER_LAW


def test_the_truth_is_within_a_few_standard_errors():
    errors = []
    for number in range(7):
        cells = drawn_cells(number, valley="even")
        fit = fit_crossings(LAW, cells, noise_of_seeds(cells), replicates=100)
        errors.append((fit.law.theta - PAPER_LAW.theta) / fit.draws.std(0))
    assert np.abs(np.mean(errors, 0)).max() < 1.0
    assert np.abs(errors).max() < 4


def test_censored_pairs_take_part_and_pull_the_right_way():
    # One crossing seen and one pair known only to cross later: without the second the slope would be open.
    design = np.array([[2.0, 12.0], [2.0, 24.0]])
    truth = np.array([5.0, 0.06])
    places = (design @ truth)[None] - np.array([[0.0, 0.1]])
    bounds = (np.array([-20.0, 1e-4]), np.array([20.0, 5.0]))
    errors = np.array([0.1, 0.1])
    seen, censored = (
        crossing_fit._most_likely(places, np.array([[0.0, side]]), errors, design, bounds)[0][0] for side in (0, 1)
    )
    assert design[1] @ seen == pytest.approx(places[0, 1], abs=1e-6)  # taken as a crossing, it is met
    assert design[1] @ censored > places[0, 1] + 0.1  # taken as a bound, the law lies beyond it


def test_the_likelihood_is_least_where_its_gradient_vanishes():
    rng = np.random.default_rng(0)
    design = np.stack([np.full(6, 2.0), np.linspace(12, 80, 6)], -1)
    places = (design @ np.array([5.0, 0.06]) + rng.normal(0, 0.3, 6))[None]
    sides = np.array([[0, 0, 0, 0, 1, -1]], float)
    bounds = (np.array([-20.0, -5.0]), np.array([20.0, 5.0]))
    theta, value = crossing_fit._most_likely(places, sides, np.full(6, 0.3), design, bounds)

    def likelihood(at):
        z = (places - at @ design.T) / 0.3
        return np.where(sides == 0, z**2 / 2, -log_ndtr(-sides * z)).sum()

    assert value[0] == pytest.approx(likelihood(theta))
    for step in np.concatenate([np.eye(2), -np.eye(2)]) * np.array([1e-3, 1e-5]):
        assert likelihood(theta + step) >= value[0]


def test_fewer_crossings_than_constants_are_refused():
    cells = drawn_cells(0)
    flat = cells.loss + 0.2 * np.log(cells.depth)
    with pytest.raises(FitError, match=r"0 of 6 neighbouring pairs of depths cross.*needs as many crossings"):
        fit_crossings(LAW, dataclasses.replace(cells, loss=flat), Noise(sd=1e-3, df=30, source="seeds"))
