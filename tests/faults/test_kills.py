"""kill -9 of everything a sweep is made of: a worker of two, the actor, the driver, the raylet, the whole head."""

import pytest

from tests.e2e.sweeping import PATIENCE, until
from tests.faults.invariants import Rows, Scene, checkpoints, endings, processes, send, spec, survived

LONG = 4500  # steps
TRIAL = ("ResourceTrainable", "TrialActor")


@pytest.mark.slow
@pytest.mark.faults
def test_the_actor_of_a_trial(stage: Scene, reference: Rows) -> None:
    run = stage.start(spec(stage.folder))
    until(lambda: checkpoints(stage.results) >= 1)
    send(processes(run, *TRIAL)[0])
    _, said = run.communicate(timeout=240 * PATIENCE)
    assert run.returncode == 0, said
    assert "lost" in said
    assert any(ends[0] is None or ends[0].startswith("lost") for ends in endings(stage.results).values())
    survived("kill -9 of a trial's actor", stage, reference)


@pytest.mark.slow
def test_a_worker_of_two(stage: Scene, of_spec) -> None:  # type: ignore[no-untyped-def]
    two = {"cluster: {": "cluster: {workers: 2, "}
    reference = of_spec(600, two)
    run = stage.start(spec(stage.folder, steps=600, changes=two))
    until(lambda: checkpoints(stage.results) >= 1)
    send(processes(run, "ray::Worker")[-1])
    _, said = run.communicate(timeout=280 * PATIENCE)
    assert run.returncode == 0, said
    assert "lost" in said
    survived("kill -9 of a worker of two", stage, reference)


@pytest.mark.slow
@pytest.mark.faults
def test_the_driver(stage: Scene, reference: Rows) -> None:
    run = stage.start(spec(stage.folder))
    until(lambda: checkpoints(stage.results) >= 1)
    send(run)
    run.communicate()
    stage.left.assert_none()
    again = stage.run(spec(stage.folder))
    assert again.returncode == 0, again.stderr
    survived("kill -9 of the driver", stage, reference)


@pytest.mark.slow
@pytest.mark.faults
@pytest.mark.parametrize(
    ("what", "words"), [("the raylet under a trial", ("raylet/raylet",)), ("the whole head", ("gcs_server", "raylet/raylet"))]
)  # fmt: skip
def test_the_cluster(stage: Scene, of_spec, what: str, words: tuple[str, ...]) -> None:  # type: ignore[no-untyped-def]
    """Long enough that the trials are not done before the death is noticed: until then they train on."""
    reference = of_spec(LONG, {})
    run = stage.start(spec(stage.folder, steps=LONG))
    until(lambda: checkpoints(stage.results) >= 1)
    for process in processes(run, *words):
        send(process)
    _, said = run.communicate(timeout=120 * PATIENCE)
    assert run.returncode == 75, said
    assert "the Ray cluster is gone" in said
    assert "the same command goes on from here" in said
    stage.left.assert_none()
    again = stage.run(spec(stage.folder, steps=LONG))
    assert again.returncode == 0, again.stderr
    survived(f"kill -9 of {what}", stage, reference)


@pytest.mark.slow
@pytest.mark.faults
def test_the_cluster_while_it_starts(stage: Scene, reference: Rows) -> None:
    run = stage.start(spec(stage.folder))
    until(lambda: bool(processes(run, "raylet/raylet")))
    send(processes(run, "raylet/raylet")[0])
    _, said = run.communicate(timeout=120 * PATIENCE)
    assert run.returncode == 75, said
    assert "Ray could not be started on this machine" in said
    stage.left.assert_none()
    again = stage.run(spec(stage.folder))
    assert again.returncode == 0, again.stderr
    survived("kill -9 of the raylet while Ray starts", stage, reference)
