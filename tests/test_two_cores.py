"""The record of the two-core sweep, its numbers and its page say the same."""

import os
import subprocess
import sys
from pathlib import Path

ROOT = Path(__file__).parents[1]
HERE = ROOT / "examples" / "two-cores"


def test_numbers_and_page_are_what_the_record_says() -> None:
    words = [sys.executable, str(HERE / "reproduce.py"), "--check"]
    done = subprocess.run(
        words, capture_output=True, text=True, cwd=ROOT, env={**os.environ, "PYTHONPATH": str(ROOT)}, check=False
    )
    assert done.returncode == 0, done.stdout + done.stderr
    assert done.stdout == "numbers and page are the record's\n"


def test_the_record_is_small() -> None:
    assert sum(path.stat().st_size for path in (HERE / "record").rglob("*") if path.is_file()) <= 5_000_000
