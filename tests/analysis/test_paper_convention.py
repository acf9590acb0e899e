import dataclasses

import numpy as np
import pytest

from analysis.crossings import crossings
from analysis.noise import Noise
from analysis.paper_convention import paper_fit
from analysis.worlds import PAPER_LAW, VALLEYS, World

NOISE = Noise(sd=2e-4, df=np.inf, source="given")


@pytest.fixture(scope="module")
def found(paper_cells):
    exact = World(valley=VALLEYS["even"]).loss(paper_cells.depth, paper_cells.params)
    return crossings(dataclasses.replace(paper_cells, loss=exact), NOISE)


def test_crossings_belong_to_the_shallower_depth(found):
    fit = paper_fit(found)
    # The size at which L gives way to the next depth M is the law's at √(L·M): a wider network than L's own best.
    first = float(PAPER_LAW.params(np.sqrt(6 * 12)))
    assert fit.depths[0] == 6
    assert fit.log_widths[0] == pytest.approx(np.log(np.sqrt(first / (12 * 6))), abs=0.03)
    assert (np.array(fit.log_widths) > np.log(PAPER_LAW.width(np.array(fit.depths)))).all()


def test_the_line_goes_through_the_points(found):
    fit = paper_fit(found)
    left = np.array(fit.log_widths) - fit.a - fit.b * np.array(fit.depths)
    assert np.abs(left).max() < 0.2
    assert fit.a_error > 0
    assert fit.b_error > 0


def test_fewer_than_two_crossings_make_no_line(found):
    assert paper_fit(found[:1]) is None
