"""Documents out of a file: text, JSON lines or Parquet, plain or compressed, checked to be text.

Every document is UTF-8 and holds no byte 0, which is the end of text of the tokenizer `bytes`.
"""

from __future__ import annotations

import json
from collections.abc import Iterator
from pathlib import Path
from typing import Any, Literal, Protocol

from sweeps.safe_yaml import SpecError

Format = Literal["text", "jsonl", "parquet"]

BLOCK = 1 << 20
LONGEST = 1 << 22  # bytes of a document; a longer one is cut into several at ends of lines
COMPRESSIONS = {".gz": "gzip", ".zst": "zstd", ".bz2": "bz2", ".lz4": "lz4"}
ENDINGS: dict[str, Format] = {".jsonl": "jsonl", ".ndjson": "jsonl", ".json": "jsonl", ".parquet": "parquet"}


class Stream(Protocol):
    """An open file, as far as it is read here."""

    def read(self, size: int = -1, /) -> bytes: ...


def format_of(name: str, asked: Format | None) -> Format:
    """What the user said it is, or else what the name's ending says; text where it says nothing."""
    plain = name
    for ending in COMPRESSIONS:
        plain = plain.removesuffix(ending)
    return asked or ENDINGS.get(Path(plain).suffix.lower(), "text")


def compression_of(name: str) -> str | None:
    return COMPRESSIONS.get(Path(name).suffix.lower())


def documents_of(
    path: Path, place: str, *, name: str, kind: Format, column: str | None, separator: str | None
) -> Iterator[bytes]:
    """Documents of one file on disk, in their order. `place` begins every message; `name` tells the compression.

    Raises SpecError for an empty file, for what is not text, and for a column that is not there.
    """
    if not path.stat().st_size:
        raise SpecError(f"{place} is empty; remove it, or narrow the pattern")
    if kind == "parquet":
        yield from parquet_documents(path, place, column)
        return
    import pyarrow as pa

    try:
        with pa.input_stream(str(path), compression=compression_of(name)) as stream:
            yield from stream_documents(stream, place, kind=kind, column=column, separator=separator)
    except OSError as error:
        raise SpecError(f"{place} cannot be read to its end: {error}; is it whole, and what its name says?") from error


def stream_documents(
    stream: Stream, place: str, *, kind: Format, column: str | None, separator: str | None
) -> Iterator[bytes]:
    """Documents of an open file of text or JSON lines."""
    if kind == "parquet":
        raise SpecError(f"{place} is Parquet inside an archive; unpack it and name it by files")
    made = json_documents(stream, place, column) if kind == "jsonl" else text_documents(stream, place, separator)
    found = False
    for document in made:
        found = True
        yield document
    if not found:
        raise SpecError(f"{place} has no text; remove it, or narrow the pattern")


def text_documents(stream: Stream, place: str, separator: str | None) -> Iterator[bytes]:
    """Text between separators, or all of it, in pieces of at most LONGEST."""
    mark = separator.encode() if separator else None
    held, passed = b"", 0
    while block := stream.read(BLOCK):
        held += block
        if mark:
            *whole, held = held.split(mark)
            for text in whole:
                yield from pieces(checked(text, place, passed))
                passed += len(text) + len(mark)
        while len(held) > 2 * LONGEST:
            size = cut(held, 0, LONGEST)
            yield from pieces(checked(held[:size], place, passed))
            held, passed = held[size:], passed + size
    yield from pieces(checked(held, place, passed))


def json_documents(stream: Stream, place: str, column: str | None) -> Iterator[bytes]:
    """The text column of every line's object; lines without any text are left out."""
    name = column or "text"
    for number, line in enumerate(lines(stream), 1):
        if not line.strip():
            continue
        try:
            row = json.loads(line)
        except ValueError as error:
            raise SpecError(
                f"{place}, line {number}: is not JSON: {error}; JSON lines have one object a line"
            ) from None
        if not isinstance(row, dict):
            raise SpecError(f"{place}, line {number}: is a {type(row).__name__}, not an object with a column of text")
        yield from value_documents(row, name, f"{place}, line {number}")


def value_documents(row: dict[str, Any], column: str, place: str) -> Iterator[bytes]:
    """The text in a column of one row. Raises SpecError where there is no such column, or where it is not text."""
    if column not in row:
        raise no_column(place, column, row)
    value = row[column]
    if value is None:
        return
    if not isinstance(value, str):
        raise SpecError(f"{place}: column {column!r} holds a {type(value).__name__}, not text; name another by text:")
    try:
        yield from pieces(checked(value.encode(), place, 0))
    except UnicodeEncodeError as error:
        raise SpecError(f"{place}: column {column!r} holds half a character: {error.reason}") from None


def parquet_documents(path: Path, place: str, column: str | None) -> Iterator[bytes]:
    """The text column's values, row group by row group."""
    import pyarrow as pa
    import pyarrow.parquet as pq

    name = column or "text"
    try:
        with pq.ParquetFile(path) as file:
            schema = file.schema_arrow
            if name not in schema.names:
                raise no_column(place, name, schema.names)
            kind = schema.field(name).type
            if not (pa.types.is_string(kind) or pa.types.is_large_string(kind) or pa.types.is_string_view(kind)):
                raise SpecError(f"{place}: column {name!r} holds {kind}, not text; name another by text:")
            row = 0
            for batch in file.iter_batches(batch_size=256, columns=[name]):
                for value in batch.column(0).to_pylist():
                    row += 1
                    yield from value_documents({name: value}, name, f"{place}, row {row}")
    except (pa.ArrowInvalid, OSError) as error:
        raise SpecError(f"{place} is not a whole Parquet file: {error}") from error


def no_column(place: str, column: str, there: Any) -> SpecError:
    return SpecError(
        f"{place}: there is no column {column!r}; name the one that holds the text by text:, {list(there)}"
    )


def lines(stream: Stream) -> Iterator[bytes]:
    """Lines of any length, without their ends."""
    held: list[bytes] = []
    while block := stream.read(BLOCK):
        first, *rest = block.split(b"\n")
        held.append(first)
        for line in rest:
            yield b"".join(held)
            held = [line]
    yield b"".join(held)


def checked(text: bytes, place: str, offset: int) -> bytes:
    """The text. Raises SpecError where it is not UTF-8, or holds a byte 0, which no text does."""
    zero = text.find(b"\0")
    if zero >= 0:
        raise SpecError(f"{place} is not text: there is a byte 0 at {offset + zero:,}; leave it out of the pattern")
    try:
        text.decode()
    except UnicodeDecodeError as error:
        raise SpecError(
            f"{place} is not UTF-8: byte 0x{text[error.start]:02x} at {offset + error.start:,}; "
            f"convert it, or leave it out of the pattern"
        ) from None
    return text


def pieces(text: bytes, longest: int = LONGEST, *, blank: bool = False) -> Iterator[bytes]:
    """The text as documents: several where it is longer than `longest` bytes, and no blank ones unless `blank`."""
    start = 0
    while start < len(text):
        end = start + cut(text, start, longest)
        piece = text[start:end]
        if blank or piece.strip():
            yield piece
        start = end


def cut(text: bytes, start: int, size: int) -> int:
    """How much of at most `size` bytes to take: up to the last line that ends in them, or else to a whole character."""
    if len(text) - start <= size:
        return len(text) - start
    end = text.rfind(b"\n", start, start + size) + 1
    if end > start:
        return end - start
    while size > 1 and text[start + size] & 0xC0 == 0x80:
        size -= 1
    return size
