import numpy as np
import pytest

from analysis.laws.constant_aspect import LAW, ConstantAspect


def test_width_over_depth_is_the_same_at_every_size():
    law = ConstantAspect(log_aspect=np.log(64.0))
    sizes = np.geomspace(1e5, 1e12, 8)
    depths = law.depth(sizes)
    assert np.sqrt(sizes / (12 * depths)) / depths == pytest.approx(64.0)


def test_the_gradient_is_that_of_finite_differences():
    law = ConstantAspect(log_aspect=4.0)
    up, down = (LAW.of(law.theta + step).depth(1e8) for step in (1e-6, -1e-6))
    assert law.depth_gradient(1e8) == pytest.approx(np.log(up / down) / 2e-6, rel=1e-6)
