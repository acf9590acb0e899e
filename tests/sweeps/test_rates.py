"""The best of several learning rates."""

from math import log

import pytest

from sweeps.rates import best_rate
from sweeps.safe_yaml import SpecError


def test_the_vertex_of_a_parabola_is_found_with_its_distance_as_error() -> None:
    found = best_rate({rate: 3 + 0.1 * log(rate / 2.4e-3) ** 2 for rate in (1e-3, 2e-3, 4e-3, 8e-3)})
    assert found.rate == pytest.approx(2.4e-3, rel=1e-3)
    assert found.log_error == pytest.approx(log(1.2))
    assert found.flag is None


def test_a_best_rate_in_the_middle_has_at_least_a_tenth_of_a_step_as_error() -> None:
    found = best_rate({1e-3: 3.1, 2e-3: 3.0, 4e-3: 3.1})
    assert (found.rate, found.log_error) == pytest.approx((2e-3, log(2) / 10))


@pytest.mark.parametrize(
    ("losses", "where", "rate"), [((3.0, 3.1, 3.2), "lowest", 1e-3), ((3.2, 3.1, 3.0), "highest", 4e-3)]
)
def test_an_edge_is_flagged(losses: tuple[float, ...], where: str, rate: float) -> None:
    found = best_rate(dict(zip((1e-3, 2e-3, 4e-3), losses, strict=True)))
    assert (found.rate, found.log_error) == pytest.approx((rate, log(2) / 2))
    assert found.flag == f"the best proxy has the {where} rate tried, {rate:g}; try rates beyond it"


def test_a_rate_below_one_that_diverged_is_bracketed() -> None:
    found = best_rate({1e-3: 3.1, 2e-3: 3.0, 8e-3: None})
    assert (found.rate, found.log_error, found.flag) == (2e-3, pytest.approx(log(4) / 2), None)


def test_no_usable_loss_is_refused() -> None:
    with pytest.raises(SpecError, match=r"every proxy of the learning-rate sweep ended without a usable loss; lower"):
        best_rate({1e-3: None, 2e-3: None})
