from itertools import pairwise

import numpy as np
import pytest

from analysis.losses import checked
from analysis.worlds import PAPER_DEPTHS, PAPER_LAW, VALLEYS, World, grid, some_repeats


def test_the_loss_at_a_size_is_least_at_the_laws_depth():
    world = World(valley=VALLEYS["gemstones"])
    for params in (1e7, 1e9):
        depths = np.linspace(2, 100, 4901)
        best = depths[np.argmin(world.loss(depths, np.full_like(depths, params)))]
        assert best == pytest.approx(float(PAPER_LAW.depth(params)), abs=0.03)


def test_without_a_valley_depth_does_nothing():
    assert np.ptp(World(valley=None).loss(np.array([2.0, 20.0]), np.array([1e8, 1e8]))) == 0


def test_a_table_has_the_noise_and_seeds_asked_for():
    shapes = grid(PAPER_DEPTHS, 1e6, 6e8, 10)
    world = World(valley=VALLEYS["even"])
    rows = world.table(shapes, [50] * len(shapes), np.random.default_rng(0))
    assert len(rows) == 50 * len(shapes)
    assert rows.groupby(["depth", "width"])["loss"].std().mean() == pytest.approx(1e-3, rel=0.03)
    assert checked(rows)["flag"].isna().all()


def test_the_grid_overlaps_and_stays_in_range():
    shapes = grid(PAPER_DEPTHS, 1e6, 6e8, 10)
    sizes = {depth: [12 * d * w**2 for d, w in shapes if d == depth] for depth in PAPER_DEPTHS}
    assert all(len(own) >= 3 for own in sizes.values())
    for shallow, deep in pairwise(PAPER_DEPTHS):
        assert max(sizes[shallow]) > min(sizes[deep])
    assert min(map(min, sizes.values())) > 0.9e6
    assert max(map(max, sizes.values())) < 6.6e8
    assert sum(some_repeats(shapes)) == 81
