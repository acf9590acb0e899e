"""The shell completes commands and options."""

import os
import subprocess
import sys
from pathlib import Path

import pytest

ROOT = Path(__file__).parents[2]


def asked(**environment: str) -> subprocess.CompletedProcess[str]:
    return subprocess.run(
        [sys.executable, "-c", "from orchestrator.cli import main; main()"],
        capture_output=True, text=True, cwd=ROOT, env=os.environ | environment, check=False,
    )  # fmt: skip


@pytest.mark.parametrize(
    ("typed", "word", "offered"),
    [("sweep re", "1", {"retry", "recommend", "report"}), ("sweep recommend --par", "2", {"--params"})],
)
def test_bash(typed: str, word: str, offered: set[str]) -> None:
    done = asked(_SWEEP_COMPLETE="complete_bash", COMP_WORDS=typed, COMP_CWORD=word)
    assert done.returncode == 0, done.stderr
    assert set(done.stdout.split()) == offered


def test_zsh() -> None:
    done = asked(_SWEEP_COMPLETE="complete_zsh", _TYPER_COMPLETE_ARGS="sweep wat")
    assert '"watch":' in done.stdout
