import numpy as np
import pandas as pd
import pytest

from analysis.losses import BLOCKS_ALONE, COLUMNS, checked, flagged, used
from analysis.status import FitError


def rows(**changes):
    columns = {
        "depth": [1, 2, 3],
        "width": [8, 8, 8],
        "params": [768, 1536, 2304],
        "tokens": 1e6,
        "loss": [3.0, 2.9, 2.8],
    }
    return pd.DataFrame({**columns, **changes})


def test_absent_columns_are_filled_and_nothing_is_changed():
    given = rows()
    table = checked(given)
    assert list(table.columns) == list(COLUMNS)
    assert list(given.columns) == ["depth", "width", "params", "tokens", "loss"]
    assert table["trial_id"].tolist() == ["row 1", "row 2", "row 3"]
    assert table["status"].eq("completed").all()
    assert table["seed"].isna().all()
    assert table["counting"].eq(BLOCKS_ALONE).all()
    assert len(used(table)) == 3


def test_further_columns_are_kept():
    assert checked(rows(colour="red"))["colour"].eq("red").all()


@pytest.mark.parametrize(
    ("changes", "says"),
    [
        ({"loss": [3.0, np.nan, 2.8]}, r"row 2 \(row 2, 2×8\): loss is missing \(NaN\); a completed trial has one"),
        ({"loss": [3.0, -0.1, 2.8]}, r"loss is -0.1; a loss in nats per token is above zero"),
        ({"loss": [3.0, np.inf, 2.8]}, r"loss is inf; .*give the row the status 'diverged'"),
        ({"loss": [3.0, "x", 2.8]}, r"loss is 'x'; it must be a number"),
        ({"depth": [1, 0, 3]}, r"depth is 0; it must be a positive number"),
        ({"depth": [1, 2.5, 3]}, r"depth is 2.5; it must be a whole number"),
        ({"params": [768, None, 2304]}, r"params is missing \(NaN\); it must be a positive number"),
        ({"tokens": [1e6, -1.0, -2.0]}, r"row 2 .*tokens is -1, and 1 more rows"),
    ],
)
def test_impossible_values_are_refused_with_row_and_column(changes, says):
    with pytest.raises(FitError, match=says):
        checked(rows(**changes))


def test_a_missing_column_is_named():
    with pytest.raises(FitError, match="no column width"):
        checked(rows().drop(columns="width"))


def test_an_empty_table_is_refused():
    with pytest.raises(FitError, match="nothing has finished yet"):
        checked(rows().iloc[:0])


def test_a_diverged_trial_needs_no_loss_and_is_flagged_not_dropped():
    table = checked(rows(loss=[3.0, None, 2.8], status=["completed", "diverged", "completed"]))
    assert table["flag"].tolist() == [None, "the trial ended as diverged", None]
    assert len(table) == 3


def test_runs_that_disagree_are_refused_naming_both():
    twice = rows(depth=[1, 2, 2], params=[768, 1536, 1536], trial_id=["a", "b", "c"], seed=[0, 1, 1])
    with pytest.raises(FitError, match=r"2×8 at 1e\+06 tokens with seed 1 disagree: b has loss 2.9, c 2.8"):
        checked(twice)


def test_repeats_without_seeds_are_refused_too():
    with pytest.raises(FitError, match=r"without a seed disagree.*give repeats their own seeds"):
        checked(rows(depth=[1, 2, 2], params=[768, 1536, 1536]))


def test_seeds_and_learning_rates_make_rows_different():
    table = checked(rows(depth=2, params=1536, seed=[0, 1, 1], learning_rate=[1e-3, 1e-3, 2e-3]))
    assert table["flag"].isna().all()


def test_the_same_row_twice_is_used_once():
    table = checked(rows(depth=[1, 2, 2], params=[768, 1536, 1536], loss=[3.0, 2.9, 2.9]))
    assert table["flag"].tolist() == [None, None, "the same network and loss as row 2"]


def test_a_flag_is_never_overwritten():
    table = checked(rows(flag=[None, "by hand", None]))
    again = flagged(table, table["depth"] > 0, "later")
    assert again["flag"].tolist() == ["later", "by hand", "later"]
    assert table["flag"].tolist() == [None, "by hand", None]
