"""A trial's identity: what changes it, what does not, and that it stays what it was."""

import json
from dataclasses import replace

import pytest

from sweeps.planning import plan
from sweeps.spec import Spec
from sweeps.trial import Trial, canonical
from tests.sweeps.specs import small

GOLDEN = ["8e1d8608cce60a0d", "0d0693ced2dacffb", "dae4b8ea59213a2b", "b623286c9c536811"]


def ids(spec: Spec, corpus: str = "c" * 64) -> set[str]:
    return {planned.trial.trial_id for planned in plan(spec, corpus, {}).trials}


def test_golden_ids() -> None:
    """These were handed out; if a change moves one, NUMERICS_VERSION must rise and the CHANGELOG say why."""
    trials = plan(small(), "c" * 64, {}).trials
    assert [planned.trial.trial_id for planned in trials] == GOLDEN


@pytest.mark.parametrize(
    "change",
    [
        {"training": {"learning_rate": 2e-2}},
        {"training": {"seeds": [1]}},
        {"training": {"zero": 0}},
        {"training": {"precision": "bf16"}},
        {"training": {"compile": True}},
        {"training": {"batch_tokens": 512}},
        {"training": {"tokens": 12800}},
        {"training": {"gradient_clipping": None}},
        {"training": {"optimizer": {"betas": [0.9, 0.99]}}},
        {"training": {"schedule": {"warmup": 0.2}}},
        {"model": {"family": "llama"}},
        {"model": {"tied": True}},
        {"evaluation": {"tokens": 2048}},
    ],
    ids=str,
)
def test_what_changes_the_numbers_changes_every_id(change: dict[str, dict[str, object]]) -> None:
    assert not ids(small()) & ids(small(**change))


def test_another_corpus_gives_other_ids() -> None:
    assert not ids(small()) & ids(small(), "d" * 64)


@pytest.mark.parametrize(
    "change",
    [
        {"name": "another"},
        {"cluster": {"workers": 2, "cpus_per_worker": 2, "micro_batch": 2, "checkpoint_seconds": 5, "retries": 0}},
        {"data": {"repeat": True}},
    ],
    ids=str,
)
def test_placement_and_names_do_not(change: dict[str, object]) -> None:
    assert ids(small()) == ids(small(**change))


def test_a_grown_grid_keeps_the_trials_it_had() -> None:
    assert ids(small()) < ids(small(grid={"depths": [1, 2, 3], "widths": [8, 16, 24]}))


def test_a_config_gives_its_trial_back() -> None:
    for planned in plan(small(training={"schedule": {"kind": "wsd"}, "tokens": [6400, 12800]}), "c", {}).trials:
        again = Trial.from_config(json.loads(canonical(planned.trial.config)))
        assert again == planned.trial
        assert again.trial_id == planned.trial.trial_id


def test_a_config_of_other_code_is_refused() -> None:
    trial = plan(small(), "c", {}).trials[0].trial
    with pytest.raises(ValueError, match="made by numerics version 0"):
        Trial.from_config(trial.config | {"numerics_version": 0})


@pytest.mark.parametrize("value", [float("nan"), float("inf"), {1: 2}, {1, 2}, object(), b"bytes"])
def test_a_value_without_a_stable_form_is_an_error(value: object) -> None:
    with pytest.raises(TypeError):
        canonical({"value": value})


def test_canonical_json_does_not_depend_on_order() -> None:
    assert canonical({"b": 1, "a": [1.5, None, True]}) == '{"a":[1.5,null,true],"b":1}'


def test_a_trial_that_starts_late_names_its_parent() -> None:
    trial = plan(small(), "c", {}).trials[0].trial
    with pytest.raises(ValueError, match="from a parent's last step"):
        replace(trial, first=3)
