"""Figures: every number finite, every colour a token the page knows, every figure also in words and as a table."""

import json
import re
from typing import Any

import numpy as np

from analysis.report.ask import ask_data
from analysis.report.charts.style import DASHES, MARKERS, log_axis
from analysis.report.page import ASSETS
from analysis.source import source_of_fit

TOKEN = re.compile(r"@(ink|soft|muted|grid|card|accent|seq:[0-9.]+|cat:[0-5])(~0?\.\d+)?")


def strings(value: Any) -> list[str]:
    match value:
        case str():
            return [value]
        case dict():
            return [text for item in value.values() for text in strings(item)]
        case list():
            return [text for item in value for text in strings(item)]
    return []


def test_all_figures_are_there(whole):
    assert [chart.id for chart in whole.charts] == [
        "losses", "best-depth", "valleys", "transition", "residuals", "guideline", "training",
    ]  # fmt: skip


def test_every_figure_stands_in_words_and_as_a_table(whole, few, running):
    for chart in (*whole.charts, *few.charts, *running.charts):
        assert len(chart.alternative) > 20, chart.id
        assert chart.rows, chart.id
        assert {len(row) for row in chart.rows} == {len(chart.columns)}, chart.id
        assert all(isinstance(cell, str) for row in chart.rows for cell in row), chart.id


def test_figures_are_json_without_nan_and_colours_are_tokens(whole, few, running):
    for chart in (*whole.charts, *few.charts, *running.charts):
        json.dumps(chart.spec(), allow_nan=False)
        for text in strings(chart.spec()):
            if text.startswith("@"):
                assert TOKEN.fullmatch(text), text
            assert not re.match(r"#[0-9a-f]{3,8}$|rgb", text), (
                f"{chart.id} names a colour that no theme changes: {text}"
            )


def test_depths_differ_without_colour(whole):
    losses = whole.charts[0].views[0].data
    points = [trace for trace in losses if trace["mode"] == "markers"]
    lines = [trace for trace in losses if trace["mode"] == "lines"]
    assert len({trace["marker"]["symbol"] for trace in points}) == len(points)
    assert len({trace["line"]["dash"] for trace in lines}) == len(lines)
    assert len(set(MARKERS)) == len(MARKERS)
    assert len(set(DASHES)) == len(DASHES)


def test_the_script_knows_every_named_token():
    script = (ASSETS / "theme.js").read_text(encoding="utf-8")
    for theme in ("light", "dark"):
        named = re.search(rf"{theme}: {{ (ink.*?) }}", script)
        assert named
        assert set(re.findall(r"(\w+):", named[1])) == {"ink", "soft", "muted", "grid", "card", "accent"}


def test_ticks_are_as_people_say_them():
    axis = log_axis("N", 1.5e4, 2.2e5, counts=True)
    assert axis["ticktext"] == ["20K", "50K", "100K", "200K"]
    assert log_axis("L", 0.7, 9, counts=False)["ticktext"] == ["1", "2", "3", "4", "5", "6", "8"]


def test_the_page_interpolates_laws_finely_enough(whole):
    """Half-way between the sizes the page knows, ln L from its neighbours is the law's to one part in a thousand."""
    own = whole.conclusions.own
    data = ask_data(own, ())
    log_params = np.array(data["log_params"])
    depth = np.array(data["laws"][0]["depth"])
    inner = log_params[:-1] > np.log(1e5)  # below one layer the law bends, and is not asked
    middle = (log_params[:-1] + log_params[1:]) / 2
    exact = np.log(own.depth(np.exp(middle)))
    assert np.abs(exact - (depth[:-1] + depth[1:]) / 2)[inner].max() < 1e-3
    source = source_of_fit("x", whole.conclusions.study.fits["levine2020"])
    assert source.depth_interval(1e6) is not None
