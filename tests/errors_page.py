"""docs/errors.md from tests/errors.yaml: python -m tests.errors_page > docs/errors.md"""

from pathlib import Path
from typing import Any

import yaml

SOURCE = Path(__file__).with_name("errors.yaml")
HEAD = """\
# Errors and their cures

What people get wrong, what they are told, and what to do. Each of these is made for real by the tests, and the quoted
parts are what the message must have. Every message says where, what, why, and what to type next; the exit code says whose
turn it is: 2 the request is wrong and nothing was started, 3 some trials ended without a usable loss, 4 the data refuses,
75 stopped and resumable, 1 a defect of ours, which please report.
"""


def errors() -> dict[str, Any]:
    """The list, and the spec that is changed."""
    read: dict[str, Any] = yaml.safe_load(SOURCE.read_text())
    return read


def page() -> str:
    parts = [HEAD]
    for one in errors()["errors"]:
        changes = "".join(f"In the spec, `{line(old)}` is `{line(new)}`. " for old, new in one.get("spec", ()) if new)
        said = "\n".join(f"    … {phrase}" for phrase in one["says"])
        parts.append(
            f"## {one['name']}\n\n{changes}`{one['command']}` ends with {one['exit']}:\n\n{said}\n\n"
            f"**Why:** {one['why']}\n**Cure:** {one['cure']}\n"
        )
    return "\n".join(parts)


def line(text: str) -> str:
    return text.replace("\n", " … ")


if __name__ == "__main__":
    print(page(), end="")
