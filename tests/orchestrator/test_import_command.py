"""sweep import as a user types it, and what the other commands make of the result."""

import json
import sys
from pathlib import Path

import pandas as pd
import pytest

from analysis.coverage import FEW
from analysis.record_losses import record_losses
from analysis.worlds import VALLEYS, World
from orchestrator.cli import guarded
from sweeps.store import open_store
from tests.analysis.conftest import GEMSTONES

ROWS = [
    {"layers": 2, "dim": 64, "val": 3.0, "who": "a"},
    {"layers": 4, "dim": 64, "val": 2.9, "who": "b"},
    {"layers": 8, "dim": 64, "val": 2.8, "who": "c"},
]
MAP = ("--map", "depth=layers", "--map", "width=dim", "--map", "loss=val", "--map", "tokens==1e9")


def sweep(monkeypatch: pytest.MonkeyPatch, *arguments: str) -> int:
    monkeypatch.setattr(sys, "argv", ["sweep", *arguments])
    return guarded()


@pytest.fixture
def runs(tmp_path: Path) -> Path:
    path = tmp_path / "Their Runs.csv"
    pd.DataFrame(ROWS).to_csv(path, index=False)
    return path


def test_a_table_becomes_a_sweep(runs, tmp_path, monkeypatch, capsys) -> None:
    results = str(tmp_path / "results")
    arguments = ("import", "table", str(runs), *MAP, "--block-coefficient", "12", "--results", results)
    assert sweep(monkeypatch, *arguments, "--json") == 0
    answer = json.loads(capsys.readouterr().out)
    assert (answer["sweep"], answer["rows"], answer["new"], answer["counting"]) == ("their-runs", 3, 3, "12·L·d²")
    table = record_losses(open_store(results), "their-runs")
    assert table["loss"].tolist() == [3.0, 2.9, 2.8]
    assert table["params"].tolist() == [12 * depth * 64**2 for depth in (2, 4, 8)]
    assert set(table["counting"]) == {"12·L·d²"}


@pytest.mark.parametrize(
    ("arguments", "code", "says"),
    [
        (("--map", "depth"), 2, "--map 'depth' is not OURS=THEIRS; for one value in every row write OURS==VALUE"),
        (("--map", "depth=dim"), 2, "--map 'depth=dim': depth is mapped to 'layers' already"),
        (("--loss-unit", "hartleys"), 2, "--loss-unit is 'hartleys'; it is nats, bits or perplexity"),
        ((), 4, "params is not mapped: give the column with N"),
        (("--map", "seed=who"), 4, "row 1 of Their Runs.csv, column 'who': 'a', and 2 more rows; as seed it must be a"),
    ],
)
def test_what_cannot_be_imported_is_refused(runs, tmp_path, monkeypatch, capsys, arguments, code, says) -> None:
    results = tmp_path / "results"
    assert sweep(monkeypatch, "import", "table", str(runs), *MAP, *arguments, "--results", str(results)) == code
    assert says in capsys.readouterr().err
    assert not results.exists()


def test_a_file_that_is_not_there(tmp_path, monkeypatch, capsys) -> None:
    assert sweep(monkeypatch, "import", "gemstones", str(tmp_path / "none.jsonl")) == 2
    assert "there is no file" in capsys.readouterr().err


def test_a_law_is_fitted_to_an_imported_world(tmp_path, monkeypatch, capsys) -> None:
    import numpy as np

    rows = World(valley=VALLEYS["gemstones"]).table(FEW, [3] * len(FEW), np.random.default_rng(1))
    rows.to_parquet(tmp_path / "world.parquet")
    results = ("--results", str(tmp_path / "results"))
    names = ("depth", "width", "params", "tokens", "loss", "seed", "run")
    maps = [part for name in names for part in ("--map", f"{name}={name}")]
    assert sweep(monkeypatch, "import", "table", str(tmp_path / "world.parquet"), *maps, *results) == 0
    capsys.readouterr()
    assert sweep(monkeypatch, "recommend", "--params", "1e9", "--law", "fit:world:levine2020", "--json", *results) == 0
    answer = json.loads(capsys.readouterr().out)
    assert answer["interval"]["depth"][0] < 40.24 < answer["interval"]["depth"][1]
    assert answer["extrapolation"] > 1


def test_gemstones_becomes_a_sweep(tmp_path, monkeypatch, capsys) -> None:
    if not GEMSTONES.is_dir():
        pytest.skip(f"no Gemstones data at {GEMSTONES}")
    results = ("--results", str(tmp_path / "results"))
    assert sweep(monkeypatch, "import", "gemstones", str(GEMSTONES / "hot_100b.jsonl"), *results) == 0
    assert "770 rows of 22 runs, 22 shapes; 770 are new" in capsys.readouterr().out
    assert sweep(monkeypatch, "doctor", *results) == 0
    table = record_losses(open_store(tmp_path / "results"), "gemstones")
    assert len(table) == 770
    assert table["run"].nunique() == 22
