"""Early stopping: who is compared with whom, who goes on, and that what a fit needs is never stopped."""

from typing import Any

from orchestrator.halving import Halving
from sweeps.planning import plan
from sweeps.spec import EarlyStopping
from tests.sweeps.specs import small

RATES = [1e-3, 1e-2, 3e-2, 1e-1]


def halving(needed: bool = False, factor: float = 2, **sections: Any) -> tuple[Halving, list[str]]:
    made = plan(small(**sections), None, {})
    rule = EarlyStopping(tokens=1280, factor=factor, needed=needed)
    return Halving(rule, made.trials), [planned.trial.trial_id for planned in made.trials]


def test_trials_that_differ_only_in_their_rate_are_compared_at_equal_steps() -> None:
    rule, ids = halving(grid={"depths": [1], "widths": [8]}, training={"learning_rate": {"sweep": RATES}})
    assert rule.rungs(ids[0]) == (5, 10, 20)  # of 25 steps
    assert rule.heard(ids[0], 5, 3.0) is None  # the first to come is the best so far
    assert rule.heard(ids[1], 5, 2.0) is None
    assert rule.heard(ids[2], 5, 2.5) == "at step 5 its loss 2.5000 is number 2 of 3, and 1 go on"
    assert rule.heard(ids[3], 5, 2.4) is None  # two of four go on
    assert rule.heard(ids[0], 10, 2.9) is None
    assert rule.heard(ids[3], 7, 99.0) is None  # no rung


def test_the_best_of_a_set_always_goes_on_whatever_the_order() -> None:
    for values in ((4.0, 3.0, 2.0, 1.0), (1.0, 2.0, 3.0, 4.0), (2.0, 2.0, 2.0, 2.0)):
        rule, ids = halving(
            factor=10, grid={"depths": [1], "widths": [8]}, training={"learning_rate": {"sweep": RATES}}
        )
        for step in rule.rungs(ids[0]):
            said = [rule.heard(key, step, loss) for key, loss in zip(ids, values, strict=True)]
            assert said[values.index(min(values))] is None


def test_what_a_fit_needs_is_never_stopped_unless_the_spec_says_so() -> None:
    shapes = {"grid": {"depths": [1, 2], "widths": [8, 16]}, "training": {"seeds": [0, 1]}}
    rule, ids = halving(**shapes)
    assert all(rule.rungs(key) == () for key in ids)
    assert all(rule.heard(key, 5, 99.0) is None for key in ids)
    rule, ids = halving(needed=True, **shapes)
    assert rule.heard(ids[0], 5, 1.0) is None
    assert rule.heard(ids[1], 5, 2.0) is not None


def test_trunks_and_what_continues_them_are_left_alone() -> None:
    schedule = {"kind": "wsd", "warmup_steps": 2}
    rule, ids = halving(
        needed=True,
        grid={"depths": [1], "widths": [8]},
        training={"learning_rate": {"sweep": RATES}, "schedule": schedule},
    )
    assert all(rule.rungs(key) == () for key in ids)


def test_a_loss_that_is_missing_is_not_compared() -> None:
    rule, ids = halving(grid={"depths": [1], "widths": [8]}, training={"learning_rate": {"sweep": RATES}})
    assert rule.heard(ids[0], 5, None) is None
    assert rule.heard(ids[1], 5, 9.0) is None
