import dataclasses
import json

import numpy as np
import pytest

from analysis.catalogue import find
from analysis.coverage import drawn_cells
from analysis.laws.levine2020 import LAW
from analysis.noise import Noise
from analysis.status import FitError, Status
from analysis.transition_fit import fit_transition
from analysis.worlds import PAPER_LAW


@pytest.mark.parametrize("valley", ["even", "gemstones", "inverse-depth"])
@pytest.mark.parametrize("design", ["paper", "tenth"])
def test_the_truth_is_recovered_whatever_the_valley(valley, design):
    errors = []
    for number in range(8):
        fit = fit_transition(LAW, drawn_cells(number, valley=valley, design=design), replicates=60)
        assert fit.status in (Status.CONVERGED, Status.MISFIT, Status.FEW_DATA)
        errors.append((fit.law.theta - PAPER_LAW.theta) / fit.draws.std(0))
    assert np.abs(np.mean(errors, 0)).max() < 1.2
    assert np.abs(errors).max() < 4.5


def test_a_fit_says_where_it_stands(paper_cells):
    fit = fit_transition(LAW, paper_cells, replicates=200)
    assert fit.rows == 81
    assert fit.runs == 81
    assert fit.params_range == (paper_cells.params.min(), paper_cells.params.max())
    assert fit.noise.source == "both"
    assert fit.noise.sd == pytest.approx(1e-3, rel=0.35)
    low, high = fit.intervals["b"]
    assert low < fit.law.b < high
    low, high = fit.depth_interval(1e12)
    assert low < float(fit.law.depth(1e12)) < high
    assert fit.valley.curvature == pytest.approx(0.05, rel=0.3)
    said = fit.as_json()
    assert set(said) >= {"law", "status", "parameters", "intervals", "objective", "rows", "runs"}
    assert said["parameters"].keys() == {"a", "b"}
    assert json.loads(json.dumps(said, allow_nan=False)) == said


def test_the_same_seed_gives_the_same_fit(paper_cells):
    first, second = (fit_transition(LAW, paper_cells, replicates=50) for _ in range(2))
    assert np.array_equal(first.draws, second.draws)
    assert first.as_json() == second.as_json()


def test_one_seed_is_enough_if_networks_are_many():
    fit = fit_transition(LAW, drawn_cells(4, design="paper-one-seed"), replicates=50)
    assert fit.noise.source == "residuals"
    assert fit.noise.sd == pytest.approx(1e-3, rel=0.5)


def test_a_wrong_law_is_called_a_misfit_and_its_interval_widened(paper_cells):
    fit = fit_transition(find("constant-aspect"), paper_cells, replicates=50)
    assert fit.status == Status.MISFIT
    assert "times the noise between seeds" in fit.notes[0]
    assert fit.noise.sd > 1.5e-3


def test_an_outlying_loss_counts_less_and_is_named(paper_cells):
    loss = paper_cells.loss.copy()
    loss[20] += 0.03
    clean = fit_transition(LAW, paper_cells, replicates=50)
    soiled = fit_transition(LAW, dataclasses.replace(paper_cells, loss=loss), replicates=50)
    assert any(paper_cells.labels[20] in note for note in soiled.notes)
    assert np.abs(soiled.law.theta - clean.law.theta) == pytest.approx(0, abs=4 * clean.draws.std(0).max())
    assert abs(soiled.law.b - clean.law.b) < 3 * clean.draws[:, 1].std()


def test_doubtful_learning_rates_widen_the_interval(paper_cells):
    doubtful = dataclasses.replace(paper_cells, rate_error=np.full(len(paper_cells.loss), 3e-3))
    noise = Noise(sd=1e-3, df=np.inf, source="given")
    sure, unsure = (fit_transition(LAW, cells, noise=noise, replicates=300) for cells in (paper_cells, doubtful))
    assert unsure.draws.std(0)[1] > 2 * sure.draws.std(0)[1]


def test_no_two_depths_at_a_size_is_refused(paper_cells):
    log_depth = np.log(10) + 0.4 * (paper_cells.log_params - paper_cells.log_params.mean())
    with pytest.raises(FitError, match="no two depths share a size"):
        fit_transition(LAW, dataclasses.replace(paper_cells, depth=np.exp(log_depth)))


def test_too_few_networks_are_refused(paper_cells):
    with pytest.raises(FitError, match="8 networks are too few for levine2020"):
        fit_transition(LAW, paper_cells.take(np.arange(len(paper_cells.loss)) % 7 == 0))


def test_a_hill_in_place_of_a_valley_is_refused(paper_cells):
    upside_down = -0.1 * (paper_cells.log_depth - 3.0) ** 2 - 0.1 * paper_cells.log_params + 6
    with pytest.raises(FitError, match="the loss has no valley in depth"):
        fit_transition(LAW, dataclasses.replace(paper_cells, loss=upside_down))


def test_a_best_depth_beyond_all_trained_is_called_unidentified(paper_cells):
    # The valley's bottom lies below six layers at every size.
    loss = 1.5 + np.exp(-0.12 * np.log(paper_cells.params / 1e8)) + 0.03 * (paper_cells.log_depth - np.log(1.5)) ** 2
    noisy = loss + 1e-3 * np.random.default_rng(0).standard_normal(len(loss))
    fit = fit_transition(LAW, dataclasses.replace(paper_cells, loss=noisy), replicates=50)
    assert fit.status == Status.NOT_IDENTIFIED
    assert any("below all depths trained" in note for note in fit.notes)
