"""One owner an attempt: several drivers, one that was paused and woken, specs that are edited or share trials."""

import signal
import subprocess

import pytest

from tests.e2e.sweeping import PATIENCE, until
from tests.faults.invariants import Rows, Scene, checkpoints, endings, processes, send, spec, survived


def finish(run: subprocess.Popen[str]) -> tuple[int, str]:
    _, said = run.communicate(timeout=280 * PATIENCE)
    return run.returncode, said


@pytest.mark.slow
def test_the_same_spec_twice_at_once(stage: Scene, reference: Rows) -> None:
    first, second = (stage.start(spec(stage.folder)) for _ in range(2))
    ends = [finish(first), finish(second)]
    assert {code for code, _ in ends} <= {0, 75}, ends
    last = stage.run(spec(stage.folder))
    assert last.returncode == 0
    assert "nothing to train" in last.stderr
    survived("two drivers at once", stage, reference)


@pytest.mark.slow
@pytest.mark.faults
def test_a_driver_paused_past_its_lease_and_woken(stage: Scene, reference: Rows) -> None:
    """The machine sleeps, as far as the first driver knows: it and all its processes stop and go on later."""
    asleep = stage.start(spec(stage.folder))
    until(lambda: checkpoints(stage.results) >= 1)
    everyone = [asleep, *processes(asleep, "")]
    for process in everyone:
        send(process, signal.SIGSTOP)
    try:
        second = stage.run(spec(stage.folder))
        assert second.returncode == 0, second.stderr
    finally:
        for process in everyone:
            send(process, signal.SIGCONT)
    code, said = finish(asleep)
    assert code in (0, 75), said
    survived("a driver paused past its lease and woken", stage, reference)


@pytest.mark.slow
@pytest.mark.faults
def test_overlapping_sweeps_and_an_edited_spec(stage: Scene, of_spec) -> None:  # type: ignore[no-untyped-def]
    """Sweep `wide` has the trials of `tiny` and two more; both run at once, and each trial is trained once."""
    wider = {"widths: [8]": "widths: [8, 16]"}
    reference = of_spec(600, wider)
    tiny = stage.start(spec(stage.folder, steps=600))
    wide = stage.start(spec(stage.folder, name="wide", steps=600, changes=wider))
    ends = [finish(tiny), finish(wide)]
    assert {code for code, _ in ends} <= {0, 75}, ends
    last = stage.run(spec(stage.folder, name="wide", steps=600, changes=wider))
    assert last.returncode == 0, last.stderr
    assert all(len(ends) == 1 for ends in endings(stage.results).values())
    edited = stage.run(spec(stage.folder, steps=600, changes=wider))
    assert "nothing to train: all 4 trials are in the record" in edited.stderr
    survived("overlapping sweeps, and a spec edited between runs", stage, reference)


@pytest.mark.slow
@pytest.mark.faults
def test_two_trials_of_two_workers_on_two_cores(stage: Scene, of_spec) -> None:  # type: ignore[no-untyped-def]
    """Neither waits for a core that the other holds."""
    two = {"cluster: {": "cluster: {workers: 2, "}
    reference = of_spec(600, two)
    done = stage.run(spec(stage.folder, steps=600, changes=two))
    assert done.returncode == 0, done.stderr
    survived("two trials of two workers on two cores", stage, reference)
