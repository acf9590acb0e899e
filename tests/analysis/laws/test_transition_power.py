import numpy as np
import pytest

from analysis.catalogue import published
from analysis.law import LawError
from analysis.laws.transition_power import LAW, TransitionPower


def test_best_depth_is_a_power_of_the_size():
    law = TransitionPower(c=4.0, p=0.75)
    depths = law.depth(np.array([1e6, 1e8, 1e10]))
    assert np.diff(np.log(depths)) == pytest.approx(np.log(100) / (1 + 2 * 0.75))
    assert law.depth(law.params(17.0)) == pytest.approx(17.0)


def test_the_gradient_is_that_of_finite_differences():
    law = TransitionPower(c=4.0, p=0.75)
    sizes = np.geomspace(1e5, 1e13, 9)
    for column, step in enumerate(np.eye(2) * 1e-6):
        up, down = (LAW.of(law.theta + sign * step).depth(sizes) for sign in (1, -1))
        assert law.depth_gradient(sizes)[:, column] == pytest.approx(np.log(up / down) / 2e-6, rel=1e-5)


def test_nobody_published_constants_for_it():
    with pytest.raises(LawError, match="fit it to a sweep"):
        published("transition-power")
