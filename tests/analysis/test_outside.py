import json

import numpy as np
import pandas as pd
import pytest

from analysis.outside import read_table, table_of
from analysis.status import FitError

THEIRS = pd.DataFrame(
    {
        "n_layer": [2, 4, 8],
        "d_model": [64, 64, 64],
        "val_loss": [3.0, 2.9, 2.8],
        "data": [1e9, 1e9, 1e9],
        "who": ["a", "b", "c"],
    }
)
MAP = {"depth": "n_layer", "width": "d_model", "loss": "val_loss", "tokens": "data"}


def test_columns_are_mapped_and_sizes_counted():
    table = table_of(THEIRS, MAP | {"run": "who"}, block_coefficient=12)
    assert table["params"].tolist() == [12 * depth * 64**2 for depth in (2, 4, 8)]
    assert table["run"].tolist() == ["a", "b", "c"]
    assert table["counting"].unique().tolist() == ["12·L·d²"]
    assert table["flag"].isna().all()


def test_a_constant_serves_where_a_column_is_missing():
    table = table_of(THEIRS.drop(columns="data"), MAP | {"tokens": "=2e10"}, block_coefficient=12)
    assert table["tokens"].unique().tolist() == [2e10]


@pytest.mark.parametrize(("unit", "expected"), [("nats", 3.0), ("bits", 3.0 * np.log(2)), ("perplexity", np.log(3.0))])
def test_losses_become_nats(unit, expected):
    assert table_of(THEIRS, MAP, block_coefficient=12, loss_unit=unit)["loss"].iloc[0] == pytest.approx(expected)


@pytest.mark.parametrize(
    ("column", "values", "says"),
    [
        ("val_loss", [3.0, "n/a", 2.8], r"row 2 of runs\.csv, column 'val_loss': 'n/a'; as loss it must be a number"),
        (
            "n_layer",
            [2, 4, 8.5],
            r"row 3 of runs\.csv, column 'n_layer': 8\.5; as depth it must be a whole number",
        ),
        ("d_model", [0, 64, -1], r"row 1 of runs\.csv, column 'd_model': 0, and 1 more rows; .* positive"),
        ("data", [1e9, None, 1e9], r"row 2 of runs\.csv, column 'data': .*; as tokens it must be there in every row"),
        ("val_loss", [3.0, np.inf, 2.8], r"row 2 .*as loss it must be finite"),
    ],
)
def test_bad_values_are_refused_by_row_and_their_column(column, values, says):
    with pytest.raises(FitError, match=says):
        table_of(THEIRS.assign(**{column: values}), MAP, block_coefficient=12, name="runs.csv")


def test_a_missing_column_gets_a_hint():
    with pytest.raises(
        FitError, match=r"no column 'n_layers'; did you mean 'n_layer'\? Its columns are n_layer, d_model"
    ):
        table_of(THEIRS, MAP | {"depth": "n_layers"}, block_coefficient=12)


def test_unmapped_and_unknown_columns_are_refused():
    with pytest.raises(FitError, match="depth must be mapped: --map depth=THEIR_COLUMN"):
        table_of(THEIRS, {key: value for key, value in MAP.items() if key != "depth"}, block_coefficient=12)
    with pytest.raises(FitError, match="colour is no column of a loss table"):
        table_of(THEIRS, MAP | {"colour": "who"}, block_coefficient=12)
    with pytest.raises(FitError, match="params is not mapped: give the column with N, or block_coefficient"):
        table_of(THEIRS, MAP)


@pytest.mark.parametrize("suffix", ["csv", "jsonl", "parquet"])
def test_the_three_formats_say_the_same(suffix, tmp_path):
    path = tmp_path / f"runs.{suffix}"
    match suffix:
        case "csv":
            THEIRS.to_csv(path, index=False)
        case "jsonl":
            path.write_text("\n".join(json.dumps(row) for row in THEIRS.to_dict("records")) + "\n")
        case _:
            THEIRS.to_parquet(path)
    table = table_of(read_table(path), MAP, block_coefficient=12)
    assert table["loss"].tolist() == [3.0, 2.9, 2.8]


def test_files_that_are_no_tables_are_refused(tmp_path):
    path = tmp_path / "runs.jsonl"
    path.write_text('{"a": 1}\n{"a": 2\n')
    with pytest.raises(FitError, match=r"line 2 of runs\.jsonl is not JSON"):
        read_table(path)
    path.write_text('{"a": 1}\n[1, 2]\n')
    with pytest.raises(FitError, match=r"line 2 of runs\.jsonl is list; every line must be a JSON object"):
        read_table(path)
    with pytest.raises(FitError, match=r"runs\.xlsx ends in \.xlsx; a table to import ends in \.csv"):
        read_table(tmp_path / "runs.xlsx")
