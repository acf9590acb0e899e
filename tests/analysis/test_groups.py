import numpy as np
import pytest

from analysis.cells import cells_of
from analysis.gemstones import gemstones_table
from analysis.groups import groups_of
from analysis.noise import Noise
from analysis.study import measured_noise


@pytest.fixture(scope="module")
def found(gemstones_folder):
    cells = cells_of(gemstones_table(gemstones_folder / "hot_100b.jsonl", "authors"), tokens=100034150400)
    return groups_of(cells, measured_noise(cells))


def nearest(found, size):
    return min(found, key=lambda group: abs(np.log(group.size / size)))


def test_narrow_and_deep_loses_near_81_million(found):
    group = nearest(found, 81e6)
    assert group.labels[0] == "71×256"
    assert group.lead == pytest.approx(3.169 - 3.189, abs=1e-3)
    assert 0.02 < group.probability < 0.2  # one seed a shape: likely, not certain
    assert "loses by 0.020 nats" in group.sentence()


@pytest.mark.parametrize(
    ("size", "labels", "losses"),
    [
        (430e6, ("45×768", "15×1280", "7×1792"), (2.790, 2.808, 2.859)),
        (0.94e9, ("36×1280", "18×1792", "8×2560"), (2.662, 2.674, 2.726)),
        (1.83e9, ("50×1536", "27×2048", "12×3072"), (2.584, 2.592, 2.608)),
    ],
)
def test_deepest_wins_once_wide_enough(found, size, labels, losses):
    group = nearest(found, size)
    assert group.labels == labels
    assert group.losses == pytest.approx(losses, abs=6e-4)
    assert group.lead > 0
    assert 0.5 < group.probability < 0.97  # and one seed a shape leaves room for doubt


def test_near_copies_in_depth_are_not_compared(paper_cells):
    for group in groups_of(paper_cells, Noise(sd=1e-3, df=20, source="seeds")):
        assert group.depths[0] >= 1.5 * min(group.depths)
