import numpy as np
import pytest

from analysis.robust import Problem, minimise, polish


def problem(noise=3e-3, delta=1e-4, seed=0):
    """Rows of a two-variable law: exponents 0.3 and 0.5, terms 0.4 and 0.2, E = 1.7."""
    rng = np.random.default_rng(seed)
    features = rng.uniform(-2, 2, (300, 2))
    losses = np.exp(np.log([0.4, 0.2]) - features * [0.3, 0.5]).sum(1) + 1.7
    return Problem(
        centred=features,
        log_losses=np.log(losses) + noise * rng.standard_normal(300),
        weights=np.ones(300),
        lower=np.array([1e-3, 1e-3, -20.0, -20.0, 0.0]),
        upper=np.array([5.0, 5.0, 3.0, 3.0, 1.75]),
        delta=delta,
    )


TRUTH = np.array([0.3, 0.5, np.log(0.4), np.log(0.2), 1.7])
START = np.array([0.6, 0.2, -1.0, -1.0, 1.0])


@pytest.mark.parametrize("delta", [1e-4, 1e-2])
def test_the_gradient_is_that_of_finite_differences(delta):
    set_up = problem(delta=delta)
    value, gradient, _, _ = set_up.at(START)
    for column, step in enumerate(np.eye(5) * 1e-7):
        slope = (set_up.at(START + step)[0] - set_up.at(START - step)[0]) / 2e-7
        assert gradient[column] == pytest.approx(slope, rel=1e-4, abs=1e-6 * value)


def test_the_truth_is_recovered():
    point, _ = minimise(problem(noise=0.0), START)
    assert point == pytest.approx(TRUTH, abs=2e-3)


def test_a_few_wild_rows_do_not_move_it():
    clean, soiled = problem(noise=1e-4), problem(noise=1e-4)
    soiled.log_losses[:6] += 0.5
    first, second = (minimise(one, START)[0] for one in (clean, soiled))
    assert second == pytest.approx(first, abs=0.02)


def test_polishing_never_makes_it_worse():
    set_up = problem()
    point, value = minimise(set_up, START, steps=8)
    better, least = polish(set_up, point)
    assert least <= value
    assert set_up.at(better)[0] == least


def test_an_irreducible_loss_can_leave_zero():
    start = START.copy()
    start[-1] = 0.0
    assert minimise(problem(noise=0.0), start)[0][-1] == pytest.approx(1.7, abs=2e-3)


def test_a_held_constant_stays():
    set_up = problem()
    held = Problem(
        centred=set_up.centred,
        log_losses=set_up.log_losses,
        weights=set_up.weights,
        lower=np.array([*set_up.lower[:-1], 1.2]),
        upper=np.array([*set_up.upper[:-1], 1.2]),
    )
    assert minimise(held, START)[0][-1] == 1.2
