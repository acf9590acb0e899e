"""Speeds recovered from attempts whose true speeds are known."""

from dataclasses import replace
from pathlib import Path

import pytest

from models.architecture import Architecture
from orchestrator.calibration import Measured, calibrated, expected, says
from orchestrator.devices import SHIPPED, load_devices
from sweeps.loading import load_spec
from sweeps.planning import plan

PAPER = Path(__file__).parents[2] / "sweeps" / "paper.yaml"
DEVICES = load_devices(SHIPPED)


def attempts(seconds: float = 1.0, kind: str = "h100", count: int = 51) -> list[Measured]:
    made = plan(load_spec(PAPER), None, {})
    return [
        Measured(
            trial=planned.trial,
            kind=kind,
            workers=1,
            micro_batch=64,
            devices=1.0,
            nodes=1,
            recomputed=False,
            seconds=seconds,
        )
        for planned in made.trials[:count]
    ]


def test_a_world_of_other_speeds_is_recovered() -> None:
    true = replace(DEVICES.named("h100"), achieved=0.18, half_width=1500, block_us=420)
    every = [*attempts(), *(replace(each, micro_batch=1) for each in attempts())]
    found = [replace(each, seconds=expected(true, each)) for each in every]
    made, (one,) = calibrated(DEVICES, found)
    fitted = made.named("h100")
    for each in found:
        assert expected(fitted, each) == pytest.approx(each.seconds, rel=0.03)
    assert (fitted.achieved, fitted.half_width, fitted.block_us) == pytest.approx((0.18, 1500, 420), rel=0.1)
    assert one.attempts == 102
    assert one.slower > 2
    assert "times as slow as the file of devices says" in says(one)


def test_one_attempt_moves_the_speed_and_leaves_other_kinds_as_they_were() -> None:
    (only,) = attempts(count=1)
    slow = replace(only, seconds=3 * expected(DEVICES.named("h100"), only))
    made, (one,) = calibrated(DEVICES, [slow])
    assert expected(made.named("h100"), only) == pytest.approx(slow.seconds, rel=0.05)
    assert one.slower == pytest.approx(3)
    assert made.named("a100") == DEVICES.named("a100")


def test_attempts_on_a_kind_that_the_file_does_not_know_change_nothing() -> None:
    assert calibrated(DEVICES, attempts(kind="mystery")) == (DEVICES, [])
    assert calibrated(DEVICES, []) == (DEVICES, [])


def test_launches_that_cost_far_more_than_assumed_are_told_from_slow_products() -> None:
    """A step takes the longer of two times: where the file has it wrong which, only another start finds out."""
    true = replace(DEVICES.named("h100"), block_us=6000)
    found = [replace(each, seconds=expected(true, each)) for each in attempts()]
    made, _ = calibrated(DEVICES, found)
    fitted = made.named("h100")
    for each in found:
        assert expected(fitted, each) == pytest.approx(each.seconds, rel=0.1)
    assert fitted.block_us == pytest.approx(6000, rel=0.1)


def test_the_paces_of_a_real_gpu_are_fitted() -> None:
    """Milliseconds a step on one H200 (docs/log.md), where launching cost far more than was assumed."""
    seen = {(4, 256): 19.79, (16, 256): 46.36, (4, 512): 14.53, (12, 768): 60.04, (4, 1024): 29.83}
    seen |= {(24, 1024): 169.56, (4, 2048): 85.0}
    (one,) = attempts(kind="h200", count=1)
    found = []
    for (depth, width), milliseconds in seen.items():
        shape = Architecture(family="gpt", vocabulary=256, context=1024, heads=width // 64).shape(depth, width)
        recipe = replace(one.trial.recipe, batch_sequences=32, precision="bf16")
        trial = replace(one.trial, shape=shape, recipe=recipe)
        found.append(replace(one, trial=trial, micro_batch=32, seconds=milliseconds / 1000))
    assumed = replace(DEVICES.named("h200"), achieved=0.4, half_width=768, block_us=150)
    made, (calibration,) = calibrated(replace(DEVICES, kinds=(assumed,)), found)
    (fitted,) = made.kinds
    assert (fitted.achieved, fitted.half_width, fitted.block_us) == pytest.approx((0.70, 768, 3700), rel=0.02)
    assert calibration.error < 0.05
    shipped = DEVICES.named("h200")
    assert all(expected(shipped, each) == pytest.approx(each.seconds, rel=0.3) for each in found)
