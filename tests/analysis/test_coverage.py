"""Do the intervals hold the truth as often as they say? A sample of benchmarks/coverage.py; docs/coverage.md has 2,000."""

import pytest
from scipy import stats

from analysis import coverage
from analysis.worlds import VALLEYS


def covered(design, worlds, replicates=1000):
    entries = [coverage.fitted_world(design, 10_000 + number, replicates=replicates) for number in range(worlds)]
    return {name: [entry[name]["covers"] for entry in entries] for name in ("a", "b", "depth")}, entries


def assert_cover(held, worlds):
    for name, hits in held.items():
        chance = stats.binomtest(sum(hits), worlds, 0.95).pvalue
        assert chance > 1e-3, (
            f"{name}: {sum(hits)} of {worlds} intervals hold the truth, which chance gives in {chance:.1e}"
        )


@pytest.mark.parametrize(("design", "worlds"), [("tenth", 36), ("few", 36)])
def test_95_percent_intervals_hold_the_truth(design, worlds):
    held, _ = covered(design, worlds, 200)
    assert_cover(held, worlds)


@pytest.mark.slow
@pytest.mark.parametrize("design", coverage.FITTED)
def test_95_percent_intervals_hold_the_truth_and_censoring_does_not_bias(design):
    worlds = 240
    held, entries = covered(design, worlds)
    assert_cover(held, worlds)
    summary = coverage.summarise(entries)
    for name in ("a", "b", "depth"):
        # A quarter of the estimate's standard deviation, and three standard errors of this mean.
        assert abs(summary[name]["bias_over_sd"]) < 0.25 + 3 / worlds**0.5
    assert {entry["valley"] for entry in entries} == set(VALLEYS)
