"""The examples and the recipes run as they stand, on a record made from a world whose law is known."""

import os
import re
import subprocess
import sys
import warnings
from pathlib import Path

import numpy as np
import pytest

from analysis.worlds import PAPER_DEPTHS, VALLEYS, World, grid, some_repeats

ROOT = Path(__file__).parents[1]
EXAMPLES = ROOT / "examples"


@pytest.fixture(scope="module")
def results(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A record with the sweep `world`, brought in as a person would bring a table."""
    folder = tmp_path_factory.mktemp("examples")
    shapes = grid(PAPER_DEPTHS, 1e6, 6e8, 10)
    table = World(valley=VALLEYS["gemstones"]).table(shapes, some_repeats(shapes), np.random.default_rng(0))
    table.to_csv(folder / "world.csv", index=False)
    same = [
        word for name in ("depth", "width", "params", "tokens", "loss", "seed") for word in ("--map", f"{name}={name}")
    ]
    ran = command(["import", "table", str(folder / "world.csv"), *same, "--results", str(folder / "results")])
    assert ran.returncode == 0, ran.stderr
    return folder / "results"


def command(words: list[str]) -> subprocess.CompletedProcess[str]:
    return python(["-c", "from orchestrator.cli import main; main()", *words])


def python(words: list[str], cwd: Path = ROOT) -> subprocess.CompletedProcess[str]:
    environment = os.environ | {"PYTHONPATH": str(ROOT)}
    return subprocess.run(
        [sys.executable, *words], capture_output=True, text=True, cwd=cwd, env=environment, check=False
    )


def test_recommend() -> None:
    done = python([str(EXAMPLES / "recommend.py"), "1e12"])
    assert done.returncode == 0, done.stderr
    assert re.search(r"best depth at 1e\+12: 9[45]\.[0-9] layers", done.stdout)
    assert "inverse-depth2026" in done.stdout


def test_ask_results(results: Path) -> None:
    done = python([str(EXAMPLES / "ask_results.py"), str(results), "world"])
    assert done.returncode == 0, done.stderr
    assert "trials as Arrow" in done.stdout
    b = re.search(r"levine2020 converged \{'a': ([0-9.]+), 'b': ([0-9.]+)\}", done.stdout)
    assert b, done.stdout
    assert abs(float(b[2]) - 0.0555) < 0.01


def test_before_training() -> None:
    done = python([str(EXAMPLES / "before_training.py"), str(ROOT / "sweeps" / "quickstart.yaml")])
    assert done.returncode == 0, done.stderr
    assert "20 trainings of 1.88e+04 to" in done.stdout
    assert "in that world this grid says:" in done.stdout


@pytest.mark.slow
def test_the_notebook(results: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    import nbformat

    monkeypatch.setenv("INTERPLAY_RESULTS", str(results))
    monkeypatch.setenv("INTERPLAY_SWEEP", "world")
    monkeypatch.setenv("PYTHONPATH", str(ROOT))
    with warnings.catch_warnings():
        warnings.simplefilter("ignore")  # Jupyter's own
        from nbclient import NotebookClient

        book = nbformat.read(EXAMPLES / "from_record_to_guideline.ipynb", as_version=4)
        assert all(not cell.get("outputs") for cell in book.cells), "outputs are not committed"
        NotebookClient(book, timeout=120, resources={"metadata": {"path": str(EXAMPLES)}}).execute()
    shown = [kind for cell in book.cells for output in cell.get("outputs", ()) for kind in output.get("data", ())]
    assert "image/png" in shown
    assert "fit:world:levine2020" in str(book)


def recipes() -> list[str]:
    """Every Python block of docs/python.md."""
    return re.findall(r"```python\n(.*?)```", (ROOT / "docs" / "python.md").read_text(), flags=re.S)


@pytest.mark.parametrize("number", range(len(recipes())))
def test_the_recipes_of_the_page_run(results: Path, tmp_path: Path, number: int) -> None:
    code = recipes()[number].replace('"quickstart"', '"world"').replace("'quickstart'", "'world'")
    (tmp_path / "results").symlink_to(results)
    (tmp_path / "sweeps").symlink_to(ROOT / "sweeps")
    done = python(["-c", code], cwd=tmp_path)
    assert done.returncode == 0, done.stderr
    assert done.stdout
