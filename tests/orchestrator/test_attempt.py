"""A resumed attempt gives the numbers of an undisturbed one, whatever killed the one before."""

import signal
from collections.abc import Callable
from dataclasses import replace
from pathlib import Path

import pytest

from orchestrator.checkpoints import listed
from sweeps.store import Store, open_store
from sweeps.trial import Trial
from tests.orchestrator.gangs import planned, rows, run_gang
from tests.sweeps.specs import small

ONE = {"grid": {"depths": [2], "widths": [16]}}
DIED = -signal.SIGKILL


@pytest.fixture(scope="session")
def reference(tmp_path_factory: pytest.TempPathFactory) -> Callable[..., list[tuple[object, ...]]]:
    """Rows of undisturbed runs, each made once."""
    made: dict[tuple[object, ...], list[tuple[object, ...]]] = {}

    def of(workers: int, zero: int, precision: str) -> list[tuple[object, ...]]:
        key = (workers, zero, precision)
        if key not in made:
            store = open_store(tmp_path_factory.mktemp("reference"))
            trial = trial_of(store, zero, precision)
            assert run_gang(store, trial, 1, workers=workers) == [0] * workers
            made[key] = rows(store, trial)
        return made[key]

    return of


def trial_of(store: Store, zero: int, precision: str, **sections: object) -> Trial:
    spec = small(**ONE, training={"zero": zero, "precision": precision} | sections)
    return planned(spec, store).trials[0].trial


def fault(point: str) -> dict[str, str]:
    return {"INTERPLAY_FAULT": point}


@pytest.mark.parametrize(
    ("workers", "zero", "precision"),
    [(1, 1, "bf16"), (1, 0, "fp32"), (2, 0, "fp32"), (2, 1, "bf16")],
)
def test_killed_and_resumed_is_bit_for_bit_the_same(
    tmp_path: Path, reference: Callable[..., list[tuple[object, ...]]], workers: int, zero: int, precision: str
) -> None:
    store = open_store(tmp_path)
    trial = trial_of(store, zero, precision)
    codes = run_gang(store, trial, 1, workers=workers, environment=fault("part: encoded#2"))
    assert DIED in codes
    before = rows(store, trial)
    assert 0 < len(before) < 25
    assert run_gang(store, trial, 2, workers=workers) == [0] * workers
    assert rows(store, trial) == reference(workers, zero, precision)
    assert [step for step, *_ in rows(store, trial)] == list(range(1, 26))


def test_interrupted_it_is_resumed_where_it_stood(
    tmp_path: Path, reference: Callable[..., list[tuple[object, ...]]]
) -> None:
    store = open_store(tmp_path)
    trial = trial_of(store, 1, "bf16")
    assert run_gang(store, trial, 1, interrupt_at=9, checkpoint_every=100) == [0]
    assert [step for step, _ in listed(store, trial.trial_id)] == [12]
    assert run_gang(store, trial, 2) == [0]
    assert rows(store, trial) == reference(1, 1, "bf16")


@pytest.mark.parametrize("damage", ["flip", "truncate", "remove", "manifest"])
def test_a_damaged_checkpoint_is_set_aside_and_the_one_before_it_used(
    tmp_path: Path, reference: Callable[..., list[tuple[object, ...]]], damage: str
) -> None:
    store = open_store(tmp_path)
    trial = trial_of(store, 1, "bf16")
    assert run_gang(store, trial, 1, environment=fault("checkpoint: published#2")) == [DIED]
    (newest, _), (older, _) = listed(store, trial.trial_id)
    folder = tmp_path / "checkpoints" / trial.trial_id
    path = folder / (f"{newest:010d}-a0001.json" if damage == "manifest" else f"{newest:010d}-a0001-0.safetensors")
    data = bytearray(path.read_bytes())
    path.unlink()
    if damage != "remove":
        data[len(data) // 2] ^= 1
        path.write_bytes(data[: len(data) // 2] if damage == "truncate" else data)
    assert run_gang(store, trial, 2) == [0]
    assert rows(store, trial, "distinct resume_step") == [(0,), (older,)]
    assert rows(store, trial) == reference(1, 1, "bf16")
    assert (folder / f"{newest:010d}-a0001.damaged").exists()


def test_a_fenced_attempt_writes_nothing_more(tmp_path: Path) -> None:
    store = open_store(tmp_path)
    trial = trial_of(store, 1, "bf16")
    assert run_gang(store, trial, 2) == [0]
    assert run_gang(store, trial, 1) == [1]
    assert len(rows(store, trial)) == 25
    assert [path.name for path in (tmp_path / "metrics").iterdir() if "a0001" in path.name] == []


def test_a_cooldown_starts_from_its_trunk_and_shares_its_numbers(tmp_path: Path) -> None:
    store = open_store(tmp_path)
    schedule = {"kind": "wsd", "warmup_steps": 2}
    trials = [
        p.trial for p in planned(small(**ONE, training={"schedule": schedule, "tokens": [2560, 5120]}), store).trials
    ]
    for trial in trials:
        assert run_gang(store, trial, 1, keep_moments=trial.recipe.schedule.kind == "constant") == [0]
    whole = open_store(tmp_path / "whole")
    planned(small(**ONE), whole)
    stable = replace(trials[-1], first=0, parent=None)
    assert run_gang(whole, stable, 1) == [0]
    together = [row for trial in (trials[0], trials[2], trials[3]) for row in rows(store, trial)]
    assert together == rows(whole, stable)
