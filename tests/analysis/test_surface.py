import numpy as np
import pytest

from analysis.laws.levine2020 import LAW, Levine2020
from analysis.surface import PRIOR, fit_surfaces, size_terms
from analysis.worlds import PAPER_DEPTHS, VALLEYS, World, grid

SHAPES = grid(PAPER_DEPTHS, 1e6, 6e8, 10)
DEPTH, WIDTH = (np.array(part, float) for part in zip(*SHAPES, strict=True))
PARAMS = 12 * DEPTH * WIDTH**2
START = np.array([4.5, 0.08, *[mean for mean, *_ in PRIOR]])


def fitted(losses, start=START, noise=1e-3):
    return fit_surfaces(
        np.log(PARAMS),
        np.log(DEPTH),
        losses,
        np.full(len(PARAMS), 1 / noise),
        lambda theta: LAW.curve(theta, np.log(PARAMS / 12)),
        start,
        (np.array(LAW.lower), np.array(LAW.upper)),
        terms=6,
    )


@pytest.mark.parametrize("valley", VALLEYS)
def test_without_noise_the_law_is_recovered(valley):
    truth = World(valley=VALLEYS[valley])
    surface = fitted(truth.loss(DEPTH, PARAMS)[None], noise=1e-5)
    assert surface.converged.all()
    assert surface.theta[0] == pytest.approx([5.039, 0.0555], rel=2e-3)
    assert np.abs(surface.residuals).max() < 2e-4


def test_replicates_are_fitted_as_if_alone():
    rng = np.random.default_rng(5)
    losses = World(valley=VALLEYS["gemstones"]).loss(DEPTH, PARAMS) + 1e-3 * rng.standard_normal((7, len(PARAMS)))
    together = fitted(losses)
    alone = [fitted(row[None]) for row in losses]
    assert together.theta == pytest.approx(np.concatenate([one.theta for one in alone]), rel=1e-6)


def test_the_columns_are_the_derivatives_of_the_fit():
    rng = np.random.default_rng(1)
    surface = fitted(
        (World(valley=VALLEYS["gemstones"]).loss(DEPTH, PARAMS) + 1e-3 * rng.standard_normal(len(PARAMS)))[None]
    )
    gradient = surface.columns[0].T @ (surface.residuals[0] / 1e-3)
    prior = [(value - mean) / sd**2 for value, (mean, sd, *_) in zip(surface.shapes[0], PRIOR, strict=True)]
    size = np.abs(surface.columns[0].T) @ np.abs(surface.residuals[0] / 1e-3)
    # At the optimum the pull of the data and that of the priors cancel, except at an edge.
    inside = [not np.isclose(value, low) for value, (_, _, low, _) in zip(surface.shapes[0], PRIOR, strict=True)]
    pull = gradient - np.concatenate([np.zeros(9), prior])
    assert np.abs(pull / size)[np.array([True] * 9 + inside)].max() < 1e-2


def test_size_terms_follow_a_power_law():
    # Six terms over a factor of 1e5 in N, exponents as losses have them: to 1e-4 nats.
    x = np.linspace(np.log(1e5), np.log(1e10), 200)
    for exponent in (0.05, 0.12, 0.3, 0.5):
        loss = 2.0 * np.exp(-exponent * (x - x[0]))
        terms = size_terms(x, 6)
        assert np.abs(loss - terms @ np.linalg.lstsq(terms, loss, rcond=None)[0]).max() < 1e-4


def test_constants_stay_within_their_bounds():
    flat = World(valley=None).loss(DEPTH, PARAMS)[None] + 1e-3 * np.random.default_rng(0).standard_normal(
        (20, len(PARAMS))
    )
    surface = fitted(flat)
    assert (surface.theta >= LAW.lower).all()
    assert (surface.theta <= LAW.upper).all()
    assert Levine2020.of(surface.theta[0]).b > 0
