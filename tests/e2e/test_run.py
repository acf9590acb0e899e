"""A sweep from YAML to conclusions, through Ray Tune and DeepSpeed, as a user runs it."""

import json
import os
import signal
from pathlib import Path

import pytest

from sweeps.store import open_store
from sweeps.views import connect
from tests.e2e.sweeping import PATIENCE, Leftovers, actors, kill, spec, started, steps_done, sweep, until

Rows = dict[str, list[tuple[int, float]]]


def metrics(results: Path) -> Rows:
    """Steps and losses by trial, in order."""
    with connect(open_store(results)) as connection:
        found = connection.execute("select trial_id, step, loss from metrics order by all").fetchall()
    rows: Rows = {}
    for trial, step, loss in found:
        rows.setdefault(trial, []).append((step, loss))
    return rows


@pytest.fixture(scope="module")
def undisturbed(tmp_path_factory: pytest.TempPathFactory) -> Rows:
    folder = tmp_path_factory.mktemp("undisturbed")
    assert sweep("run", str(spec(folder, steps=600)), "--results", str(folder / "r")).returncode == 0
    return metrics(folder / "r")


@pytest.mark.slow
def test_a_sweep_runs_once_and_then_has_nothing_to_do(tmp_path: Path) -> None:
    left = Leftovers()
    path, results = str(spec(tmp_path)), ["--results", str(tmp_path / "r")]
    first = sweep("run", path, *results)
    assert first.returncode == 0, first.stderr
    assert "4 trials: 4 trained now, 0 before" in first.stderr
    assert all([step for step, _ in rows] == list(range(1, 101)) for rows in metrics(tmp_path / "r").values())
    again = sweep("run", path, *results)
    assert again.returncode == 0
    assert "nothing to train: all 4 trials are in the record" in again.stderr
    assert again.stdout == first.stdout
    status = json.loads(sweep("status", "tiny", "--json", *results).stdout)
    assert {row["status"] for row in status} == {"completed"}
    assert sweep("doctor", *results).returncode == 0
    grown = spec(tmp_path, old="[8, 16]", new="[8, 16, 24]")
    third = sweep("run", str(grown), *results)
    assert "6 trials: 2 trained now, 4 before" in third.stderr
    (tmp_path / "r").rename(tmp_path / "moved")
    moved = sweep("run", str(grown), "--results", str(tmp_path / "moved"))
    assert "nothing to train" in moved.stderr
    left.assert_none()


@pytest.mark.slow
def test_two_workers_a_trial(tmp_path: Path) -> None:
    left = Leftovers()
    path = spec(tmp_path, old="cluster: {", new="cluster: {workers: 2, ")
    done = sweep("run", str(path), "--results", str(tmp_path / "r"))
    assert done.returncode == 0, done.stderr
    assert all(len(rows) == 100 for rows in metrics(tmp_path / "r").values())
    one = sweep("run", str(spec(tmp_path)), "--results", str(tmp_path / "r"))
    assert "nothing to train" in one.stderr
    left.assert_none()


@pytest.mark.slow
def test_a_killed_actor_is_replaced_and_the_numbers_are_the_same(tmp_path: Path, undisturbed: Rows) -> None:
    left = Leftovers()
    results = tmp_path / "r"
    run = started("run", str(spec(tmp_path, steps=600)), "--results", str(results))
    until(lambda: steps_done(results) >= 2)
    kill(actors(run)[0])
    _, said = run.communicate(timeout=240 * PATIENCE)
    assert run.returncode == 0, said
    assert "lost" in said
    assert metrics(results) == undisturbed
    left.assert_none()


@pytest.mark.slow
def test_a_killed_driver_is_followed_by_another_run(tmp_path: Path, undisturbed: Rows) -> None:
    left = Leftovers()
    results = tmp_path / "r"
    run = started("run", str(spec(tmp_path, steps=600)), "--results", str(results))
    until(lambda: steps_done(results) >= 2)
    kill(run)
    run.communicate()
    left.assert_none()
    again = sweep("run", str(spec(tmp_path, steps=600)), "--results", str(results))
    assert again.returncode == 0, again.stderr
    assert metrics(results) == undisturbed


@pytest.mark.slow
@pytest.mark.parametrize("number", [signal.SIGINT, signal.SIGTERM], ids=["SIGINT", "SIGTERM"])
def test_a_signal_saves_and_the_next_run_goes_on(tmp_path: Path, undisturbed: Rows, number: int) -> None:
    left = Leftovers()
    results = tmp_path / "r"
    run = started("run", str(spec(tmp_path, steps=600)), "--results", str(results))
    until(lambda: steps_done(results) >= 1)
    os.kill(run.pid, number)
    _, said = run.communicate(timeout=60 * PATIENCE)
    assert run.returncode == 128 + number, said
    left.assert_none()
    with connect(open_store(results)) as connection:
        ended = connection.execute("select ended from attempts where ended is not null").fetchall()
    assert any(reason.startswith("interrupted") for (reason,) in ended)
    again = sweep("run", str(spec(tmp_path, steps=600)), "--results", str(results))
    assert again.returncode == 0, again.stderr
    assert metrics(results) == undisturbed


@pytest.mark.parametrize(
    ("old", "new", "message"),
    [
        ("heads:", "haeds:", "tiny.yaml:2: model.haeds: there is no such key; did you mean 'heads'?"),
        ("widths: [8, 16]", "widths: [9]", "width 9 does not divide by heads 2; the nearest widths that do are 8 and 10"),
        ("depths: [1, 2]", "depths: [0]", "grid.depths[0] is 0; it should be greater than or equal to 1"),
        ("batch_tokens: 256", "batch_tokens: 250", "training.batch_tokens is 250, which does not divide by model.context 32"),
        ("python-stdlib", "python-stdlb", "data.corpus: there is no source of text called 'python-stdlb'; did you mean"),
        ("depths: [1, 2], widths: [8, 16]", "depths: [48], sizes: [100]", "no network of 48 layers has a size near 100"),
        ("python-stdlib", "!!python/object/apply:os.system ['true']", "the tag 'tag:yaml.org,2002:python/object/apply:os.system' is not allowed"),
        ("name: tiny", "name: ../tiny", "name is '../tiny'; allowed are lower-case letters, digits"),
    ],
    ids=["key", "width", "layers", "batch", "corpus", "size", "tag", "name"],
)  # fmt: skip
def test_a_bad_request_starts_nothing(tmp_path: Path, old: str, new: str, message: str) -> None:
    done = sweep("run", str(spec(tmp_path, old=old, new=new)), "--results", str(tmp_path / "r"))
    assert (done.returncode, message in done.stderr) == (2, True), done.stderr
    assert not (tmp_path / "r").exists()
