import numpy as np
import pytest

from analysis.coverage import drawn_cells
from analysis.noise import noise_of_seeds
from analysis.valleys import bottoms
from analysis.worlds import PAPER_LAW, VALLEYS


@pytest.mark.parametrize("valley", VALLEYS)
def test_the_best_depth_near_each_size_is_found_whatever_the_valley(valley):
    held, errors = [], []
    for number in range(4):
        cells = drawn_cells(number, valley=valley)
        for bottom in bottoms(cells, noise_of_seeds(cells), sizes=np.geomspace(5e6, 4e8, 8)):
            truth = float(PAPER_LAW.depth(bottom.params))
            low, high = bottom.interval
            held.append((low is None or low <= truth) and (high is None or truth <= high))
            if bottom.depth and low and high:
                errors.append(np.log(bottom.depth / truth))
    assert np.mean(held) > 0.85
    assert np.abs(np.mean(errors)) < 0.05


def test_beyond_the_depths_trained_there_is_a_bound_and_a_reason(paper_cells):
    small = bottoms(paper_cells, noise_of_seeds(paper_cells), sizes=np.array([1.2e6]))[0]
    assert small.depth is None
    assert small.interval[0] is None
    assert "edge of the depths trained" in small.note


def test_scattered_shapes_have_a_valley_too(gemstones):
    from analysis.cells import cells_of
    from analysis.study import measured_noise

    cells = cells_of(gemstones, tokens=100034150400)
    found = bottoms(cells, measured_noise(cells), sizes=np.array([4.4e8]))
    assert found[0].depth == pytest.approx(30, rel=0.3)
