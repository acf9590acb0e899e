"""Print the pins of constraints.txt that Interplay with some extras needs, but torch's: what is locked with hashes.

python .ci/pinned.py train,s3,dev, where those are installed: it follows their declared requirements.
"""

import importlib.metadata as metadata
import re
import sys
import tomllib
from pathlib import Path

from packaging.requirements import Requirement
from packaging.utils import canonicalize_name

ROOT = Path(__file__).parents[1]


def needed(extras_of_ours: list[str]) -> set[str]:
    """Names of everything the set-up commands install, except torch, whose builds differ by platform."""
    project = tomllib.loads((ROOT / "pyproject.toml").read_text())["project"]
    ours = [project["dependencies"], *(project["optional-dependencies"][extra] for extra in extras_of_ours)]
    waiting = [Requirement(text) for texts in ours for text in texts]
    found: set[str] = set()
    seen: set[tuple[str, frozenset[str]]] = set()
    while waiting:
        asked = waiting.pop()
        name, extras = canonicalize_name(asked.name), frozenset(asked.extras)
        if (name, extras) in seen:
            continue
        seen.add((name, extras))
        try:
            further = [Requirement(text) for text in metadata.requires(name) or []]
        except metadata.PackageNotFoundError:
            continue  # for another platform
        found.add(name)
        for one in further:
            if one.marker is None or any(one.marker.evaluate({"extra": extra}) for extra in extras or {""}):
                waiting.append(one)
    return found - {"torch"}


def main() -> None:
    wanted = needed(sys.argv[1].split(","))
    for line in (ROOT / "constraints.txt").read_text().splitlines():
        if (match := re.match(r"([A-Za-z0-9_.-]+)==", line)) and canonicalize_name(match[1]) in wanted:
            print(line)


if __name__ == "__main__":
    main()
