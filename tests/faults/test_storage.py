"""A store that is full, read-only or gone: the run stops cleanly with 75 and names it, and later goes on."""

import os
import shutil
import subprocess
from collections.abc import Iterator
from pathlib import Path

import pytest

from sweeps.store import FolderStore
from tests.e2e.sweeping import PATIENCE, until
from tests.faults.invariants import Rows, Scene, checkpoints, counted, send, spec, survived
from tests.orchestrator.gangs import planned, rows, run_gang
from tests.sweeps.specs import small


def mounted(*words: str) -> bool:
    return subprocess.run(["mount", *words], capture_output=True, check=False).returncode == 0


def unmount(path: Path) -> None:
    subprocess.run(["umount", "-l", str(path)], check=False)


@pytest.fixture
def tmpfs(tmp_path: Path) -> Iterator[Path]:
    """A small disk of its own."""
    disk = tmp_path / "disk"
    disk.mkdir()
    if not mounted("-t", "tmpfs", "-o", "size=64m", "none", str(disk)):
        pytest.skip("this user may not mount a tmpfs: the full disk is not tried")
    yield disk
    unmount(disk)


def filled(disk: Path, room: int) -> Path:
    """All but `room` bytes of the disk taken by a file of someone else's."""
    ballast = disk / "ballast"
    free = shutil.disk_usage(disk).free
    with ballast.open("wb") as file:
        os.posix_fallocate(file.fileno(), 0, free - room)
    return ballast


@pytest.mark.slow
@pytest.mark.parametrize(
    ("what", "room", "every"), [("a part", 0, 2), ("a checkpoint", 12_288, 1), ("an event", 0, 100)]
)
def test_disk_full_during(tmp_path: Path, tmpfs: Path, what: str, room: int, every: int) -> None:
    """Parts are a page or two, a checkpoint is 60 kB: room for the first and not for the second, or for neither."""
    with counted(f"disk full during {what}"):
        whole = FolderStore(tmp_path / "whole")
        trial = planned(small(grid={"depths": [2], "widths": [16]}), whole).trials[0].trial
        assert run_gang(whole, trial, 1) == [0]
        disk = FolderStore(tmpfs / "r")
        planned(small(grid={"depths": [2], "widths": [16]}), disk)
        assert run_gang(disk, trial, 1, interrupt_at=4, checkpoint_every=100) == [0]
        from sweeps.record import claim

        claim(disk, trial.trial_id, 2, {"driver": "test"})
        ballast = filled(tmpfs, room)
        before = rows(disk, trial)
        assert run_gang(disk, trial, 2, checkpoint_every=every, claimed=False) == [1]
        assert rows(disk, trial)[: len(before)] == before
        ballast.unlink()
        assert run_gang(disk, trial, 3) == [0]
        assert rows(disk, trial) == rows(whole, trial)
        assert [path.name for path in disk.root.rglob(".*")] == []


@pytest.mark.slow
@pytest.mark.faults
def test_disk_full_under_a_sweep(tmp_path: Path, tmpfs: Path, stage: Scene, reference: Rows, undisturbed: Path) -> None:
    stage.results = tmpfs / "r"
    shutil.copytree(undisturbed / "corpora", stage.results / "corpora")
    run = stage.start(spec(stage.folder))
    until(lambda: checkpoints(stage.results) >= 1)
    ballast = filled(tmpfs, 0)
    _, said = run.communicate(timeout=120 * PATIENCE)
    assert run.returncode == 75, said
    assert "no space is left; free some and run the same command again" in said
    stage.left.assert_none()
    ballast.unlink()
    again = stage.run(spec(stage.folder))
    assert again.returncode == 0, again.stderr
    survived("disk full under a sweep", stage, reference)


@pytest.mark.slow
@pytest.mark.faults
def test_results_become_read_only(stage: Scene, reference: Rows) -> None:
    run = stage.start(spec(stage.folder))
    until(lambda: checkpoints(stage.results) >= 1)
    folders = [stage.results / "metrics", stage.results / "checkpoints"]
    frozen = [folder for folder in folders if mounted("--bind", str(folder), str(folder))]
    try:
        if len(frozen) < 2:
            pytest.skip("this user may not mount: the read-only folder is not tried")
        for folder in frozen:
            until(lambda folder=folder: mounted("-o", "remount,bind,ro", str(folder)), 20)
        _, said = run.communicate(timeout=120 * PATIENCE)
        assert run.returncode == 75, said
        assert "the filesystem is read-only; make it writable and run the same command again" in said
        stage.left.assert_none()
    finally:
        for folder in frozen:
            unmount(folder)
        if run.poll() is None:
            send(run)
    again = stage.run(spec(stage.folder))
    assert again.returncode == 0, again.stderr
    survived("results remounted read-only", stage, reference)


@pytest.mark.slow
@pytest.mark.faults
def test_results_are_taken_away(stage: Scene, reference: Rows) -> None:
    run = stage.start(spec(stage.folder))
    until(lambda: checkpoints(stage.results) >= 1)
    away = stage.folder / "away"
    stage.results.rename(away)
    _, said = run.communicate(timeout=120 * PATIENCE)
    assert run.returncode == 75, said
    assert "was there when the run began, and is gone" in said
    assert not stage.results.exists(), "a record with nothing in it must not grow in its place"
    stage.left.assert_none()
    away.rename(stage.results)
    again = stage.run(spec(stage.folder))
    assert again.returncode == 0, again.stderr
    survived("results folder removed during the run", stage, reference)
