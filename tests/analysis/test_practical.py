import numpy as np
import pytest

from analysis.practical import Hardware, practical_shape
from analysis.source import source_of_published

LEVINE = source_of_published("levine2020")


@pytest.mark.parametrize("params", [1e6, 3e7, 1e9, 7e10, 1e12])
@pytest.mark.parametrize("hardware", [Hardware(), Hardware(multiple_of=64), Hardware(multiple_of=1)])
def test_a_practical_shape_is_near_the_size_and_nearly_as_good(params, hardware):
    shape = practical_shape(LEVINE, params, hardware)
    step = hardware.step(float(LEVINE.width(params, LEVINE.depth(params))))
    assert shape.width % step == 0
    assert shape.params == 12 * shape.depth * shape.width**2
    assert abs(np.log(shape.params / params)) <= 0.1
    assert 0 <= shape.penalty_nats < 0.02


def test_heads_and_tensor_parallel_divide_the_width():
    shape = practical_shape(LEVINE, 1e12, Hardware(multiple_of=128, head_dim=128, tensor_parallel=8))
    assert shape.width % (128 * 8) == 0
    assert shape.depth in range(88, 104)


def test_one_trillion_is_95_layers_of_about_30_thousand():
    shape = practical_shape(LEVINE, 1e12, Hardware())
    assert shape.depth == 95
    assert shape.width == pytest.approx(30_100, rel=0.02)


def test_a_step_wider_than_the_best_width_still_gives_a_shape():
    shape = practical_shape(LEVINE, 1e6, Hardware(multiple_of=512))
    assert shape.width == 512
    assert shape.depth == 1


def test_nonsense_is_a_programming_error():
    with pytest.raises(ValueError, match="head_dim is 0; it must be a whole number of at least 1"):
        Hardware(head_dim=0)
