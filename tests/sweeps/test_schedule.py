"""The learning rate over a training."""

import pytest

from sweeps.schedule import Schedule


def test_cosine_warms_up_peaks_and_ends_at_its_final_value() -> None:
    schedule = Schedule(kind="cosine", warmup=10, start=0, end=110, final=0.1)
    assert schedule.factor(1) == pytest.approx(0.1)
    assert schedule.factor(10) == 1.0
    assert schedule.factor(60) == pytest.approx(0.55)
    assert schedule.factor(110) == pytest.approx(0.1)


def test_linear_falls_evenly() -> None:
    schedule = Schedule(kind="linear", warmup=0, start=0, end=100, final=0.0)
    assert [schedule.factor(step) for step in (25, 50, 100)] == pytest.approx([0.75, 0.5, 0.0])


def test_a_cooldown_is_its_trunk_up_to_the_branch() -> None:
    trunk = Schedule(kind="constant", warmup=5, start=0, end=0, final=1.0)
    tail = Schedule(kind="cooldown", warmup=5, start=80, end=100, final=0.0)
    assert [trunk.factor(step) for step in range(1, 81)] == [tail.factor(step) for step in range(1, 81)]
    assert [tail.factor(step) for step in (85, 90, 100)] == pytest.approx([0.75, 0.5, 0.0])
