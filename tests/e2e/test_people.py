"""What people do with a sweep that runs: watch it, stop it, go on, look at a trial. From other processes, by the record."""

import json
import re
from pathlib import Path

import pytest

from tests.e2e.sweeping import spec, started, steps_done, sweep, until


@pytest.mark.slow
def test_a_running_sweep_is_watched_stopped_and_goes_on(tmp_path: Path) -> None:
    results, path = tmp_path / "r", str(spec(tmp_path, steps=4000))
    run = started("run", path, "--results", str(results))
    until(lambda: steps_done(results) >= 1, seconds=500)
    board = json.loads(sweep("watch", "tiny", "--json", "--results", str(results)).stdout)
    assert (board["trials"], board["finished"]) == (4, 0)
    assert {row["device"] for row in board["running"]} == {"1 core"}
    assert 0 < board["fraction"] < 1
    assert board["seconds_left"] > 0
    assert board["hours"] > 0
    stopped = sweep("stop", "tiny", "--results", str(results))
    assert stopped.returncode == 0
    assert re.search(r"asked \S+ to stop \(.* on .*\)", stopped.stdout)
    assert re.search(r"\S+ has stopped", stopped.stdout)
    _, said = run.communicate(timeout=120)
    assert run.returncode == 75, said
    assert "asked for a stop: every trial saves where it stands" in said
    again = sweep("stop", "tiny", "--results", str(results))
    assert "nobody is training tiny: there is nothing to stop" in again.stdout
    quiet = sweep("watch", "tiny", "--once", "--results", str(results))
    assert "nobody is training this sweep now" in quiet.stdout
    interrupted = json.loads(sweep("status", "tiny", "--json", "--results", str(results)).stdout)
    trial = next(row["trial_id"] for row in interrupted if row["status"].startswith("interrupted"))
    logs = sweep("logs", trial[:8], "--results", str(results)).stdout
    for phrase in (f"trial {trial}", "attempt 1, claimed", "interrupted: the run was asked to stop", "the run's log: "):
        assert phrase in logs
    resumed = sweep("run", path, "--quiet", "--results", str(results))
    assert resumed.returncode == 0
    assert resumed.stderr == ""
    assert {
        row["status"] for row in json.loads(sweep("status", "tiny", "--json", "--results", str(results)).stdout)
    } == {"completed"}


@pytest.mark.slow
def test_a_diverged_trial_says_so_and_is_retried_when_asked(tmp_path: Path) -> None:
    """Rate 10 and no clipping: the loss is no number soon, or hopeless."""
    path = str(
        spec(
            tmp_path,
            steps=300,
            old="learning_rate: 1e-2",
            new="learning_rate: 10, precision: fp32, gradient_clipping: null",
        )
    )
    results = ["--results", str(tmp_path / "r")]
    first = sweep("run", path, *results)
    assert first.returncode == 3, first.stderr
    trial, reason = re.findall(r"([0-9a-f]{16}) .*  (diverged: .*?)(?:  |$)", first.stderr, re.M)[0]
    assert f"more: sweep logs {trial}" in first.stderr
    assert json.loads(sweep("watch", "tiny", "--json", *results).stdout)["failed"][0][0] == "diverged"
    assert reason in sweep("logs", trial, *results).stdout
    retried = sweep("retry", "tiny", "--trial", trial[:6], *results)
    assert "1 trials will be tried again" in retried.stdout
    again = sweep("run", path, *results)
    assert f"{trial}" in again.stderr
    assert "attempt 2 starts" in again.stderr
    assert "this end no longer counts (sweep retry)" in sweep("logs", trial, *results).stdout
