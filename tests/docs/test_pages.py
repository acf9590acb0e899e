"""What the pages show is what happens: their commands are run and their Python is executed.

In docs/*.md a block fenced as `console` is a session: lines after `$ ` are run in one folder a page, and what follows
must be printed; a line of `…` stands for any lines, one within a line for any text, and after the comment
`<!-- numbers vary -->` a number stands for any. `yaml` blocks with a title become files; `python` blocks are executed,
each as a program of its own, in order. `bash` blocks are shown only.
"""

import os
import re
import shutil
import subprocess
import sys
from pathlib import Path

import pytest

from sweeps.store import open_store
from tests.analysis.report.records import publish

ROOT = Path(__file__).parents[2]
BLOCK = re.compile(r"(<!-- numbers vary -->\n)?^```(\w+)(?: title=\"([^\"]+)\")?\n(.*?)^```$", re.S | re.M)
PAGES = sorted(path for path in (ROOT / "docs").glob("*.md") if "```console" in path.read_text(encoding="utf-8"))
NUMBER = re.compile(r"(?:\b[0-9a-f]{16}\b|\d[\d.,]*(?:e[+-]?\d+)?k?)")


@pytest.fixture
def folder(tmp_path: Path) -> Path:
    """Where a reader would stand: the specs, and the record of a sweep called `first`."""
    shutil.copytree(ROOT / "sweeps", tmp_path / "sweeps", ignore=shutil.ignore_patterns("*.py", "__pycache__"))
    publish(open_store(tmp_path / "results"), "first", shapes=[(d, w) for d in (1, 2) for w in (16, 22, 32)])
    binaries = tmp_path / ".bin"
    binaries.mkdir()
    for name, words in {"sweep": ' -P -c "from orchestrator.cli import main; main()"', "python": ""}.items():
        (binaries / name).write_text(f'#!/bin/sh\nexec {sys.executable}{words} "$@"\n')
        (binaries / name).chmod(0o755)
    return tmp_path


def run(command: str | list[str], folder: Path) -> subprocess.CompletedProcess[str]:
    path = f"{folder / '.bin'}{os.pathsep}{os.environ['PATH']}"
    environment = os.environ | {"PATH": path, "PYTHONPATH": str(ROOT), "COLUMNS": "200"}
    return subprocess.run(
        command,
        shell=isinstance(command, str),
        cwd=folder,
        env=environment,
        capture_output=True,
        text=True,
        timeout=120,
        check=False,
    )


def shown(lines: list[str], numbers_vary: bool) -> str:
    """A pattern for the lines a page shows."""
    parts = []
    for line in lines:
        words = " ".join(line.split())
        if words == "…":
            parts.append(r"(?:.*\n)*?")
            continue
        pieces = []
        for piece in words.split("…"):
            cut = NUMBER.split(piece) if numbers_vary else [piece]
            pieces.append(NUMBER.pattern.join(map(re.escape, cut)))
        parts.append(".*".join(pieces) + r"\n")
    return "".join(parts)


def printed(text: str) -> str:
    """Without what only places words: blank lines, rules and runs of spaces."""
    lines = [" ".join(line.split()) for line in text.splitlines()]
    return "".join(f"{line}\n" for line in lines if line.strip("─ "))


@pytest.mark.slow
@pytest.mark.parametrize("page", PAGES, ids=lambda path: path.stem)
def test_a_page(page: Path, folder: Path) -> None:
    ran = 0
    for numbers_vary, language, title, text in BLOCK.findall(page.read_text(encoding="utf-8")):
        if language == "yaml" and title:
            (folder / title).write_text(text, encoding="utf-8")
        elif language == "python":
            done = run([sys.executable, "-W", "error", "-c", text], folder)
            assert done.returncode == 0, f"{page.name}:\n{text}\n{done.stderr}"
            ran += 1
        elif language == "console":
            for session in re.split(r"^\$ ", text, flags=re.M)[1:]:
                command, *lines = session.splitlines()
                done = run(command, folder)
                assert done.returncode == 0, f"{page.name}: {command}\n{done.stderr}"
                wanted, got = shown([line for line in lines if line.strip()], bool(numbers_vary)), printed(done.stdout)
                assert re.fullmatch(wanted, got), f"{page.name}: {command} printed\n{got}\nand not\n{wanted}"
                ran += 1
    assert ran


def test_a_page_that_shows_something_else_is_found() -> None:
    assert re.fullmatch(shown(["a 1", "…", "c 3…"], False), printed("a 1\n\n b\n───\nc  3 and more\n"))
    assert not re.fullmatch(shown(["a 1", "…"], False), printed("a 2\nb\n"))
    assert re.fullmatch(shown(["a 1.5 of 2e+04"], True), printed("a 7 of 3e-05\n"))
    assert not re.fullmatch(shown(["a 1.5 of 2e+04"], True), printed("b 7 of 3e-05\n"))
