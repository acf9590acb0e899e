"""The versions that the set-up commands install are the pinned ones, with hashes."""

import re
import tomllib
from pathlib import Path

from packaging.requirements import Requirement
from packaging.utils import canonicalize_name

ROOT = Path(__file__).parents[1]


def pins(file: str) -> dict[str, str]:
    found = re.findall(r"^([A-Za-z0-9_.-]+)==([^ \\\n]+)", (ROOT / file).read_text(), flags=re.MULTILINE)
    return {canonicalize_name(name): version for name, version in found}


def test_what_is_locked_is_pinned_and_has_its_hashes() -> None:
    pinned = pins("constraints.txt")
    assert {name: pinned.get(name) for name in pins("requirements.lock")} == pins("requirements.lock"), (
        "run `make lock`"
    )
    for entry in re.split(r"\n(?=[A-Za-z])", (ROOT / "requirements.lock").read_text().strip()):
        assert "--hash=sha256:" in entry, entry


def test_everything_the_set_up_asks_for_is_locked_but_torch() -> None:
    """torch has builds of its own for each platform under one version."""
    project = tomllib.loads((ROOT / "pyproject.toml").read_text())["project"]
    match = re.search(r"^EXTRAS := (.*)$", (ROOT / "Makefile").read_text(), flags=re.MULTILINE)
    assert match
    asked = list(project["dependencies"])
    for extra in match[1].split(","):
        asked += project["optional-dependencies"][extra]
    names = {canonicalize_name(Requirement(one).name) for one in asked} - {"torch"}
    assert names <= pins("requirements.lock").keys(), "run `make lock`"
