"""Documents into training and held-out ones, and both into token ids: what each process of a preparation does."""

from __future__ import annotations

import hashlib
from collections.abc import Callable, Sequence
from dataclasses import dataclass

import numpy as np

from orchestrator.corpora.encoding import encoder
from orchestrator.corpora.source import Document
from orchestrator.corpora.tokenizers import token_type


@dataclass(frozen=True, slots=True, kw_only=True)
class Batch:
    """Some documents of one corpus, in order."""

    corpus: int
    documents: Sequence[Document]


@dataclass(frozen=True, slots=True, kw_only=True)
class Split:
    """What became of a batch: ids of its training documents together, and hash and ids of each held-out one."""

    corpus: int
    text_bytes: int
    documents: int
    train: bytes
    held_out: list[tuple[bytes, bytes]]


def splitter(tokenizer: str | None, vocabulary: int, held_out: float, tokenised: bool) -> Callable[[Batch], Split]:
    """A function that splits and encodes; tokenizer as in `encoder`, held_out the part of documents kept."""
    kind = token_type(vocabulary)
    encode = None if tokenised else encoder(tokenizer, vocabulary)

    def split(batch: Batch) -> Split:
        texts = batch.documents
        names = [hash_of_document(text) for text in texts]
        ids = encode(texts) if encode else [np.asarray(text, dtype=kind) for text in texts]  # type: ignore[arg-type]
        away = [is_held_out(name, held_out) for name in names]
        train = [some.tobytes() for some, kept in zip(ids, away, strict=True) if not kept]
        return Split(
            corpus=batch.corpus,
            text_bytes=sum(map(size_of, texts)),
            documents=len(train),
            train=b"".join(train),
            held_out=[(name, some.tobytes()) for name, some, kept in zip(names, ids, away, strict=True) if kept],
        )

    return split


def hash_of_document(document: Document) -> bytes:
    """SHA-256 of the text, or of the ids as 32-bit numbers."""
    data = document if isinstance(document, bytes) else document.astype("<u4").tobytes()
    return hashlib.sha256(data).digest()


def is_held_out(name: bytes, fraction: float) -> bool:
    """Whether a document belongs to the held-out part: its own hash decides."""
    return int.from_bytes(name[:8], "big") < fraction * 2**64


def size_of(document: Document) -> int:
    """Bytes of a document."""
    return len(document) if isinstance(document, bytes) else document.nbytes
