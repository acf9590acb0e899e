import dataclasses

import numpy as np
import pytest

from analysis.coverage import EMPTY, drawn_cells, empty_world
from analysis.crossings import Verdict, adjacent, crossings, summary
from analysis.noise import Noise, noise_of_seeds
from analysis.status import FitError
from analysis.worlds import PAPER_LAW, VALLEYS, World

NOISE = Noise(sd=1e-3, df=np.inf, source="given")


def test_without_noise_a_crossing_is_at_the_size_best_for_the_geometric_mean(paper_cells):
    exact = World(valley=VALLEYS["even"]).loss(paper_cells.depth, paper_cells.params)
    found = adjacent(crossings(dataclasses.replace(paper_cells, loss=exact), NOISE))
    places = {(c.shallow, c.deep): c.params for c in found if c.verdict == Verdict.CROSSES}
    assert set(places) >= {(6, 12), (12, 18), (18, 24)}
    for (shallow, deep), params in places.items():
        assert params == pytest.approx(float(PAPER_LAW.params(np.sqrt(shallow * deep))), rel=0.05)


def test_intervals_hold_the_truth_as_often_as_they_say():
    held = [
        low <= float(PAPER_LAW.params(c.depth)) <= high
        for number in range(30)
        for cells in [drawn_cells(number, valley="even")]
        for c in adjacent(crossings(cells, noise_of_seeds(cells)))[:3]
        for low, high in [c.interval]
        if low and high
    ]
    # 90 intervals, 95 % each: fewer than 78 would be odd (binomial, p < 0.001).
    assert len(held) >= 85
    assert sum(held) >= 78


def test_pairs_beyond_the_data_are_bounded_from_below():
    cells = drawn_cells(1, design="tenth")
    found = {(c.shallow, c.deep): c for c in crossings(cells, noise_of_seeds(cells))}
    censored = found[6, 36]
    deep = found[24, 36]
    assert censored.verdict == Verdict.CROSSES or censored.verdict == Verdict.NOT_YET
    assert deep.verdict == Verdict.NOT_YET
    assert deep.params is None
    low, high = deep.interval
    assert high is None
    assert low < float(PAPER_LAW.params(deep.depth))


def test_a_deeper_network_that_leads_from_the_start_is_bounded_from_above(paper_cells):
    leading = paper_cells.loss - 0.1 * np.log(paper_cells.depth)
    found = crossings(dataclasses.replace(paper_cells, loss=leading), NOISE)
    first = adjacent(found)[0]
    assert first.verdict == Verdict.ALREADY
    assert first.interval[0] is None
    assert first.interval[1] is not None


@pytest.mark.parametrize("kind", EMPTY)
def test_a_world_without_a_transition_yields_none(kind):
    numbers = [number for number in range(100) if list(EMPTY)[number % len(EMPTY)] == kind]
    found = sum(bool(empty_world("tenth", number)["found"]) for number in numbers)
    # 20 worlds, at most 5 % each: more than five would be odd (p < 0.001).
    assert found <= 5


def test_a_lead_that_changes_hands_three_times_is_flagged(paper_cells):
    loss = paper_cells.loss.copy()
    six = np.flatnonzero(paper_cells.depth == 6)
    base = loss[six].copy()
    loss[six] = base + 0.1 * np.array([-1, -1, 1, 1, -1, -1, 1, 1])[: len(six)]
    found = crossings(dataclasses.replace(paper_cells, loss=loss), NOISE)
    assert "changes hands 3 times" in found[0].flags[0]


def test_the_opposite_of_a_transition_is_flagged(paper_cells):
    flat = World(valley=None).loss(paper_cells.depth, paper_cells.params)
    turned = flat + 0.02 * np.log(paper_cells.depth / 12) * np.log(paper_cells.params / 1e7)
    found = crossings(dataclasses.replace(paper_cells, loss=turned), NOISE)
    assert any("opposite of a transition" in flag for c in found for flag in c.flags)


def test_no_overlap_is_refused_with_the_ranges(paper_cells):
    shallow = (paper_cells.depth == 6) & (paper_cells.params < 1.5e7)
    deep = (paper_cells.depth == 24) & (paper_cells.params > 1.6e7)
    with pytest.raises(
        FitError, match=r"no overlap in N: .*6 layers 1e\+06 to .*; 24 layers .*train the depths at the same"
    ):
        crossings(paper_cells.take(shallow | deep), NOISE)


def test_the_summary_says_found_or_how_it_is_bounded(paper_cells):
    assert summary(crossings(paper_cells, noise_of_seeds(paper_cells))).startswith("found: 6 to 12 layers near N = 6")
    worse = dataclasses.replace(paper_cells, loss=paper_cells.loss + 0.1 * np.log(paper_cells.depth))
    assert summary(crossings(worse, NOISE)).startswith("none found in this range, only bounded from one side: 6 to 12")
    flat = dataclasses.replace(paper_cells, loss=World(valley=None).loss(paper_cells.depth, paper_cells.params))
    assert (
        summary(crossings(flat, NOISE))
        == "none found in this range: the differences between depths are within the noise"
    )


def test_more_noise_makes_every_interval_wider(paper_cells):
    quiet, loud = (crossings(paper_cells, dataclasses.replace(NOISE, sd=sd))[0] for sd in (5e-4, 2e-3))
    assert np.log(loud.interval[1] / loud.interval[0]) > 2 * np.log(quiet.interval[1] / quiet.interval[0])
