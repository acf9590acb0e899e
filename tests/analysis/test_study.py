import numpy as np
import pandas as pd
import pytest

from analysis.crossings import Verdict
from analysis.status import FitError
from analysis.study import by_size, study

# ../shared/pilot.md: held-out loss of bytes at 16M tokens, N ≈ 1.4e4, 5.9e4, 2.35e5, by depth: (width, loss).
PILOT = [
    {1: (36, 1.721), 2: (24, 1.804), 3: (20, 1.860), 4: (16, 1.989)},
    {1: (72, 1.491), 2: (48, 1.482), 3: (40, 1.514), 4: (36, 1.543)},
    {1: (140, 1.369), 2: (100, 1.250), 3: (80, 1.291), 4: (72, 1.298)},
]


def pilot_rows():
    rows = [(depth, width, 12 * depth * width**2, 16e6, loss) for row in PILOT for depth, (width, loss) in row.items()]
    return pd.DataFrame(rows, columns=["depth", "width", "params", "tokens", "loss"])


@pytest.fixture(scope="module")
def paper(paper_rows):
    return study(paper_rows, laws=("levine2020", "transition-power", "chinchilla"), replicates=200)


def test_a_study_says_everything_in_order(paper):
    assert paper.transition.startswith("found: 6 to 12 layers near N = 6")
    assert paper.noise.source == "seeds"
    assert set(paper.fits) == {"levine2020", "transition-power"}
    assert "every usable row has the same tokens" in paper.refused["chinchilla"]
    assert paper.disagreements == ()
    assert paper.paper.b > 0
    assert len(paper.bottoms) > 8
    assert len(paper.table) == 81
    assert [entry.law for entry in paper.ranking]


def test_asking_for_a_refused_law_gives_its_reason(paper):
    assert paper.fit("levine2020") is paper.fits["levine2020"]
    with pytest.raises(FitError, match="chinchilla: chinchilla has tokens in it"):
        paper.fit("chinchilla")
    with pytest.raises(FitError, match="was not asked for"):
        paper.fit("inverse-depth2026")


def test_two_opinions_agree_where_the_world_is_as_assumed(paper):
    surface, alone = paper.fits["levine2020"], paper.second_opinion["levine2020"]
    assert abs(surface.law.b - alone.law.b) < 3 * alone.draws[:, 1].std()


def test_the_pilot_shows_a_transition_on_two_cores():
    found = study(pilot_rows(), laws=("levine2020",), replicates=100)
    assert found.transition.startswith("found")
    one_to_two = next(c for c in found.crossings if (c.shallow, c.deep) == (1, 2))
    assert one_to_two.verdict in (Verdict.CROSSES, Verdict.LIKELY)
    assert 2e4 < one_to_two.params < 7e4  # pilot.md: "near N = 5e4"
    two_to_three = next(c for c in found.crossings if (c.shallow, c.deep) == (2, 3))
    assert two_to_three.verdict == Verdict.NOT_YET  # pilot.md: "above 2.4e5"
    assert two_to_three.interval[0] > 1e5
    assert found.noise.source == "residuals"
    assert found.fits["levine2020"].law.b > 0


def test_without_a_transition_no_law_is_fitted_and_the_reason_is_kept(paper_rows):
    worse = paper_rows.assign(loss=paper_rows["loss"] + 0.2 * np.log(paper_rows["depth"]))
    found = study(worse, laws=("levine2020",), replicates=50)
    assert found.transition.startswith("none found in this range, only bounded from one side")
    assert found.fits == {}
    assert found.refused["levine2020"].startswith("no transition to fit: none found in this range")


def test_scattered_depths_are_read_through_their_valley(gemstones):
    found = study(gemstones, tokens=100034150400, laws=("transition-power",), replicates=100)
    assert found.crossings == ()
    assert found.transition.startswith("no curves to compare")
    low, high = found.fits["transition-power"].depth_interval(1e9)
    assert low < 40 < high


def test_unusable_tables_are_refused_outright(paper_rows):
    with pytest.raises(FitError, match="one depth only"):
        study(paper_rows[paper_rows["depth"] == 6])
    with pytest.raises(FitError, match="disagree"):
        study(pd.concat([paper_rows, paper_rows.assign(loss=paper_rows["loss"] + 0.01)]))


def test_the_loss_table_by_size_marks_the_best_depth():
    rows = by_size(study(pilot_rows(), laws=("levine2020",), replicates=20).cells)
    assert [row.best for row in rows] == [1, 2, 2]
    assert rows[1].losses == {1: 1.491, 2: 1.482, 3: 1.514, 4: 1.543}


def test_a_given_noise_is_taken(paper_rows):
    found = study(paper_rows, laws=("levine2020",), noise_sd=2e-3, replicates=50)
    assert found.noise.source == "given"
    assert found.noise.sd == 2e-3


def test_too_few_networks_to_measure_the_noise_are_refused_with_the_way_out():
    with pytest.raises(
        FitError, match="noise cannot be measured: no network was trained with a second seed, and 8 networks"
    ):
        study(pilot_rows().query("depth < 4").iloc[:8])


def test_a_few_seeds_are_better_than_nothing():
    rows = pilot_rows().query("depth < 4").iloc[:8].assign(seed=0)
    again = rows.iloc[:2].assign(seed=1, loss=lambda table: table["loss"] + 0.004)
    found = study(pd.concat([rows, again]), laws=("levine2020",), replicates=20)
    assert found.noise.source == "seeds"
    assert found.noise.df == 2
    assert "8 networks are too few" in found.refused["levine2020"] or "no transition" in found.refused["levine2020"]
