import numpy as np
import pandas as pd
import pytest

from analysis.cells import at_budget, budgets, cells_of, size_groups
from analysis.losses import checked
from analysis.status import FitError


def table(depths=(2, 4), widths=(16, 32, 64), tokens=(1e6,), seeds=(0,)):
    rows = [
        {
            "depth": d,
            "width": w,
            "params": 12 * d * w * w,
            "tokens": t,
            "seed": s,
            "loss": 3 - 0.1 * np.log(d * w * w) + 0.001 * s,
        }
        for d in depths
        for w in widths
        for t in tokens
        for s in seeds
    ]
    return checked(pd.DataFrame(rows))


def test_seeds_are_averaged_and_their_deviations_kept():
    cells = cells_of(table(seeds=(0, 1, 2)))
    assert len(cells.loss) == 6
    assert cells.rows == 18
    assert cells.repeats.tolist() == [3.0] * 6
    assert cells.deviations[0] == pytest.approx([-0.001, 0.0, 0.001])
    assert cells.variance(0.3)[0] == pytest.approx(0.03)


def test_the_error_of_the_learning_rate_is_part_of_the_variance():
    rows = table()
    rows["rate_error"] = 0.02
    assert cells_of(rows).variance(0.01)[0] == pytest.approx(0.01**2 + 0.02**2)


def test_rates_that_are_nowhere_bracketed_are_refused():
    rows = pd.concat([table().assign(learning_rate=rate, loss=table()["loss"] + rate) for rate in (1e-3, 4e-3)])
    rows["trial_id"] = [f"t{i}" for i in range(len(rows))]
    message = r"no network's learning rate lies between two worse ones: .*0\.001, is the lowest of the 2 tried.*lower"
    with pytest.raises(FitError, match=message):
        cells_of(checked(rows))


def test_one_depth_is_refused():
    with pytest.raises(FitError, match=r"one depth only \(2 layers\).*train the same sizes at another depth"):
        cells_of(table(depths=(2,)))


def test_two_sizes_are_refused():
    with pytest.raises(FitError, match=r"2 sizes only.*needs three at the least"):
        cells_of(table(depths=(2, 8), widths=(32, 64)).assign(params=[1000, 4000, 1010, 4010]))


def test_equal_losses_are_refused():
    with pytest.raises(FitError, match=r"all 6 losses .* are equal \(2.5\)"):
        cells_of(table().assign(loss=2.5))


def test_budgets_are_told_apart_and_the_fullest_is_taken():
    rows = table(tokens=(1e6, 4e6))
    late = rows[~((rows["tokens"] == 4e6) & (rows["depth"] == 4))]
    assert budgets(late) == {1e6: 6, 4e6: 3}
    assert cells_of(late).tokens == 1e6
    flags = at_budget(late, 1e6)["flag"]
    assert flags.dropna().unique().tolist() == ["trained on another budget than 1e+06 tokens"]


def test_batches_that_round_differently_are_one_budget():
    rows = table()
    rows["tokens"] = [1e6, 1.002e6, 0.999e6, 1e6, 1e6, 1e6]
    assert len(budgets(rows)) == 1


def test_a_budget_nobody_trained_is_refused_with_those_there_are():
    with pytest.raises(FitError, match=r"no usable row has 2e\+06 tokens; the budgets are 1e\+06"):
        cells_of(table(), tokens=2e6)


def test_no_usable_row_says_why():
    with pytest.raises(FitError, match=r"no row .* can be used: bad \(6 rows\)"):
        cells_of(table().assign(flag="bad"))


def test_a_size_group_spans_a_fixed_ratio_however_dense_the_sizes():
    assert size_groups(np.log(np.geomspace(1, 100, 200))).max() > 10
    assert size_groups(np.log([1.0, 1.1, 2.0, 2.1])).tolist() == [0, 0, 1, 1]


def test_taking_some_cells_keeps_their_seeds():
    cells = cells_of(table(seeds=(0, 1)))
    some = cells.take(cells.depth == 4)
    assert len(some.loss) == 3
    assert some.rows == 6
    assert len(some.deviations) == 3
