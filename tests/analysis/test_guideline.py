import json

import numpy as np
import pytest

from analysis.budget import Budget, Workload
from analysis.catalogue import published
from analysis.guideline import published_sources, recommend, spread, table
from analysis.law import LawError
from analysis.practical import Hardware
from analysis.source import source_of_published

LEVINE = source_of_published("levine2020")


def test_one_trillion_parameters():
    guideline = recommend(LEVINE, Budget(params=1e12))
    assert guideline.depth == pytest.approx(94.75, abs=0.01)
    assert guideline.width == pytest.approx(30_100, rel=0.02)
    assert guideline.extrapolation == pytest.approx(1e12 / 6e8)
    assert guideline.depth_interval == pytest.approx((91.7, 97.9), abs=0.1)
    assert guideline.theory == "deep"


def test_json_has_the_keys_that_outsiders_rely_on():
    said = recommend(LEVINE, Budget(params=1e12)).as_json()
    assert set(said) >= {"law", "params", "depth", "width", "confidence", "interval", "shape", "extrapolation"}
    assert set(said["interval"]) == {"depth", "width"}
    assert set(said["shape"]) >= {"depth", "width", "params"}
    assert said["interval"]["width"][0] < said["width"] < said["interval"]["width"][1]
    assert isinstance(said["shape"]["depth"], int)
    assert isinstance(said["shape"]["width"], int)
    assert json.loads(json.dumps(said, allow_nan=False)) == said


def test_inside_the_data_extrapolation_is_null():
    assert recommend(LEVINE, Budget(params=1e8)).as_json()["extrapolation"] is None


def test_without_a_covariance_there_is_no_interval_and_a_note():
    guideline = recommend(source_of_published("gemstones-width-depth-tokens"), Budget(params=1e9))
    assert guideline.as_json()["interval"] is None
    assert any("no covariance" in note for note in guideline.notes)


def test_flops_and_tokens_fix_the_size():
    guideline = recommend(LEVINE, Budget(flops=6e21, tokens=1e11))
    assert guideline.params == pytest.approx(1e10, rel=1e-6)
    assert guideline.tokens == 1e11
    assert any("attention and the head left out" in note for note in guideline.notes)


def test_attention_and_head_make_the_same_flops_a_smaller_network():
    bare, whole = (
        recommend(LEVINE, Budget(flops=6e21, tokens=1e11), workload=workload)
        for workload in (Workload(), Workload(context=2048, vocabulary=50_000))
    )
    assert whole.params < bare.params
    per_token = Workload(context=2048, vocabulary=50_000).flops_per_token(whole.params, whole.depth, whole.width)
    assert float(per_token) * 1e11 == pytest.approx(6e21, rel=1e-6)


def test_flops_alone_are_split_where_the_loss_is_least():
    guideline = recommend(LEVINE, Budget(flops=1e22))
    law, _ = published("chinchilla")
    losses = [float(law.loss(params=guideline.params * f, tokens=guideline.tokens / f)) for f in (0.9, 1.0, 1.1)]
    assert losses[1] == min(losses)
    assert guideline.params * guideline.tokens * 6 == pytest.approx(1e22, rel=1e-6)
    assert any("split between size and tokens by chinchilla (Besiroglu" in note for note in guideline.notes)


def test_a_law_of_tokens_splits_flops_by_itself_and_predicts_the_loss():
    guideline = recommend(source_of_published("gemstones-width-depth-params-tokens"), Budget(flops=1e22))
    assert any("by gemstones-width-depth-params-tokens" in note for note in guideline.notes)
    assert 1.5 < guideline.loss < 3


def test_a_law_without_depth_refuses():
    with pytest.raises(LawError, match="cannot recommend one"):
        recommend(source_of_published("chinchilla"), Budget(params=1e9))


def test_the_penalty_curve_is_zero_at_the_best_and_rises_to_both_sides():
    prices = np.array([nats for *_, nats in recommend(LEVINE, Budget(params=1e10)).penalties])
    best = int(np.argmin(prices))
    assert prices[best] == pytest.approx(0, abs=1e-12)
    assert (np.diff(prices[: best + 1]) < 0).all()
    assert (np.diff(prices[best:]) > 0).all()


def test_the_table_runs_from_a_million_to_a_trillion_and_shows_the_spread():
    rows = table(published_sources(), hardware=Hardware(multiple_of=64))
    assert [row[0].params for row in rows] == [1e6, 1e7, 1e8, 1e9, 1e10, 1e11, 1e12]
    assert [guideline.law for guideline in rows[0]] == [
        "levine2020",
        "gemstones-width-depth-params-tokens",
        "gemstones-width-depth-tokens",
        "inverse-depth2026",
    ]
    low, high = spread(rows[3])
    assert high / low < 2  # laws agree within a factor of two at 1e9 …
    low, high = spread(rows[-1])
    assert high / low > 2  # … and differ by more at 1e12
