import numpy as np
import pytest

from analysis.catalogue import published
from analysis.theory import Side, side_by_law, side_by_theory, sides, slope_ratio, threshold_depth, threshold_width


def test_the_threshold_is_the_logarithm_to_base_three():
    assert threshold_depth(3.0**7) == pytest.approx(7)
    assert threshold_width(threshold_depth(1000.0)) == pytest.approx(1000)


def test_sides_of_the_threshold():
    assert side_by_theory(6, 3**6 + 1) == Side.SHALLOW
    assert side_by_theory(6, 3**6 - 1) == Side.DEEP


def test_every_network_of_the_paper_but_the_shallowest_is_past_the_theorys_threshold():
    # Six layers need a width of 729: the constant of the theory is no guideline.
    for depth, width in ((12, 768), (24, 2048), (96, 12288)):
        assert side_by_theory(depth, width) == Side.DEEP


def test_the_measured_slope_is_about_twenty_times_smaller():
    law, _ = published("levine2020")
    assert slope_ratio(law.values["b"]) == pytest.approx(19.8, abs=0.1)


def test_sides_by_law():
    law, _ = published("levine2020")
    assert side_by_law(law, 96, 12288) == Side.DEEP
    assert side_by_law(law, 32, 4096) == Side.SHALLOW
    assert isinstance(threshold_depth(np.array([10.0, 100.0])), np.ndarray)


def test_a_network_lies_on_a_side_of_the_theory_and_of_every_law_with_a_depth():
    laws = [published(name)[0] for name in ("levine2020", "chinchilla", "inverse-depth2026")]
    assert sides(96, 12288, laws) == {"theory": "deep", "levine2020": "deep", "inverse-depth2026": "shallow"}
