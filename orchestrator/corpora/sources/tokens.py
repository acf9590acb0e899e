"""Token ids that someone has made already: shards of raw integers (.bin) or NumPy arrays (.npy)."""

from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path
from typing import Literal

import numpy as np
from numpy.typing import NDArray
from pydantic import Field

from orchestrator.corpora.sources.files import matching
from sweeps.safe_yaml import SpecError
from sweeps.strict import Count, Strict

TOKENS = True  # documents are ids, not text
Ids = NDArray[np.unsignedinteger]


class Options(Strict):
    """{tokens: "shards/*.bin", dtype: uint16, vocabulary: 50257, end: 50256}"""

    tokens: str | list[str] = Field(
        description=".bin or .npy shards, paths or patterns, relative to where `sweep` is started"
    )
    vocabulary: Count = Field(description="number of distinct ids; model.vocabulary says the same")
    dtype: Literal["uint8", "uint16", "uint32", "int32", "int64"] | None = Field(
        None, description=".bin: type of the ids, little-endian; .npy files say it themselves"
    )
    header_bytes: int = Field(0, ge=0, description=".bin: bytes before the first id, such as llm.c's 1024")
    end: int | None = Field(None, ge=0, description="id that ends a document; `document` tokens are one if left out")
    document: Count = Field(2048, description="tokens of a document where no id ends one")


def fingerprint(options: Options) -> list[object]:
    """Path, size and modification time (ns) of every shard."""
    states = [(path, path.stat()) for path in matching(options.tokens, "data.corpus.tokens")]
    return [[path.as_posix(), state.st_size, state.st_mtime_ns] for path, state in states]


def documents(options: Options) -> Iterator[Ids]:
    """Ids of each document with the one that ends it, in the order of the shards; none goes over two of them.

    Raises SpecError for a shard that is empty or is not what is stated, and for an id outside the vocabulary.
    """
    if options.end is not None and options.end >= options.vocabulary:
        raise SpecError(f"data.corpus.end is {options.end}, outside the vocabulary of {options.vocabulary:,}")
    for path in matching(options.tokens, "data.corpus.tokens"):
        place = f"data.corpus.tokens: {path}"
        ids = opened(path, place, options)
        for first, last in bounds(ids, options):
            document = ids[first:last]
            low, high = int(document.min()), int(document.max())
            if low < 0 or high >= options.vocabulary:
                raise SpecError(
                    f"{place} holds the id {low if low < 0 else high} near {first:,}, outside the vocabulary of "
                    f"{options.vocabulary:,}; is dtype right, and header_bytes?"
                )
            yield document.astype(np.uint32)


def opened(path: Path, place: str, options: Options) -> NDArray[np.integer]:
    """A shard's ids, memory-mapped."""
    size = path.stat().st_size
    if path.suffix == ".npy":
        try:
            array: NDArray[np.integer] = np.load(path, mmap_mode="r", allow_pickle=False)
        except (ValueError, EOFError, OSError) as error:
            raise SpecError(f"{place} is not a NumPy array: {error}") from error
        if array.ndim != 1 or array.dtype.kind not in "ui":
            raise SpecError(f"{place} holds {array.dtype} of shape {array.shape}; ids are integers in one dimension")
        if options.dtype and array.dtype != np.dtype(options.dtype):
            raise SpecError(f"{place} holds {array.dtype}, and data.corpus.dtype says {options.dtype}; write that type")
    else:
        if options.dtype is None:
            raise SpecError("data.corpus.dtype is missing; raw shards (.bin) do not say their type, such as uint16")
        kind = np.dtype(options.dtype).newbyteorder("<")
        body = size - options.header_bytes
        if body > 0 and body % kind.itemsize:
            raise SpecError(f"{place} has {body:,} bytes, which is no whole number of {options.dtype} ids")
        if body <= 0:
            raise SpecError(f"{place} is empty; remove it, or narrow the pattern")
        array = np.memmap(path, dtype=kind, mode="r", offset=options.header_bytes)
    if not len(array):
        raise SpecError(f"{place} is empty; remove it, or narrow the pattern")
    return array


def bounds(ids: NDArray[np.integer], options: Options) -> Iterator[tuple[int, int]]:
    """First and last (exclusive) place of every document."""
    if options.end is None:
        yield from ((first, min(first + options.document, len(ids))) for first in range(0, len(ids), options.document))
        return
    start, block = 0, 1 << 24
    for low in range(0, len(ids), block):
        for place in np.flatnonzero(ids[low : low + block] == options.end):
            yield start, low + int(place) + 1
            start = low + int(place) + 1
    if start < len(ids):
        yield start, len(ids)
