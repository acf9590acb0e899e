"""One file named by its SHA-256, of this machine or from an http address: the same text wherever it is asked for."""

from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path
from typing import Annotated

from pydantic import Field

from orchestrator.corpora.archives import archive_documents, is_archive
from orchestrator.corpora.documents import Format, documents_of, format_of
from orchestrator.corpora.downloads import fetched, local_file
from sweeps.strict import Strict

Hash = Annotated[str, Field(pattern="^[0-9a-f]{64}$")]
TEXTS = ["*.txt", "*.md", "*.rst", "*.py"]


class Options(Strict):
    """{file: https://…/text8.zip, sha256: …}"""

    file: str = Field(description="a path, or an http or https address; an archive (zip, wheel, tar) is looked into")
    sha256: Hash = Field(description="SHA-256 of the file, 64 hex digits (`sha256sum FILE` prints it)")
    include: list[str] = Field(TEXTS, description="archives: patterns of the members that are read")
    text: str | None = Field(None, description="JSON lines and Parquet: the column of text; `text` if left out")
    format: Format | None = Field(None, description="text, jsonl or parquet, whatever the ending says")
    separator: str | None = Field(None, description="text: what stands between two documents")


def fingerprint(options: Options) -> list[object]:
    """The hash: what it names cannot change."""
    return [options.sha256]


def documents(options: Options) -> Iterator[bytes]:
    """Documents of the file, or of the archive's members."""
    remote = options.file.startswith(("http://", "https://"))
    if remote:
        path = fetched(options.file, options.sha256)
    else:
        path = local_file(Path(options.file).expanduser(), options.sha256)
    name, place = options.file.rsplit("/", 1)[-1], f"data.corpus.file: {options.file}"
    if is_archive(path):
        yield from archive_documents(
            path,
            place,
            include=options.include,
            kind=options.format,
            column=options.text,
            separator=options.separator,
        )
    else:
        yield from documents_of(
            path,
            place,
            name=name,
            kind=format_of(name, options.format),
            column=options.text,
            separator=options.separator,
        )
