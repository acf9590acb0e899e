"""A corpus prepared once: tokens in flat files under their content hash, and a pointer from what the spec declares.

    corpora/<declared>-<fingerprint>.json   says which content that is; absent: prepare
    corpora/<content>/train.bin             token ids of the training documents, one after the other
    corpora/<content>/held_out.bin          those of the documents kept for evaluation
    corpora/<content>/held_out_ends.bin     where each held-out document ends (int64)
    corpora/<content>/tokenizer.json        of a trained or given tokenizer
    corpora/<content>/manifest.json         published last: what is there, with hashes

Whether a document is held out depends on its own text alone, so the split survives new documents.
"""

from __future__ import annotations

import hashlib
import json
import shutil
import tempfile
from collections.abc import Iterator
from dataclasses import asdict, dataclass
from pathlib import Path
from typing import Any, BinaryIO

import numpy as np

from orchestrator.corpora.source import source_of
from orchestrator.corpora.tokenizers import encode, read_tokenizer, train_bpe
from sweeps.safe_yaml import SpecError
from sweeps.spec import Spec
from sweeps.store import AlreadyPublished, FolderStore, Store
from sweeps.trial import digest

# Raised by a change of code that gives the same text other tokens.
PREPARATION = 1


@dataclass(frozen=True, slots=True, kw_only=True)
class Prepared:
    """What a manifest says of a prepared corpus.

    content     SHA-256 over everything below that decides the numbers: the identity of the corpus
    declared    what the spec asked for; another spec may lead to the same content
    """

    content: str
    declared: dict[str, Any]
    vocabulary: int
    train_tokens: int
    held_out_tokens: int
    train_documents: int
    held_out_documents: int
    files: dict[str, str]

    def folder(self) -> str:
        return f"corpora/{self.content[:16]}"


def declaration(spec: Spec) -> dict[str, Any]:
    """What decides a corpus as far as the spec says it."""
    return {
        "preparation": PREPARATION,
        "corpus": spec.data.corpus,
        "held_out": spec.data.held_out,
        "tokenizer": spec.model.tokenizer,
        "vocabulary": spec.model.vocabulary,
    }


def find_prepared(spec: Spec, store: Store) -> Prepared | None:
    """The prepared corpus of a spec, None where it must be prepared first. Raises SpecError for what is not there."""
    source, options = source_of(spec.data.corpus)
    try:
        pointer = json.loads(store.read(pointer_name(spec, source.fingerprint(options))))
        return read_manifest(store, pointer["content"])
    except FileNotFoundError:
        return None


def read_manifest(store: Store, content: str) -> Prepared:
    """The manifest of a content hash. Raises FileNotFoundError where it is not in this record."""
    return Prepared(**json.loads(store.read(f"corpora/{content[:16]}/manifest.json")))


def pointer_name(spec: Spec, fingerprint: list[object]) -> str:
    return f"corpora/{digest(declaration(spec))[:16]}-{digest(fingerprint)[:16]}.json"


def prepare(spec: Spec, store: Store) -> Prepared:
    """Read, split, tokenise and publish. Raises SpecError for text that cannot serve.

    Safe beside another process that prepares the same corpus: both make the same files, and the first one's stay.
    """
    source, options = source_of(spec.data.corpus)
    fingerprint = source.fingerprint(options)
    inside = store.root / "corpora" if isinstance(store, FolderStore) else None
    if inside:
        inside.mkdir(parents=True, exist_ok=True)
    work = Path(tempfile.mkdtemp(prefix=".preparing-", dir=inside))
    try:
        prepared = write(spec, source.documents, options, work)
        for name in prepared.files:
            publish_once(store, f"{prepared.folder()}/{name}", work / name)
        manifest = json.dumps(asdict(prepared), sort_keys=True, indent=1).encode()
        pointer = json.dumps({"content": prepared.content}).encode()
        for name, data in (
            (f"{prepared.folder()}/manifest.json", manifest),
            (pointer_name(spec, fingerprint), pointer),
        ):
            try:
                store.publish(name, data)
            except AlreadyPublished:
                continue
        return prepared
    finally:
        shutil.rmtree(work, ignore_errors=True)


def publish_once(store: Store, name: str, path: Path) -> None:
    try:
        store.publish_file(name, path)
    except AlreadyPublished:
        return


def write(spec: Spec, documents: Any, options: Any, work: Path) -> Prepared:
    """The corpus's files in a folder of its own."""
    vocabulary = spec.model.vocabulary or 256
    tokenizer = None
    if spec.model.tokenizer == "bpe":
        training = (text for text in documents(options) if not is_held_out(text, spec.data.held_out))
        tokenizer = train_bpe(training, vocabulary)
    elif spec.model.tokenizer != "bytes":
        tokenizer = read_tokenizer(Path(spec.model.tokenizer), vocabulary)
    if tokenizer is not None:
        tokenizer.save(str(work / "tokenizer.json"))

    count = {"train": 0, "held_out": 0}
    tokens = {"train": 0, "held_out": 0}
    ends: list[int] = []
    with (work / "train.bin").open("wb") as train, (work / "held_out.bin").open("wb") as held_out:
        files: dict[str, BinaryIO] = {"train": train, "held_out": held_out}
        kept: list[str] = []

        def parted() -> Iterator[bytes]:
            for text in documents(options):
                kept.append("held_out" if is_held_out(text, spec.data.held_out) else "train")
                yield text

        for index, ids in enumerate(encode(parted(), tokenizer, vocabulary)):
            part = kept[index]
            files[part].write(ids.tobytes())
            count[part] += 1
            tokens[part] += len(ids)
            if part == "held_out":
                ends.append(tokens[part])
    np.asarray(ends, dtype=np.int64).tofile(work / "held_out_ends.bin")
    for part, documents_there in count.items():
        if not documents_there:
            raise SpecError(
                f"data.corpus: {sum(count.values())} documents leave none for {part.replace('_', '-')} text; "
                f"bring more, or change data.held_out ({spec.data.held_out})"
            )
    hashes = {path.name: file_hash(path) for path in sorted(work.iterdir())}
    content = digest([PREPARATION, vocabulary, hashes])
    return Prepared(
        content=content,
        declared=declaration(spec),
        vocabulary=vocabulary,
        train_tokens=tokens["train"],
        held_out_tokens=tokens["held_out"],
        train_documents=count["train"],
        held_out_documents=count["held_out"],
        files=hashes,
    )


def is_held_out(text: bytes, fraction: float) -> bool:
    """Whether a document belongs to the held-out part: its own hash decides."""
    return int.from_bytes(hashlib.sha256(text).digest()[:8], "big") < fraction * 2**64


def file_hash(path: Path) -> str:
    with path.open("rb") as file:
        return hashlib.file_digest(file, "sha256").hexdigest()
