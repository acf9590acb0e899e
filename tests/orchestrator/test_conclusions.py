"""What `sweep fit` prints where a sweep has several token budgets."""

import numpy as np
import pandas as pd
import pytest

from analysis.coverage import PAPER
from analysis.laws.levine2020 import Levine2020
from analysis.worlds import VALLEYS, World
from orchestrator.commands.conclusions import print_token_budgets


def test_the_best_depth_is_printed_for_every_token_budget(capsys: pytest.CaptureFixture[str]) -> None:
    rng = np.random.default_rng(0)
    tables = [
        World(law=Levine2020(a=a, b=0.0555), valley=VALLEYS["even"])
        .table(PAPER, [1] * len(PAPER), rng)
        .assign(tokens=tokens)
        for tokens, a in ((1e9, 5.5), (4e9, 4.9))
    ]
    print_token_budgets(tables[0])
    assert capsys.readouterr().out == ""
    print_token_budgets(pd.concat(tables, ignore_index=True))
    said = capsys.readouterr().out.splitlines()
    assert "by token budget (levine2020)" in said[0]
    depths = [float(line.split()[2]) for line in said if line.strip().startswith(("1e+09", "4e+09"))]
    assert len(depths) == 2
    assert depths[0] < depths[1]
