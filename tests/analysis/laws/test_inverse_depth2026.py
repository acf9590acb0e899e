import numpy as np
import pytest

from analysis.catalogue import published


def test_best_depths_by_decade():
    # ../shared/paper.md prints 14 / 28 / 54 / 106 / 206 from constants with more digits.
    law, _ = published("inverse-depth2026")
    assert law.depth(np.array([1e8, 1e9, 1e10, 1e11, 1e12])) == pytest.approx([14, 28, 54, 106, 206], rel=0.03, abs=0.6)


def test_its_units_are_hundredths_of_layers_and_millions_of_tokens():
    law, _ = published("inverse-depth2026")
    expected = 333.38 / 1024**0.9769 + 1284.37 / 2400**1.2014 + 8.487 / 20_000**0.2991 + 1.7503
    assert float(law.loss(width=1024, depth=24, tokens=2e10)) == pytest.approx(expected)
