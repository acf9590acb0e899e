"""The text inside a wheel of the Python package index, by name, version and hash: a corpus every machine can get.

Source code and its documentation are real text, and an index keeps a version as it is for good.
"""

from __future__ import annotations

from collections.abc import Iterator
from typing import Annotated

from pydantic import Field

from orchestrator.corpora.archives import archive_documents
from orchestrator.corpora.downloads import wheel
from orchestrator.corpora.sources.file import TEXTS, Hash
from sweeps.strict import Strict

Pinned = Annotated[str, Field(pattern=r"^[A-Za-z0-9][A-Za-z0-9._-]*==[A-Za-z0-9][A-Za-z0-9.!+_-]*$")]


class Options(Strict):
    """{package: ansible==14.5.0, sha256: …}"""

    package: Pinned = Field(description="name==version; its wheel for every platform is fetched by pip")
    sha256: Hash = Field(description="SHA-256 of the wheel (`pip hash FILE` prints it)")
    include: list[str] = Field(TEXTS, description="patterns of the files in the wheel that are read")


def fingerprint(options: Options) -> list[object]:
    """The hash: what it names cannot change."""
    return [options.sha256]


def documents(options: Options) -> Iterator[bytes]:
    """Each file in the wheel that fits and is text, in the order of their paths."""
    path = wheel(options.package, options.sha256)
    place = f"data.corpus.package: {options.package}"
    yield from archive_documents(path, place, include=options.include, kind="text", column=None, separator=None)
