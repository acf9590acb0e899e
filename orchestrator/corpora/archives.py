"""The text files inside a wheel, a zip file or a tar archive, in the order of their names, without unpacking it."""

from __future__ import annotations

import tarfile
import zipfile
from collections.abc import Iterator, Sequence
from fnmatch import fnmatchcase
from pathlib import Path

from orchestrator.corpora.documents import Format, checked, format_of, stream_documents
from sweeps.safe_yaml import SpecError


def is_archive(path: Path) -> bool:
    return zipfile.is_zipfile(path) or tarfile.is_tarfile(path)


def archive_documents(
    path: Path, place: str, *, include: Sequence[str], kind: Format | None, column: str | None, separator: str | None
) -> Iterator[bytes]:
    """Documents of the members whose path or name fits one of the patterns.

    Members that are no text, or have none, are left out: an archive is as someone else made it. Raises SpecError
    where nothing fits.
    """
    opened = zipped if zipfile.is_zipfile(path) else tarred
    found = False
    for name, data in opened(path, include):
        member = f"{place}: {name}"
        if format_of(name, kind) == "text" and not is_text(data):
            continue
        found = True
        yield from stream_documents(Held(data), member, kind=format_of(name, kind), column=column, separator=separator)
    if not found:
        raise SpecError(
            f"{place}: nothing in it that is text fits {', '.join(include)}; say other patterns by include:"
        )


class Held:
    """Bytes read in blocks."""

    def __init__(self, data: bytes) -> None:
        self.data, self.place = data, 0

    def read(self, size: int = -1, /) -> bytes:
        end = len(self.data) if size < 0 else self.place + size
        block = self.data[self.place : end]
        self.place += len(block)
        return block


def is_text(data: bytes) -> bool:
    try:
        return bool(checked(data, "", 0).strip())
    except SpecError:
        return False


def fits(name: str, include: Sequence[str]) -> bool:
    """Whether a member's whole path, or its name alone, fits a pattern."""
    return any(fnmatchcase(name, pattern) or fnmatchcase(name.rsplit("/", 1)[-1], pattern) for pattern in include)


def zipped(path: Path, include: Sequence[str]) -> Iterator[tuple[str, bytes]]:
    with zipfile.ZipFile(path) as archive:
        for name in sorted(archive.namelist()):
            if not name.endswith("/") and fits(name, include):
                yield name, archive.read(name)


def tarred(path: Path, include: Sequence[str]) -> Iterator[tuple[str, bytes]]:
    """Members as they stand: sorting would mean unpacking a compressed archive once for each."""
    with tarfile.open(path) as archive:
        for member in archive:
            if member.isfile() and fits(member.name, include):
                file = archive.extractfile(member)
                assert file is not None
                yield member.name, file.read()
