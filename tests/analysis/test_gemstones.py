import json

import numpy as np
import pytest

from analysis.gemstones import COUNTINGS, all_parameters, block_matrices, gemstones_table
from analysis.status import FitError


def test_every_row_comes_over(gemstones):
    assert len(gemstones) == 770
    assert gemstones["run"].nunique() == 22
    assert gemstones["flag"].isna().all()
    assert gemstones["trial_id"].is_unique


def test_counts_follow_from_the_architecture():
    # 28 layers of width 1024: 8 heads and 4 key-value heads of 128, three matrices of 4·d.
    depth, width = np.array([28]), np.array([1024])
    assert block_matrices(depth, width)[0] == 28 * (2 * 1024 * 1024 + 2 * 1024 * 512 + 3 * 4 * 1024 * 1024)
    assert all_parameters(depth, width)[0] == 543_482_880


def test_an_odd_number_of_heads_has_half_of_them_rounded_down():
    # 384 is three heads, and so one key-value head.
    assert block_matrices(np.array([13]), np.array([384]))[0] == 13 * (2 * 3 * 128 * 384 + 2 * 128 * 384 + 12 * 384**2)


def test_the_counting_is_stated_and_can_be_that_of_the_authors(gemstones_folder):
    path = gemstones_folder / "hot_100b.jsonl"
    for counting, stated in COUNTINGS.items():
        table = gemstones_table(path, counting)
        assert table["counting"].unique().tolist() == [stated]
    row = table[(table["width"] == 256) & (table["depth"] == 71)].iloc[0]
    assert row["params"] == 95_588_096 - 50_304 * 256


def test_a_count_that_is_not_the_architectures_is_refused_by_row(gemstones_folder, tmp_path):
    lines = (gemstones_folder / "hot_100b.jsonl").read_text().splitlines()
    row = json.loads(lines[2])
    row["params_active_precise"] += 1
    path = tmp_path / "broken.jsonl"
    path.write_text("\n".join([*lines[:2], json.dumps(row), *lines[3:]]))
    with pytest.raises(FitError, match=r"row 3 of broken\.jsonl, column 'params_active_precise': 543,482,881"):
        gemstones_table(path)


def test_another_table_is_refused(tmp_path):
    path = tmp_path / "other.jsonl"
    path.write_text('{"depth": 1}\n')
    with pytest.raises(FitError, match=r"other\.jsonl is not a Gemstones table: it has no column run_name"):
        gemstones_table(path)
