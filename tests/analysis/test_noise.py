import numpy as np
import pytest
from scipy import stats

from analysis.cells import cells_of
from analysis.coverage import drawn_cells
from analysis.losses import checked
from analysis.noise import Noise, noise_of_seeds, pooled, resampled, stretched_deviations
from analysis.worlds import VALLEYS, World, grid


def test_the_noise_of_seeds_is_recovered_and_its_df_counted():
    measured = [noise_of_seeds(drawn_cells(number)) for number in range(25)]
    assert all(noise.source == "seeds" and noise.df == 28 for noise in measured)
    # Σ df·s²/σ² is χ² with Σ df degrees of freedom.
    total = sum(noise.df for noise in measured)
    statistic = sum(noise.df * noise.sd**2 for noise in measured) / 1e-6
    assert 0.001 < stats.chi2.cdf(statistic, total) < 0.999


def test_without_repeats_there_is_no_noise_of_seeds():
    assert noise_of_seeds(drawn_cells(1, design="paper-one-seed")) is None


def test_pooling_weighs_by_degrees_of_freedom():
    both = pooled(Noise(sd=1.0, df=3, source="seeds"), Noise(sd=2.0, df=1, source="residuals"))
    assert both.sd == pytest.approx(np.sqrt((3 * 1 + 1 * 4) / 4))
    assert both.df == 4
    assert both.source == "both"


def test_quantiles_are_students():
    assert Noise(sd=1.0, df=7, source="seeds").quantile(0.95) == pytest.approx(stats.t.ppf(0.975, 7))
    assert Noise(sd=1.0, df=np.inf, source="given").quantile(0.95) == pytest.approx(stats.norm.ppf(0.975))


@pytest.mark.parametrize("design", ["paper", "paper-one-seed"])
def test_resampled_losses_keep_every_cell_and_have_the_variance_of_its_mean(design):
    cells = drawn_cells(2, design=design)
    noise = Noise(sd=2e-3, df=20, source="both")
    drawn = resampled(cells, noise, 6000, np.random.default_rng(0))
    assert drawn.shape == (6000, len(cells.loss))
    assert drawn.mean(0) == pytest.approx(cells.loss, abs=2e-4)
    assert drawn.std(0) == pytest.approx(2e-3 / np.sqrt(cells.repeats), rel=0.06)


def test_the_error_of_the_learning_rate_is_drawn_too():
    import dataclasses

    cells = drawn_cells(2, design="paper-one-seed")
    doubtful = dataclasses.replace(cells, rate_error=np.full(len(cells.loss), 5e-3))
    drawn = resampled(doubtful, Noise(sd=1e-3, df=20, source="both"), 6000, np.random.default_rng(0))
    assert drawn.std(0) == pytest.approx(np.hypot(1e-3, 5e-3), rel=0.06)


def test_the_same_generator_gives_the_same_tables():
    cells, noise = drawn_cells(2), Noise(sd=1e-3, df=20, source="both")
    first, second = (resampled(cells, noise, 5, np.random.default_rng(9)) for _ in range(2))
    assert np.array_equal(first, second)


@pytest.mark.parametrize("seeds", [2, 3, 20])
def test_deviations_are_as_large_as_the_noise_however_many_seeds_a_mean_was_of(seeds):
    shapes = grid((6, 12), 1e6, 6e8, 60)
    rows = World(valley=VALLEYS["even"]).table(shapes, [seeds] * len(shapes), np.random.default_rng(1))
    deviations = stretched_deviations(cells_of(checked(rows)))
    assert len(deviations) == seeds * len(shapes)
    assert np.sqrt((deviations**2).mean()) == pytest.approx(1e-3, rel=0.15)
