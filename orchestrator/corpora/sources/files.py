"""Your own files: text, JSON lines or Parquet, plain or compressed, by pattern."""

from __future__ import annotations

import glob
from collections.abc import Iterator
from pathlib import Path

from pydantic import Field

from orchestrator.corpora.documents import Format, documents_of, format_of
from sweeps.safe_yaml import SpecError
from sweeps.strict import Strict


class Options(Strict):
    """{files: "texts/**/*.txt"}"""

    files: str | list[str] = Field(
        description="paths or patterns (*, ?, [], **), relative to where `sweep` is started; endings tell the format "
        "(.txt and any other: text, .jsonl, .parquet) and the compression (.gz, .zst, .bz2, .lz4)"
    )
    text: str | None = Field(None, description="JSON lines and Parquet: the column of text; `text` if left out")
    format: Format | None = Field(None, description="text, jsonl or parquet, whatever the endings say")
    separator: str | None = Field(
        None, description='text: what stands between two documents, such as "\\n\\n"; each file is one if left out'
    )


def fingerprint(options: Options) -> list[object]:
    """Path, size and modification time (ns) of every file."""
    facts: list[object] = []
    for path in matching(options.files, "data.corpus.files"):
        state = path.stat()
        facts.append([path.as_posix(), state.st_size, state.st_mtime_ns])
    return facts


def documents(options: Options) -> Iterator[bytes]:
    """Documents of every file, in the order of their paths."""
    for path in matching(options.files, "data.corpus.files"):
        kind = format_of(path.name, options.format)
        yield from documents_of(
            path,
            f"data.corpus.files: {path}",
            name=path.name,
            kind=kind,
            column=options.text,
            separator=options.separator,
        )


def matching(named: str | list[str], place: str) -> list[Path]:
    """The files that fit, each once, sorted. Raises SpecError for a pattern that fits none."""
    patterns = [named] if isinstance(named, str) else named
    found: set[Path] = set()
    for pattern in patterns:
        here = {Path(name) for name in glob.glob(str(Path(pattern).expanduser()), recursive=True)}
        files = {path for path in here if path.is_file()}
        if not files:
            inside = f"; to read a folder's files, write {pattern.rstrip('/')}/**/*.txt" if here else ""
            raise SpecError(f"{place}: no file fits {pattern!r} in {Path.cwd()}{inside}")
        found |= files
    return sorted(found)
