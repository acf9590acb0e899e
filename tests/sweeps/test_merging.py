"""Records of two clusters are merged by copying their files together: one record that knows what both did."""

import shutil
from datetime import UTC, datetime
from pathlib import Path

from sweeps.planning import Plan, plan
from sweeps.record import claim, find_plan, part_name, publish_plan
from sweeps.rows import METRICS, encode
from sweeps.states import states
from sweeps.store import Store, open_store
from sweeps.views import connect
from tests.sweeps.specs import small


def trained(store: Store, made: Plan, indices: list[int], *, attempt: int = 1, last: int = 25, first: int = 0) -> None:
    """Attempts at some of a plan's trials, from a step to a step, at the end completed."""
    for index in indices:
        trial = made.trials[index].trial.trial_id
        claim(store, trial, attempt, {"driver": f"driver of {store.uri}"})
        same = {"trial_id": trial, "attempt": attempt, "resume_step": first, "wall_time": datetime.now(UTC)}
        steps = [
            same | {"seq": n, "step": step, "tokens": step * 256, "flops": 1.0, "loss": 5.0 - step / 10}
            for n, step in enumerate(range(first + 1, last + 1))
        ]
        if last == 25:
            end = {"seq": 99, "step": last, "tokens": last * 256, "flops": 1.0, "eval_loss": 2.5}
            steps.append(same | end | {"event": "end", "reason": "completed"})
        store.publish(part_name(trial, attempt, 0), encode(steps, METRICS))


def test_two_clusters_shared_a_sweep(tmp_path: Path) -> None:
    made = plan(small(), "c" * 64, {})
    grown = plan(small(grid={"depths": [1, 2], "widths": [8, 16, 24]}), "c" * 64, {})
    here, there = open_store(tmp_path / "here"), open_store(tmp_path / "there")
    publish_plan(here, made, {}, {})
    publish_plan(there, grown, {}, {})
    trained(here, made, [0, 1])
    trained(there, grown, [2, 5])
    trained(here, made, [3], last=10)  # begun here, and lost

    shutil.copytree(tmp_path / "there", tmp_path / "here", dirs_exist_ok=True)
    trained(here, made, [3], attempt=2, first=5)  # and gone on with from there

    with connect(here) as connection:
        known = states(connection, [p.trial.trial_id for p in grown.trials])
        steps = connection.execute("select trial_id, count(*), count(distinct step) from metrics group by 1").fetchall()
    assert sum(state.endings[-1] == "completed" for state in known.values()) == 5
    assert {(count, distinct) for _, count, distinct in steps} == {(25, 25)}
    assert find_plan(here, "small").plan == grown.hash
    assert find_plan(here, f"small@{made.hash}").plan == made.hash
    assert known[made.trials[3].trial.trial_id].endings == (None, "completed")
