import numpy as np
import pandas as pd
import pytest

from analysis.losses import checked
from analysis.rates import dip, rate_curvature, with_best_rates


def swept(rates, losses, status=None):
    count = len(rates)
    columns = {"depth": [2] * count, "width": 8, "params": 1536, "tokens": 1e6, "loss": losses, "learning_rate": rates}
    names = [f"lr{rate:g}" for rate in rates]
    return with_best_rates(
        checked(pd.DataFrame({**columns, "trial_id": names, "status": status or ["completed"] * count}))
    )


def test_the_best_of_a_bracketed_sweep_is_used():
    table = swept([1e-3, 4e-3, 2e-3], [3.02, 3.01, 3.00])
    assert table["flag"].isna().tolist() == [False, False, True]
    assert table["flag"].iloc[0] == "another of the 3 learning rates tried did better: 0.002 (lr0.002)"
    assert table["rate_error"].iloc[2] == pytest.approx(0.01**2 / (8 * 0.03))


@pytest.mark.parametrize(
    ("losses", "side", "more"), [([3.0, 3.1, 3.2], "lowest", "lower"), ([3.2, 3.1, 3.0], "highest", "higher")]
)
def test_an_optimum_at_the_edge_is_flagged_and_not_used(losses, side, more):
    table = swept([1e-3, 2e-3, 4e-3], losses)
    assert table["flag"].notna().all()
    best = table["flag"].iloc[int(np.argmin(losses))]
    assert f"is the {side} of the 3 tried" in best
    assert f"try {more} ones" in best


def test_a_rate_that_diverged_brackets_the_one_below_it():
    table = swept([1e-3, 2e-3, 4e-3], [3.1, 3.0, None], ["completed", "completed", "diverged"])
    assert table["flag"].isna().tolist() == [False, True, False]
    assert table["rate_error"].iloc[1] == pytest.approx(0.1 / 8)


def test_one_rate_is_no_sweep():
    assert swept([1e-3], [3.0])["flag"].isna().all()


def test_the_dip_is_that_of_the_parabola():
    rates = np.log([1e-3, 2e-3, 4e-3])
    curve = 3 + 0.05 * (rates - np.log(2.3e-3)) ** 2
    assert dip(rates, curve) == pytest.approx(curve[1] - 3)


def test_each_seed_has_its_own_sweep():
    rows = pd.DataFrame(
        {
            "depth": 2, "width": 8, "params": 1536, "tokens": 1e6, "learning_rate": [1e-3, 2e-3, 4e-3, 2e-3],
            "seed": [0, 0, 0, 1], "loss": [3.1, 3.0, 3.1, 3.02],
        }
    )  # fmt: skip
    assert with_best_rates(checked(rows))["flag"].isna().tolist() == [False, True, False, True]


def test_the_curvature_is_that_of_the_parabola_at_the_least():
    log_rates = np.log(np.array([1e-3, 2e-3, 4e-3, 8e-3]))
    losses = 2 + 0.03 * (log_rates - np.log(2.5e-3)) ** 2
    assert rate_curvature(log_rates, losses) == pytest.approx(0.03)
    edge = 2 + 0.03 * (log_rates - np.log(5e-4)) ** 2
    assert rate_curvature(log_rates, edge) == pytest.approx(0.03)


def test_two_rates_have_no_curvature_and_a_hill_has_its_rise():
    assert np.isnan(rate_curvature(np.array([0.0, 1.0]), np.array([2.0, 2.1])))
    assert rate_curvature(np.array([0.0, 1.0, 2.0]), np.array([2.0, 2.1, 2.15])) == pytest.approx(0.1)
