"""Data and worlds that several tests look at."""

from pathlib import Path

import numpy as np
import pandas as pd
import pytest

from analysis.cells import Cells
from analysis.coverage import PAPER, drawn_cells
from analysis.gemstones import gemstones_table
from analysis.worlds import VALLEYS, World, some_repeats

GEMSTONES = Path(__file__).parents[2].parent / "shared" / "data" / "gemstones"


@pytest.fixture(scope="session")
def gemstones_folder() -> Path:
    """The public Gemstones table and fits, which lie beside the repository; the project does not contain them."""
    if not GEMSTONES.is_dir():
        pytest.skip(f"no Gemstones data at {GEMSTONES}: tests against the published table are not run")
    return GEMSTONES


@pytest.fixture(scope="session")
def gemstones(gemstones_folder: Path) -> pd.DataFrame:
    return gemstones_table(gemstones_folder / "hot_100b.jsonl")


@pytest.fixture(scope="session")
def paper_cells() -> Cells:
    return drawn_cells(3)


@pytest.fixture(scope="session")
def paper_rows() -> pd.DataFrame:
    return World(valley=VALLEYS["gemstones"]).table(PAPER, some_repeats(PAPER), np.random.default_rng(3))
