"""One trunk and its cool-downs, through `sweep run`: each step trained once, and the numbers of separate trainings."""

from dataclasses import replace
from pathlib import Path

import pytest

from analysis.cells import budgets
from analysis.losses import checked
from analysis.record_losses import record_losses
from orchestrator.corpora.prepare import prepare
from sweeps.loading import load_spec
from sweeps.planning import plan
from sweeps.store import open_store
from sweeps.views import connect
from tests.e2e.sweeping import Leftovers, spec, sweep
from tests.orchestrator.gangs import rows, run_gang

STEPS = (40, 80, 160)  # with decay 0.2 they branch at 32, 64 and 128


@pytest.mark.slow
def test_three_budgets_cost_one_trunk_and_three_tails_and_equal_separate_trainings(tmp_path: Path) -> None:
    left = Leftovers()
    tokens = "tokens: " + str([steps * 256 for steps in STEPS])
    path = spec(tmp_path, old="tokens: 25600", new=tokens + ", schedule: {kind: wsd, warmup_steps: 4}")
    path.write_text(path.read_text().replace("depths: [1, 2], widths: [8, 16]", "depths: [1, 2], widths: [16]"))
    done = sweep("run", str(path), "--results", str(tmp_path / "r"))
    assert done.returncode == 0, done.stderr
    assert "12 trials: 12 trained now" in done.stderr
    left.assert_none()

    store = open_store(tmp_path / "r")
    with connect(store) as connection:
        sql = "select purpose, sum(n) from (select trial_id, count(*) n from metrics group by 1) join trials using (trial_id) group by 1"
        trained = dict(connection.execute(sql).fetchall())
    assert trained == {"trunk": 2 * 128, "result": 2 * (8 + 16 + 32)}
    assert sum(trained.values()) < 0.66 * 2 * sum(STEPS)

    asked = load_spec(path)
    alone = open_store(tmp_path / "alone")
    content = prepare(asked, alone).content
    trials = [planned.trial for planned in plan(asked, content, {}).trials if planned.trial.shape.depth == 2]
    by_id = {trial.trial_id: trial for trial in trials}
    for steps in STEPS:
        (tail,) = [trial for trial in trials if trial.last == steps]
        whole = replace(tail, first=0, parent=None)
        assert run_gang(alone, whole, 1) == [0]
        chain, trial = [tail], tail
        while trial.parent is not None:
            trial = by_id[trial.parent]
            chain.insert(0, trial)
        assert [row for trial in chain for row in rows(store, trial)] == rows(alone, whole)

    table = checked(record_losses(store, "tiny"))
    assert budgets(table) == {steps * 256.0: 2 for steps in STEPS}
    assert table.groupby("run")["tokens"].count().tolist() == [3, 3]
