"""The wheel in fresh environments: it installs with the light dependencies alone, plans, recommends and analyses.

Run by `make test-wheel`, since installing takes minutes. A Python that is not at hand is skipped and says so.
"""

import json
import os
import shutil
import subprocess
import sys
import zipfile
from pathlib import Path

import numpy as np
import pytest

from analysis.worlds import PAPER_DEPTHS, VALLEYS, World, grid, some_repeats

pytestmark = pytest.mark.wheel

ROOT = Path(__file__).parents[2]
PYTHONS = ("3.11", "3.12", "3.13")
HEAVY = {"torch", "ray", "deepspeed", "tokenizers", "safetensors", "transformers"}


def interpreter(version: str) -> str | None:
    """A Python of that version: on the path, or of pyenv."""
    found = [shutil.which(f"python{version}"), *map(str, Path.home().glob(f".pyenv/versions/{version}.*/bin/python"))]
    for candidate in filter(None, found):
        asked = subprocess.run([candidate, "--version"], capture_output=True, text=True, check=False)
        if asked.returncode == 0 and asked.stdout.startswith(f"Python {version}."):
            return candidate
    return None


@pytest.fixture(scope="module")
def wheel(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """Built from what git has, as a release would be."""
    folder = tmp_path_factory.mktemp("wheel")
    source = folder / "source"
    subprocess.run(["git", "clone", "--quiet", "--depth", "1", f"file://{ROOT}", str(source)], check=True)
    build = [sys.executable, "-m", "pip", "wheel", "--quiet", "--no-deps", "-w", str(folder), str(source)]
    subprocess.run(build, check=True)
    return next(folder.glob("interplay-*.whl"))


@pytest.fixture(scope="module", params=PYTHONS)
def installed(request: pytest.FixtureRequest, wheel: Path, tmp_path_factory: pytest.TempPathFactory) -> Path:
    """The folder of programs of a fresh environment that has the wheel and nothing else."""
    base = interpreter(request.param)
    if base is None:
        pytest.skip(f"no Python {request.param} at hand: the wheel was not tried on it")
    place = tmp_path_factory.mktemp(f"python{request.param}") / "env"
    subprocess.run([base, "-m", "venv", str(place)], check=True)
    constraints = ["-c", str(ROOT / "constraints.txt")]
    subprocess.run([str(place / "bin" / "pip"), "install", "--quiet", *constraints, str(wheel)], check=True)
    return place / "bin"


def sweep(programs: Path, folder: Path, *words: str, exit_code: int = 0) -> str:
    """What `sweep WORDS` prints, as a user's shell in a folder of their own would see it."""
    environment = {key: value for key, value in os.environ.items() if key not in ("PYTHONPATH", "VIRTUAL_ENV")}
    done = subprocess.run(
        [str(programs / "sweep"), *words], capture_output=True, text=True, cwd=folder, env=environment, check=False
    )
    assert done.returncode == exit_code, done.stdout + done.stderr
    return done.stdout + done.stderr


def test_the_wheel_has_the_code_and_its_data(wheel: Path) -> None:
    names = zipfile.ZipFile(wheel).namelist()
    for name in (
        "orchestrator/devices.yaml",
        "analysis/data/known_models.json",
        "sweeps/quickstart.yaml",
        "models/py.typed",
    ):
        assert name in names
    assert not [name for name in names if name.startswith(("tests/", "benchmarks/"))]
    assert wheel.name.endswith("-py3-none-any.whl")  # any platform: macOS as far as metadata can promise it


def test_it_runs_with_the_light_dependencies_alone(installed: Path, tmp_path: Path) -> None:
    listed = subprocess.run(
        [str(installed / "pip"), "list", "--format=json"], capture_output=True, text=True, check=True
    )
    assert not HEAVY & {package["name"].lower() for package in json.loads(listed.stdout)}
    assert "recommend" in sweep(installed, tmp_path, "--help")
    assert "complete" in sweep(installed, tmp_path, "--show-completion", "bash").lower()
    answer = json.loads(sweep(installed, tmp_path, "recommend", "--params", "7e9", "--json"))
    assert (answer["shape"]["depth"], answer["shape"]["width"]) == (56, 3200)
    assert json.loads(sweep(installed, tmp_path, "schema"))["title"] == "Interplay sweep"
    assert "next: sweep plan mine.yaml" in sweep(installed, tmp_path, "init", "mine.yaml", "--hours", "1", "--yes")
    assert "device-hours" in sweep(installed, tmp_path, "plan", "mine.yaml")
    assert "pip install 'interplay[train]'" in sweep(installed, tmp_path, "run", "mine.yaml", exit_code=2)
    assert "pip install 'interplay[train]'" in sweep(installed, tmp_path, "doctor")


def test_it_analyses_a_results_folder(installed: Path, tmp_path: Path) -> None:
    shapes = grid(PAPER_DEPTHS, 1e6, 6e8, 10)
    table = World(valley=VALLEYS["gemstones"]).table(shapes, some_repeats(shapes), np.random.default_rng(0))
    table.to_csv(tmp_path / "world.csv", index=False)
    same = [
        word for name in ("depth", "width", "params", "tokens", "loss", "seed") for word in ("--map", f"{name}={name}")
    ]
    sweep(installed, tmp_path, "import", "table", "world.csv", *same)
    assert "completed" in sweep(installed, tmp_path, "status", "world")
    rows = json.loads(sweep(installed, tmp_path, "query", "select count(*) as n from trials", "--json"))
    assert rows == [{"n": len(table)}]
    fit = json.loads(sweep(installed, tmp_path, "fit", "world", "--law", "levine2020", "--json"))
    assert abs(fit["parameters"]["b"] - 0.0555) < 0.01
    answer = json.loads(
        sweep(installed, tmp_path, "recommend", "--params", "1e12", "--law", "fit:world:levine2020", "--json")
    )
    assert 60 < answer["depth"] < 150
    assert "100%" in sweep(installed, tmp_path, "watch", "world", "--once")
