import numpy as np
import pytest

from analysis.coverage import PAPER
from analysis.losses import checked
from analysis.ranking import NO_SHAPE, rank_laws
from analysis.status import FitError
from analysis.worlds import VALLEYS, World


@pytest.fixture(scope="module")
def ranked():
    quiet = World(valley=VALLEYS["gemstones"], noise_sd=1e-4)
    return rank_laws(checked(quiet.table(PAPER, [1] * len(PAPER), np.random.default_rng(0))))


def test_the_true_law_foretells_the_larger_sizes_best(ranked):
    assert ranked[0].law == "levine2020"
    errors = [entry.shape_error for entry in ranked if entry.shape_error is not None]
    assert errors == sorted(errors)
    assert ranked[0].shape_error < 0.3 * errors[-1]


def test_no_effect_of_shape_is_among_the_rivals_and_last_of_them(ranked):
    judged = [entry.law for entry in ranked if entry.shape_error is not None]
    assert judged[-1] == NO_SHAPE


def test_a_law_that_cannot_be_fitted_says_why(ranked):
    reasons = {entry.law: entry.reason for entry in ranked if entry.shape_error is None}
    assert "every usable row has the same tokens" in reasons["chinchilla"]


def test_too_few_large_networks_are_refused(paper_rows):
    top = paper_rows["params"] > 2e7
    with pytest.raises(FitError, match="too few to judge laws by"):
        rank_laws(checked(paper_rows[~top | (paper_rows["depth"] == 12)]))


def test_gemstones_laws_are_ranked_with_their_loss_errors(gemstones):
    entries = rank_laws(gemstones, tokens=100034150400, laws=("gemstones-width-depth-params-tokens", "chinchilla"))
    assert entries[0].law == "gemstones-width-depth-params-tokens"
    assert all(entry.loss_error is not None for entry in entries if entry.law != NO_SHAPE)
    assert entries[0].networks == 7


def test_held_out_networks_take_no_part_in_the_fit(gemstones):
    late = gemstones["params"] > 4.3e8
    raised = gemstones.assign(loss=gemstones["loss"] + 0.5 * late)
    laws = ("gemstones-width-depth-params-tokens",)
    (entry,) = [e for e in rank_laws(raised, tokens=100034150400, laws=laws) if e.law in laws]
    assert entry.loss_error == pytest.approx(0.5, abs=0.03)
