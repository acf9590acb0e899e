import numpy as np
import pytest
from scipy.special import wrightomega

from analysis.catalogue import published
from analysis.laws.levine2020 import LAW, Levine2020, log_lambert
from analysis.source import source_of_published

# Levine et al. 2020, table 1, as ../shared/paper.md has it: trained shape, projected depth and width.
TABLE_1 = [
    (12 * 12 * 768**2, 23, 555),
    (12 * 24 * 1024**2, 32, 886),
    (12 * 24 * 1536**2, 38, 1220),
    (12 * 24 * 2048**2, 42, 1550),
    (12 * 32 * 2560**2, 47, 2110),
    (12 * 32 * 4096**2, 54, 3150),
    (12 * 40 * 5140**2, 60, 4200),
    (12 * 96 * 12288**2, 80, 13500),
    (1e12, 95, 30100),
]


@pytest.mark.parametrize(("params", "depth", "width"), TABLE_1)
def test_the_published_constants_give_table_1(params, depth, width):
    law, _ = published("levine2020")
    best = float(law.depth(params))
    assert abs(best - depth) <= 1
    # The printed width belongs to the printed depth, which is rounded; the 1T row is rounded more.
    printed = np.sqrt(params / (12 * depth))
    assert printed == pytest.approx(width, rel=0.02 if params == 1e12 else 0.01)


@pytest.mark.parametrize(("params", "depth", "width"), TABLE_1)
def test_the_interval_is_that_of_the_covariance(params, depth, width):
    source = source_of_published("levine2020")
    low, high = source.depth_interval(params)
    best = float(source.depth(params))
    assert low < best < high
    # σ of ln N at fixed L is 2·√(σa² + L²σb² + 2Lσab) (paper.md); at fixed N that is σ of ln L times 1 + 2bL.
    spread = 2 * np.sqrt(9.4e-4 + best**2 * 1.7e-6 - 2 * best * 3.74e-5) / (1 + 2 * 0.0555 * best)
    assert np.log(high / low) == pytest.approx(2 * 1.959964 * spread, rel=1e-6)


def test_best_depths_by_decade():
    law, _ = published("levine2020")
    assert np.round(law.depth(np.array([1e8, 1e9, 1e10, 1e11, 1e12]))).tolist() == [24, 40, 58, 76, 95]


def test_points_on_the_curve():
    law = Levine2020(a=5.039, b=0.0555)
    depths = np.array([6, 12, 18, 24, 30, 36, 48])
    assert np.round(law.width(depths)).tolist() == [215, 300, 419, 585, 816, 1138, 2215]
    assert law.params(depths) == pytest.approx([3.3e6, 1.30e7, 3.8e7, 9.8e7, 2.4e8, 5.6e8, 2.8e9], rel=0.02)


def test_depth_and_params_are_inverse():
    law = Levine2020(a=4.0, b=0.3)
    depths = np.geomspace(0.5, 300, 40)
    assert law.depth(law.params(depths)) == pytest.approx(depths, rel=1e-9)


def test_far_out_it_neither_overflows_nor_jumps():
    theta = np.array([[-20.0, 5.0]])
    inside, outside = (float(LAW.solve(theta, np.array([x]))[0, 0]) for x in (557.6, 557.8))
    assert 0 < outside - inside < 0.01


def test_the_gradient_is_that_of_finite_differences():
    law = Levine2020(a=5.039, b=0.0555)
    sizes = np.geomspace(1e5, 1e13, 9)
    for column, step in enumerate(np.eye(2) * 1e-6):
        up, down = (LAW.of(law.theta + sign * step).depth(sizes) for sign in (1, -1))
        assert law.depth_gradient(sizes)[:, column] == pytest.approx(np.log(up / down) / 2e-6, rel=1e-5)


def test_a_start_through_exact_points_is_the_law():
    law = Levine2020(a=5.0, b=0.05)
    sizes = np.geomspace(1e6, 1e9, 5)
    assert LAW.start(np.log(sizes / 12), np.log(law.depth(sizes))) == pytest.approx(law.theta)


def test_lamberts_function_is_scipys():
    x = np.concatenate([np.linspace(-700, 5, 5001), np.linspace(5, 1e3, 5001), 10.0 ** np.arange(3, 300)])
    assert log_lambert(x) == pytest.approx(np.log(wrightomega(x)), rel=1e-14, abs=1e-14)
