"""A corpus's files written into a folder of its own: documents split, tokenised on every core, in their order.

Whether a document is held out depends on its own text alone, so the split survives new documents; and so does the
order of the held-out ones, so that the first of them are a fair sample of all. What is written does not depend on
the number of processes.
"""

from __future__ import annotations

import hashlib
import itertools
import os
from collections.abc import Iterable, Iterator
from pathlib import Path
from typing import Any, BinaryIO

import numpy as np

from orchestrator.corpora.downloads import hash_of
from orchestrator.corpora.prepared import PREPARATION, Prepared, declaration, is_path
from orchestrator.corpora.source import Corpus, Document
from orchestrator.corpora.splitting import Batch, Split, hash_of_document, is_held_out, size_of, splitter
from orchestrator.corpora.tokenizers import TRAINING_BYTES, read_tokenizer, token_type, train_bpe
from orchestrator.corpora.watcher import Watcher
from orchestrator.corpora.workers import in_order
from sweeps.faults import fault
from sweeps.safe_yaml import SpecError
from sweeps.spec import Spec
from sweeps.trial import digest

BATCH_BYTES = 1 << 20  # of text, the unit of work of a process
ALONE_BATCHES = 8  # so many are done before other processes would have started


def write(spec: Spec, corpora: list[Corpus], work: Path, watcher: Watcher, processes: int | None = None) -> Prepared:
    """The corpus's files in the folder `work`, which is empty. Raises SpecError for text that cannot serve.

    processes   that tokenise; None: one a core, where there is enough to do
    """
    vocabulary = 256 if spec.model.tokenizer == "bytes" else spec.model.vocabulary or 0
    tokenizer = tokenizer_of(spec, corpora, vocabulary, watcher)
    if tokenizer is not None:
        (work / "tokenizer.json").write_text(tokenizer, encoding="utf-8")
        fault("corpus: tokenizer")
    tokenised = corpora[0].tokenised
    split = splitter, (None if tokenised else tokenizer, vocabulary, spec.data.held_out, tokenised)
    kind, hashed = token_type(vocabulary), hashlib.sha256()
    text_bytes = tokens = documents = 0
    with (work / "train.bin").open("wb") as train, (work / "aside").open("wb") as aside:
        held = HeldOut(aside)
        for part in splits(split, batches(corpora), 1 if tokenizer is None else processes):
            train.write(part.train)
            hashed.update(part.train)
            held.add(part)
            documents += part.documents
            tokens += len(part.train) // kind.itemsize
            text_bytes += part.text_bytes
            watcher.at(f"{text_bytes / 1e6:,.0f} MB of text, {tokens:,} tokens")
            fault("corpus: batch")
    held_out_tokens = held.write(work, kind, several=len(corpora) > 1)
    for name, there in (("training", documents), ("held-out", len(held.places))):
        if not there:
            raise SpecError(
                f"data.corpus: {documents + len(held.places)} documents leave none for {name} text; bring more, split "
                f'them by separator: (such as "\\n\\n"), or change data.held_out ({spec.data.held_out})'
            )
    hashes = {
        path.name: hashed.hexdigest() if path.name == "train.bin" else hash_of(path) for path in sorted(work.iterdir())
    }
    return Prepared(
        content=digest([PREPARATION, vocabulary, hashes]),
        declared=declaration(spec),
        vocabulary=vocabulary,
        train_tokens=tokens,
        held_out_tokens=held_out_tokens,
        train_documents=documents,
        held_out_documents=len(held.places),
        files=hashes,
        text_bytes=text_bytes,
    )


class HeldOut:
    """Held-out documents, set aside as they come and put in the order of their hashes at the end."""

    def __init__(self, aside: BinaryIO) -> None:
        self.aside = aside
        self.places: list[tuple[bytes, int, int, int]] = []  # hash, corpus, first byte, bytes
        self.end = 0

    def add(self, part: Split) -> None:
        for name, ids in part.held_out:
            self.places.append((name, part.corpus, self.end, len(ids)))
            self.aside.write(ids)
            self.end += len(ids)

    def write(self, work: Path, kind: np.dtype[np.unsignedinteger], *, several: bool) -> int:
        """Write the final files, once the one aside is closed; the number of held-out tokens."""
        path, ordered = work / "aside", sorted(self.places)
        with path.open("rb") as aside, (work / "held_out.bin").open("wb") as file:
            for _, _, first, size in ordered:
                aside.seek(first)
                file.write(aside.read(size))
        path.unlink()
        ends = np.cumsum([size // kind.itemsize for _, _, _, size in ordered], dtype=np.int64)
        ends.tofile(work / "held_out_ends.bin")
        if several:
            corpora = np.asarray([corpus for _, corpus, _, _ in ordered], dtype=np.uint8)
            corpora.tofile(work / "held_out_corpora.bin")
        return int(ends[-1]) if len(ends) else 0


def batches(corpora: list[Corpus]) -> Iterator[Batch]:
    """All documents of all corpora in their order, in batches of about BATCH_BYTES."""
    for index, corpus in enumerate(corpora):
        held: list[Document] = []
        total = 0
        for document in corpus.documents():
            held.append(document)
            total += size_of(document)
            if total >= BATCH_BYTES:
                yield Batch(corpus=index, documents=held)
                held, total = [], 0
        if held:
            yield Batch(corpus=index, documents=held)


def splits(how: tuple[Any, tuple[Any, ...]], some: Iterator[Batch], processes: int | None) -> Iterable[Split]:
    """Every batch split, in order: in this process where there is little to do, or else in several."""
    make, given = how
    if processes is None:
        first = list(itertools.islice(some, ALONE_BATCHES))
        processes = available_cores() if len(first) == ALONE_BATCHES else 1
        some = itertools.chain(first, some)
    return map(make(*given), some) if processes == 1 else in_order(make, given, some, processes)


def available_cores() -> int:
    return len(os.sched_getaffinity(0)) if hasattr(os, "sched_getaffinity") else os.cpu_count() or 1


def tokenizer_of(spec: Spec, corpora: list[Corpus], vocabulary: int, watcher: Watcher) -> str | None:
    """JSON of the tokenizer, trained or read; None for bytes, and for token ids whose tokenizer is not given."""
    asked = spec.model.tokenizer
    check_kind(asked, corpora, vocabulary)
    if is_path(asked):
        return str(read_tokenizer(Path(asked), vocabulary).to_str())
    if asked == "bpe":
        return str(train_bpe(training_text(corpora, spec.data.held_out, watcher), vocabulary).to_str())
    return None


def check_kind(asked: str, corpora: list[Corpus], vocabulary: int) -> None:
    """Refuse a tokenizer for token ids, text without one, and two vocabularies."""
    if not corpora[0].tokenised:
        if asked == "none":
            raise SpecError("model.tokenizer is none, but the corpus is text; write bytes, bpe, or a tokenizer.json")
        return
    if asked in ("bytes", "bpe"):
        raise SpecError(
            f"model.tokenizer is {asked}, but the corpus is token ids already; write none, or the path of the "
            f"tokenizer.json that made them"
        )
    for corpus in corpora:
        stated = getattr(corpus.options, "vocabulary", None)
        if stated != vocabulary:
            raise SpecError(
                f"data.corpus.vocabulary is {stated}, and model.vocabulary {vocabulary}; both say how many distinct "
                f"ids there are, so write one number"
            )


def training_text(corpora: list[Corpus], held_out: float, watcher: Watcher) -> Iterator[bytes]:
    """The text a tokenizer is trained on: the first training documents of every corpus, TRAINING_BYTES in all."""
    for corpus in corpora:
        left = TRAINING_BYTES // len(corpora)
        for number, text in enumerate(corpus.documents()):
            assert isinstance(text, bytes)
            if is_held_out(hash_of_document(text), held_out):
                continue
            if number % 256 == 0:
                watcher.at("its tokenizer is being trained")
            yield text
            left -= len(text)
            if left <= 0:
                break
