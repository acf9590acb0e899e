import re

import pytest

from analysis.guideline import published_sources
from analysis.known_models import compare, known_models
from analysis.source import source_of_published

LEVINE = source_of_published("levine2020")
MODELS = {model.name: model for model in known_models()}


@pytest.mark.parametrize("model", MODELS.values(), ids=MODELS)
def test_every_model_has_a_dated_source(model):
    assert re.fullmatch(r"20\d\d-\d\d", model.date)
    assert model.source
    assert model.mark in ("S", "M")
    given = [model.query_heads, model.kv_heads, model.head_dim, model.feed_forward, model.feed_forward_matrices]
    assert all(value is None for value in given) or all(value is not None for value in given)


@pytest.mark.parametrize(
    ("name", "params"),
    [
        ("GPT-3 175B", 174e9),
        ("Llama 3 8B", 6.98e9),
        ("Llama 3.1 405B", 402e9),
        ("PaLM 540B", 536e9),
        ("Qwen2.5-7B", 6.53e9),
    ],
)
def test_sizes_follow_from_the_shapes(name, params):
    assert MODELS[name].params == pytest.approx(params, rel=0.01)


@pytest.mark.parametrize(
    ("name", "trained", "best", "side"),
    [
        ("GPT-3 175B", 96, 80, "deep"),
        ("GPT-3 6.7B", 32, 54, "shallow"),
        ("Llama 3 8B", 32, 55, "shallow"),
        ("Llama 3.1 405B", 126, 87, "deep"),
        ("J1-Jumbo", 76, 80.5, "shallow"),
    ],
)
def test_levine_calls_small_models_shallow_and_large_ones_deep(name, trained, best, side):
    (found,) = compare([MODELS[name]], [LEVINE])
    assert found.model.depth == trained
    assert found.best_depth == pytest.approx(best, abs=0.6)
    assert found.side == side
    assert found.penalty_nats >= 0


def test_every_model_is_compared_with_every_law_that_has_a_depth():
    assert len(compare(MODELS.values(), published_sources())) == 4 * len(MODELS)
