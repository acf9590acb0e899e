import dataclasses

import numpy as np
import pytest

from analysis.crossings import Crossing, Verdict, adjacent
from analysis.figures.guideline import guideline_figure
from analysis.figures.losses import loss_figure
from analysis.figures.residuals import residual_figure
from analysis.figures.style import shade, write
from analysis.figures.tokens import tokens_figure
from analysis.figures.transition import transition_figure
from analysis.figures.valleys import valley_figure
from analysis.guideline import published_sources
from analysis.known_models import known_models
from analysis.study import study


@pytest.fixture(scope="module")
def paper(paper_rows):
    return study(paper_rows, laws=("levine2020",), replicates=60)


@pytest.fixture(scope="module")
def figures(paper):
    fit = paper.fits["levine2020"]
    return {
        "losses": loss_figure(paper.cells, paper.noise, paper.crossings),
        "transition": transition_figure(paper.crossings, fit),
        "valleys": valley_figure(paper.cells, paper.noise, paper.bottoms, fit),
        "guideline": guideline_figure(published_sources(), known_models()),
        "residuals": residual_figure(paper.cells, fit),
        "tokens": tokens_figure({1e10: paper.crossings[::3], 2e10: paper.crossings}, paper.cells.counting),
    }


@pytest.mark.parametrize("name", ["losses", "transition", "valleys", "guideline", "residuals", "tokens"])
def test_every_figure_is_written_as_vector_and_raster(figures, name, tmp_path):
    vector, raster = write(figures[name], tmp_path / "figures", name)
    assert vector.read_text().startswith("<?xml")
    assert raster.read_bytes().startswith(b"\x89PNG")
    assert raster.stat().st_size > 10_000


def test_the_same_data_is_the_same_bytes(paper, tmp_path):
    first, second = (write(transition_figure(paper.crossings), tmp_path / name, "t") for name in ("a", "b"))
    for one, other in zip(first, second, strict=True):
        assert one.read_bytes() == other.read_bytes()


def test_axes_say_what_they_count(figures):
    assert figures["losses"].axes[1].get_xlabel() == "N, parameters (the blocks' weight matrices alone)"
    assert "nats" in figures["losses"].axes[0].get_ylabel()


def test_the_transition_shows_the_theory_and_the_paper_beside_the_fit(figures):
    labels = [text.get_text() for text in figures["transition"].axes[0].get_legend().get_texts()]
    assert labels == ["levine2020, fitted", "95% interval", "Levine et al. 2020", "theory: d = 3^L"]


def test_crossings_over_tokens_are_a_line_a_pair_of_neighbours(paper, figures):
    axes = figures["tokens"].axes[0]
    labels = [text.get_text() for text in axes.get_legend().get_texts()]
    expected = [f"{one.shallow:g} → {one.deep:g}" for one in adjacent(paper.crossings)]
    assert set(expected) <= set(labels)
    by_label = {line.get_label(): line.get_ydata() for line in axes.get_lines()}
    found = next(one for one in adjacent(paper.crossings) if one.verdict == Verdict.CROSSES)
    assert found.params in by_label[f"{found.shallow:g} → {found.deep:g}"]


def test_a_bound_is_an_arrow_on_the_side_where_the_crossing_lies():
    above = Crossing(shallow=1, deep=2, verdict=Verdict.NOT_YET, overlap=(1e4, 1e6), interval=(2e5, None))
    below = Crossing(shallow=2, deep=3, verdict=Verdict.ALREADY, overlap=(1e4, 1e6), interval=(None, 3e4))
    drawn = tokens_figure({1e6: (above, below)}, "blocks").axes[0].get_lines()
    arrows = [(line.get_marker(), list(line.get_ydata())) for line in drawn if "arrow" in str(line.get_marker())]
    assert arrows == [("$\\uparrow$", [2e5]), ("$\\downarrow$", [3e4])]


def test_shades_differ_in_lightness():
    lightness = [0.299 * r + 0.587 * g + 0.114 * b for r, g, b in (shade(place, 6) for place in range(6))]
    assert np.diff(lightness).min() > 0.05


def test_residuals_of_another_fit_are_a_programming_error(paper):
    fit = paper.fits["levine2020"]
    with pytest.raises(ValueError, match="a fit of a transition law to these cells"):
        residual_figure(paper.cells, dataclasses.replace(fit, residuals=fit.residuals[:5]))


def test_figures_are_drawn_without_a_fit_too(paper, tmp_path):
    write(transition_figure(paper.crossings), tmp_path, "bare")
    write(transition_figure(()), tmp_path, "empty")
    write(tokens_figure({}, paper.cells.counting), tmp_path, "no budgets")
    write(valley_figure(paper.cells, paper.noise), tmp_path, "valleys")
