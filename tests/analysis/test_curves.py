import dataclasses

import numpy as np
import pytest

from analysis.curves import curves_of, loadings, losses_at
from analysis.status import FitError


def test_there_is_a_curve_for_each_depth_with_three_sizes(paper_cells):
    assert [curve.depth for curve in curves_of(paper_cells)] == [6, 12, 18, 24, 30, 36, 48]
    some = paper_cells.take((paper_cells.depth != 48) | (paper_cells.params > 1e8))
    assert [curve.depth for curve in curves_of(some)] == [6, 12, 18, 24, 30, 36]


def test_a_curve_goes_through_its_points_falls_between_them_and_never_beyond(paper_cells):
    curve = curves_of(paper_cells)[1]
    table = paper_cells.loss[None]
    assert losses_at(curve, table, curve.log_params)[0] == pytest.approx(paper_cells.loss[curve.places])
    inside = np.linspace(curve.log_params[0], curve.log_params[-1], 500)
    assert (np.diff(losses_at(curve, table, inside)[0]) <= 0).all()
    outside = np.array([curve.log_params[0] - 0.01, curve.log_params[-1] + 0.01])
    assert np.isnan(losses_at(curve, table, outside)).all()


def test_interpolation_errs_by_less_than_the_noise(paper_cells):
    from analysis.worlds import VALLEYS, World

    exact = World(valley=VALLEYS["gemstones"]).loss(paper_cells.depth, paper_cells.params)
    for curve in curves_of(paper_cells)[:-1]:
        x = np.linspace(curve.log_params[0], curve.log_params[-1], 200)
        truth = World(valley=VALLEYS["gemstones"]).loss(np.full(200, curve.depth), np.exp(x))
        assert np.abs(losses_at(curve, exact[None], x)[0] - truth).max() < 1e-3


def test_loadings_are_shares_of_the_two_points_beside(paper_cells):
    curve = curves_of(paper_cells)[0]
    middle = curve.log_params[:2].mean()
    weights = loadings(curve, np.array([middle]), len(paper_cells.loss))[0]
    assert weights[curve.places[:2]] == pytest.approx([0.5, 0.5])
    assert weights.sum() == pytest.approx(1)


def test_twins_of_one_depth_and_size_are_refused(paper_cells):
    params = paper_cells.params.copy()
    params[1] = params[0]
    with pytest.raises(FitError, match=r"have one depth and one size.*different families"):
        curves_of(dataclasses.replace(paper_cells, params=params))
