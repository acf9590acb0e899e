"""Specs to trials."""

import pytest

from models.counts import parameters
from sweeps.planning import plan
from sweeps.safe_yaml import SpecError
from tests.sweeps.specs import small


def test_sizes_become_the_nearest_widths() -> None:
    shapes = [
        p.trial.shape for p in plan(small(grid={"depths": [1, 3], "sizes": [1e4, 1e5], "widths": None}), "c", {}).trials
    ]
    assert [(s.depth, s.width) for s in shapes] == [(1, 28), (1, 92), (3, 16), (3, 52)]


def test_sizes_by_depth_and_limits() -> None:
    grid = {"sizes": {1: [1e4, 1e5], 2: [1e5]}, "largest": 9.9e4, "depths": None, "widths": None}
    shapes = [p.trial.shape for p in plan(small(grid=grid), "c", {}).trials]
    assert [s.label for s in shapes] == ["1×28", "2×64"]
    assert all(parameters(s) <= 9.9e4 for s in shapes)


def test_a_size_that_some_depths_lack_is_a_note_and_one_that_all_lack_an_error() -> None:
    made = plan(small(grid={"depths": [1, 8], "sizes": [200, 1e4], "widths": None}), "c", {})
    assert made.notes == ("small: grid: depth 8 has no width for 200 parameters; left out",)
    with pytest.raises(SpecError, match=r"small: grid\.sizes: no network of 8 layers has a size near 200"):
        plan(small(grid={"depths": [8], "sizes": [200], "widths": None}), "c", {})


@pytest.mark.parametrize(
    ("change", "message"),
    [
        ({"grid": {"widths": [9]}}, "small: grid: width 9 does not divide by heads 2; the nearest widths that do are 8 and 10"),
        ({"training": {"batch_tokens": 250}}, "small: training.batch_tokens is 250, which does not divide by model.context 32; use a multiple of it, such as 224"),
        ({"grid": {"largest": 10}}, "small: the grid is empty"),
        ({"model": {"family": "gpt", "kv_heads": 1}}, "small: grid: family gpt has no grouped queries"),
        ({"model": {"family": "llama", "heads": 4, "kv_heads": 3}}, "small: grid: heads 4 does not divide by kv_heads 3; each key-value head serves the same number of query heads, so use a divisor of 4"),
        ({"training": {"schedule": {"warmup_steps": 25}}}, "small: training.schedule.warmup_steps is 25, and the shortest training has 25 steps"),
        ({"training": {"schedule": {"kind": "wsd", "decay": 0.6}, "tokens": [6400, 6656]}}, "branches at step 10, which must lie after"),
    ],
    ids=["width", "batch", "empty", "family", "grouped heads", "warm-up", "branches"],
)  # fmt: skip
def test_what_does_not_fit_together_is_refused(change: dict[str, object], message: str) -> None:
    with pytest.raises(SpecError) as refused:
        plan(small(**change), "c", {})
    assert message in str(refused.value)


def test_several_grids_share_cells_and_add_seeds() -> None:
    grids = [{"depths": [1, 2], "widths": [8]}, {"shapes": [[1, 8]], "seeds": [0, 1, 2]}]
    found = [(p.trial.shape.label, p.trial.seed) for p in plan(small(grid=grids), "c", {}).trials]
    assert found == [("1×8", 0), ("2×8", 0), ("1×8", 1), ("1×8", 2)]


def test_rates_by_rule_sweep_and_factor() -> None:
    ruled = plan(small(training={"learning_rate": {"value": 1e-2, "width": 8, "width_power": -1}}), "c", {})
    assert [p.trial.recipe.learning_rate for p in ruled.trials] == [1e-2, 5e-3, 1e-2, 5e-3]
    swept = plan(
        small(grid={"depths": [1], "widths": [8]}, training={"learning_rate": {"sweep": [1e-3, 1e-2]}}), "c", {}
    )
    assert [p.trial.recipe.learning_rate for p in swept.trials] == [1e-3, 1e-2]
    factors = plan(small(grid={"depths": [1], "widths": [8], "learning_rate_factors": [0.5, 1, 2]}), "c", {})
    assert [p.trial.recipe.learning_rate for p in factors.trials] == [5e-3, 1e-2, 2e-2]


def test_a_trunk_is_shared_by_its_cooldowns() -> None:
    made = plan(
        small(grid={"depths": [1], "widths": [8]}, training={"tokens": [6400, 12800, 25600], "schedule": {"kind": "wsd"}}),
        "c", {},
    )  # fmt: skip
    found = [(p.purpose, p.trial.first, p.trial.last, p.trial.recipe.schedule.kind) for p in made.trials]
    assert found == [
        ("trunk", 0, 20, "constant"), ("result", 20, 25, "cooldown"),
        ("trunk", 20, 40, "constant"), ("result", 40, 50, "cooldown"),
        ("trunk", 40, 80, "constant"), ("result", 80, 100, "cooldown"),
    ]  # fmt: skip
    trunk = made.trials[0].trial.trial_id
    assert {p.run for p in made.trials} == {trunk}
    assert [p.trial.parent for p in made.trials[:3]] == [None, trunk, trunk]
    assert sum(p.trial.last - p.trial.first for p in made.trials) == 80 + 5 + 10 + 20


TRANSFER = {"learning_rate": {"transfer": "mup", "base": [1, 8], "sweep": [1e-3, 1e-2, 1e-1]}}


def test_a_transferred_rate_waits_for_its_proxies_and_is_literal_then() -> None:
    first = plan(small(training=TRANSFER), "c", {})
    proxies = [p.trial for p in first.trials]
    assert {p.purpose for p in first.trials} == {"proxy"}
    assert [w.trials for w in first.waiting] == [4]
    assert set(first.waiting[0].after) == {trial.trial_id for trial in proxies}

    losses: dict[str, float | None] = dict(zip([t.trial_id for t in proxies], [2.0, 1.0, 2.0], strict=True))
    second = plan(small(training=TRANSFER), "c", losses)
    results = [p for p in second.trials if p.purpose == "result"]
    assert not second.waiting
    assert {p.trial.recipe.learning_rate for p in results} == {1e-2}
    assert {p.trial.recipe.parametrization.rule for p in results} == {"mup"}
    assert results[0].rate_log_error == pytest.approx(0.2303, rel=1e-3)


def test_a_best_rate_at_the_edge_is_noted() -> None:
    proxies = [p.trial.trial_id for p in plan(small(training=TRANSFER), "c", {}).trials]
    made = plan(small(training=TRANSFER), "c", dict(zip(proxies, [1.0, 2.0, None], strict=True)))
    assert made.notes == ("the best proxy has the lowest rate tried, 0.001; try rates beyond it",)


def test_a_plan_without_its_corpus_is_provisional_and_hashes_differ() -> None:
    assert plan(small(), None, {}).provisional
    assert not plan(small(), "c", {}).provisional
    assert plan(small(), None, {}).hash != plan(small(), "c", {}).hash
