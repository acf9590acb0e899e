"""SIGINT and SIGTERM save and stop; a second one stops at once; both leave what the next run goes on from."""

import signal
import time

import pytest

from tests.e2e.sweeping import PATIENCE, until
from tests.faults.invariants import Rows, Scene, checkpoints, endings, processes, send, spec, survived

NUMBERS = pytest.mark.parametrize("number", [signal.SIGTERM, signal.SIGINT], ids=["SIGTERM", "SIGINT"])


@pytest.mark.slow
@pytest.mark.faults
@NUMBERS
def test_once(stage: Scene, reference: Rows, number: signal.Signals) -> None:
    run = stage.start(spec(stage.folder))
    until(lambda: checkpoints(stage.results) >= 1)
    send(run, number)
    _, said = run.communicate(timeout=60 * PATIENCE)
    assert run.returncode == 128 + number, said
    assert "stopped; the same command goes on from here" in said
    stage.left.assert_none()
    stopped = [ends[-1] for ends in endings(stage.results).values()]
    assert any(end and end.startswith("interrupted: the run was asked to stop") for end in stopped)
    assert stage.run(spec(stage.folder)).returncode == 0
    survived(f"{number.name} once", stage, reference)


@pytest.mark.slow
@pytest.mark.faults
@NUMBERS
def test_twice(stage: Scene, reference: Rows, number: signal.Signals) -> None:
    run = stage.start(spec(stage.folder))
    until(lambda: checkpoints(stage.results) >= 1)
    for trial in processes(run, "ResourceTrainable"):  # so that the first signal alone could not end it
        send(trial, signal.SIGSTOP)
    send(run, number)
    time.sleep(1)
    began = time.monotonic()
    send(run, number)
    run.communicate(timeout=20 * PATIENCE)
    assert run.returncode == 128 + number
    assert time.monotonic() - began < 10
    stage.left.assert_none()
    assert stage.run(spec(stage.folder)).returncode == 0
    survived(f"{number.name} twice", stage, reference)


@pytest.mark.slow
@pytest.mark.faults
def test_a_worker_that_hangs(stage: Scene, of_spec) -> None:  # type: ignore[no-untyped-def]
    changes = {"cluster: {": "cluster: {workers: 2, hang_seconds: 15, "}
    reference = of_spec(600, {"cluster: {": "cluster: {workers: 2, "})
    run = stage.start(spec(stage.folder, steps=600, changes=changes))
    until(lambda: checkpoints(stage.results) >= 1)
    send(processes(run, "ray::Worker")[0], signal.SIGSTOP)
    _, said = run.communicate(timeout=280 * PATIENCE)
    assert run.returncode == 0, said
    assert "hung" in said
    survived("SIGSTOP of a worker", stage, reference)


@pytest.mark.slow
@pytest.mark.faults
def test_a_lone_worker_that_hangs(stage: Scene, reference: Rows) -> None:
    """It cannot end itself: its actor is killed from outside, and that is a hang, not a loss, in the record."""
    run = stage.start(spec(stage.folder, changes={"cluster: {": "cluster: {hang_seconds: 5, "}))
    until(lambda: checkpoints(stage.results) >= 1)
    send(processes(run, "ResourceTrainable", "TrialActor")[0], signal.SIGSTOP)
    _, said = run.communicate(timeout=280 * PATIENCE)
    assert run.returncode == 0, said
    ends = [end for each in endings(stage.results).values() for end in each]
    assert any(end and end.startswith("hung: nothing was heard of it for") for end in ends), ends
    survived("SIGSTOP of a trial's only worker", stage, reference)
