import numpy as np
import pandas as pd
import pytest

from analysis.coverage import PAPER
from analysis.laws.levine2020 import LAW, Levine2020
from analysis.losses import checked
from analysis.token_budgets import best_depth_by_tokens
from analysis.worlds import VALLEYS, World


def test_more_tokens_that_move_the_transition_down_show_as_deeper():
    rng = np.random.default_rng(0)
    tables = [
        World(law=Levine2020(a=a, b=0.0555), valley=VALLEYS["gemstones"])
        .table(PAPER, [1] * len(PAPER), rng)
        .assign(tokens=tokens)
        for tokens, a in ((1e9, 5.5), (4e9, 5.2), (1.6e10, 4.9))
    ]
    found = best_depth_by_tokens(checked(pd.concat(tables, ignore_index=True)), LAW, 1e8, replicates=100)
    assert [entry.tokens for entry in found] == [1e9, 4e9, 1.6e10]
    depths = [entry.depth for entry in found]
    assert depths == sorted(depths)
    for entry, a in zip(found, (5.5, 5.2, 4.9), strict=True):
        assert entry.depth == pytest.approx(float(Levine2020(a=a, b=0.0555).depth(1e8)), rel=0.06)
        assert entry.interval[0] < entry.depth < entry.interval[1]


def test_a_budget_with_too_little_data_keeps_its_reason(paper_rows):
    short = paper_rows[paper_rows["depth"] == 6].assign(tokens=1e9)
    both = checked(pd.concat([paper_rows, short], ignore_index=True))
    first, second = best_depth_by_tokens(both, LAW, 1e8, replicates=20)
    assert first.depth is None
    assert "one depth only" in first.reason
    assert second.depth is not None


def test_gemstones_at_a_few_budgets(gemstones):
    found = best_depth_by_tokens(gemstones, LAW, 1e9, at=(50017075200, 350119526400), replicates=60)
    assert all(20 < entry.depth < 60 for entry in found)
