"""The three Gemstones laws, against the files their authors published."""

import json

import numpy as np
import pytest

from analysis.catalogue import published
from analysis.law import LawError
from analysis.loss_fit import objective

FILES = {
    "gemstones-params-tokens": "approach_3_parameters_grid_search_0_hot_100b+.json",
    "gemstones-width-depth-tokens": "approach_3_width_depth_grid_search_0_hot_100b+.json",
    "gemstones-width-depth-params-tokens": "approach_3_width_depth_parameters_grid_search_0_hot_100b+.json",
}


@pytest.mark.parametrize("name", FILES)
def test_the_constants_are_the_published_ones_and_give_the_published_objective(name, gemstones, gemstones_folder):
    said = json.loads((gemstones_folder / FILES[name]).read_text())
    law, _ = published(name)
    constants = [*said["exponents"]["0"], *said["coefficients"]["0"], said["irreducible_error"]["0"]]
    assert law.theta.tolist() == constants
    printed = said["loss"]["0"]
    digits = len(f"{printed:.12f}".rstrip("0").split(".")[1])
    assert round(objective(law, gemstones), digits) == printed


@pytest.mark.parametrize(
    ("name", "depths"),
    [
        ("gemstones-width-depth-params-tokens", [26, 40, 62, 96, 148]),
        ("gemstones-width-depth-tokens", [17, 52, 158, 476, 1436]),
    ],
)
def test_best_depths_by_decade(name, depths):
    # ../shared/paper.md prints whole layers; 40 of the first row is 40.53 by its own constants.
    law, _ = published(name)
    assert law.depth(np.array([1e8, 1e9, 1e10, 1e11, 1e12])) == pytest.approx(depths, abs=0.6)


def test_the_law_without_shape_recommends_none():
    law, _ = published("gemstones-params-tokens")
    with pytest.raises(LawError, match="cannot recommend one"):
        law.depth(1e9)
