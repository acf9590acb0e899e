"""A sweep whose record is on object storage: a budget ends it resumable, and rates that fall behind are stopped."""

import json
from pathlib import Path

import pytest

from sweeps.store import open_store
from sweeps.views import connect
from tests.contract.s3 import S3_REASON, s3_server
from tests.e2e.sweeping import spec, sweep

EXTRA = """\
early_stopping: {tokens: 5120, factor: 2}
budget: {hours: HOURS}
"""


@pytest.mark.slow
@pytest.mark.skipif(bool(S3_REASON), reason=S3_REASON)
def test_a_sweep_on_s3_ends_at_its_budget_goes_on_and_stops_what_falls_behind(tmp_path: Path) -> None:
    path = spec(tmp_path, steps=80)
    text = path.read_text() + EXTRA
    with s3_server() as bucket:
        results = ["--results", f"s3://{bucket}/results"]
        path.write_text(text.replace("HOURS", "1e-9"))
        first = sweep("run", str(path), *results)
        assert first.returncode == 75, first.stderr
        said = "budget: 0 of 1e-09 device-hours are spent; 4 trials are not started, since they would pass it"
        assert said in first.stderr
        assert "raise budget in the spec, and the same command goes on" in first.stderr
        assert open_store(results[1]).names("attempts") == []

        text = text.replace("HOURS", "10")
        path.write_text(text)
        assert sweep("run", str(path), *results).returncode == 0

        # a second, hopeless rate for each network: it falls behind what the record has of the first at the first rung
        path.write_text(text.replace("learning_rate: 1e-2", "learning_rate: {sweep: [1e-5, 1e-2]}"))
        done = sweep("run", str(path), *results)
        assert done.returncode == 0, done.stderr
        assert "is number 2 of 2, and 1 go on" in done.stderr
        with connect(open_store(results[1])) as connection:
            ended = connection.execute(
                "select learning_rate, split_part(status, ':', 1), step, eval_loss is null from trials order by all"
            ).fetchall()
        assert ended == [(1e-5, "stopped", 20, True)] * 4 + [(1e-2, "completed", 80, False)] * 4

        plan = json.loads(sweep("plan", str(path), "--json", *results).stdout)
        assert plan["budget"]["not_started"] == 0
        assert 0 < plan["budget"]["spent_hours"] < 1
        assert sweep("doctor", *results).returncode == 0
