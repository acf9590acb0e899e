"""The sentences at the top of the page, against worlds in which the truth is known."""

from types import SimpleNamespace

import numpy as np

from analysis.report.answer import answer
from analysis.report.contents import conclude
from analysis.report.measured import best_by_size, measured
from analysis.source import source_of_published
from analysis.worlds import World, grid, some_repeats
from tests.analysis.report.records import LAW


def test_a_found_transition_is_the_headline(whole):
    said = whole.answer
    assert said.headline.startswith("The best depth grows from 1 to ")
    assert said.provisional is None
    one_to_two = next(c for c in whole.conclusions.study.crossings if (c.shallow, c.deep) == (1, 2))
    assert 0.6 < one_to_two.params / float(LAW.params(2**0.5)) < 1.6  # the world's own crossing
    assert f"2 layers overtake 1 near {one_to_two.params / 1e3:.0f}K" in said.lead


def test_rows_beyond_the_data_say_how_far(whole):
    beyond = [row for row in whole.answer.rows if row.beyond]
    assert [row.params for row in beyond] == ["1B", "100B", "1T"]
    assert all(row.measured == "not trained" for row in beyond)
    assert beyond[0].beyond == "200× beyond"
    assert beyond[0].published == "40 × 1,439"  # paper.md, L*(1e9)


def test_what_was_not_seen_is_named(whole):
    unseen = " ".join(whole.answer.unseen)
    assert "Sizes below 6.9K and above 4M parameters: a guideline for 1B is 200 times beyond the data" in unseen
    assert "Budgets other than 123K tokens" in unseen
    sure = " ".join(whole.answer.sure)
    assert "from repeats of 10 networks" in sure
    assert "1 and 2 layers: crosses" in sure
    assert "that spread is no part of any interval" in sure


def test_a_running_sweep_is_provisional_and_its_failures_are_counted(running):
    assert running.answer.provisional == (
        "Provisional: 29 of 60 trials have ended. Everything below will change as more do."
    )
    assert "2 trials without a usable loss: 1 diverged and 1 error" in " ".join(running.answer.unseen)
    assert {one.reason for one in running.flagged} == {
        "the trial ended as diverged: loss is nan at step 30",
        "the trial ended as error: RuntimeError: no luck",
    }


def test_too_few_trials_give_the_reason_and_no_numbers(few):
    said = few.answer
    assert said.headline == "No answer yet"
    assert said.lead.startswith("One depth only (1 layers)")
    assert said.lead.endswith("train the same sizes at another depth as well.")
    assert said.rows == ()
    assert few.laws == ()
    assert [chart.id for chart in few.charts] == ["guideline", "training"]


def test_a_world_without_a_transition_is_not_given_one(reading_of):
    shapes = grid((1, 2, 4), 8e3, 1e6, 14, law=LAW)
    rng = np.random.default_rng(3)
    flat = World(law=LAW, valley=None, noise_sd=5e-3).table(shapes, some_repeats(shapes), rng)
    made = conclude(flat, replicates=40)
    reading = reading_of()
    said = answer(reading, made.study, made.refusal, made.own, source_of_published("levine2020"))
    assert said.headline == "This sweep cannot tell its depths apart"
    assert "none found in this range" in said.lead
    assert made.own is None
    assert "No law could be fitted" in " ".join(said.sure)


def test_networks_of_nearly_one_size_are_compared_at_one_size():
    """Of two depths that are equally good the larger network has the lower loss, and must not win by that."""
    shapes = [(1, 40), (2, 30), (1, 80), (2, 60), (1, 160), (2, 120)]  # the deeper one 12 % larger
    world = World(law=LAW, valley=None, noise_sd=1e-9, size_gain=3.0)
    study = conclude(world.table(shapes, [1] * 6, np.random.default_rng(0)), replicates=0).study
    assert study is None or all(not row.sure for row in measured(study))


def test_runs_of_sizes_with_one_best_depth_are_one_phrase(whole):
    said = best_by_size(measured(whole.conclusions.study))
    assert said.startswith("1 layer up to ")
    assert ", then 2 layers up to " in said


def test_gemstones_say_something_true(gemstones):
    made = conclude(gemstones, replicates=20)
    reading = SimpleNamespace(running=False, notes=(), states={})  # of the record, of which there is none here
    said = answer(reading, made.study, made.refusal, made.own, source_of_published("levine2020"))
    assert said.headline.startswith("At 200M parameters the best depth is about ")
    assert "34 other budgets" in " ".join(said.unseen)
    assert "no network was trained with a second seed" in " ".join(said.unseen)
