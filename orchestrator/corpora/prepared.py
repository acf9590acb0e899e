"""What a prepared corpus is, and how it is found again.

corpora/<declared>-<fingerprint>.json   says which content that is; absent: prepare
corpora/<content>/train.bin             token ids of the training documents, one after the other
corpora/<content>/held_out.bin          those of the documents kept for evaluation, in the order of their hashes
corpora/<content>/held_out_ends.bin     where each held-out document ends (int64)
corpora/<content>/held_out_corpora.bin  which corpus of a list each is of (uint8); absent where there is one
corpora/<content>/tokenizer.json        of a trained or given tokenizer
corpora/<content>/manifest.json         published last: what is there, with hashes
"""

from __future__ import annotations

import json
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

from orchestrator.corpora.downloads import hash_of
from orchestrator.corpora.source import Corpus, corpora_of
from sweeps.safe_yaml import SpecError
from sweeps.spec import Spec
from sweeps.store import Store
from sweeps.trial import digest

# Raised by a change of code that gives the same text other tokens, or another order of documents (CHANGELOG).
PREPARATION = 2


@dataclass(frozen=True, slots=True, kw_only=True)
class Prepared:
    """What a manifest says of a prepared corpus.

    content     SHA-256 over everything below that decides the numbers: the identity of the corpus
    declared    what the spec asked for; another spec may lead to the same content
    text_bytes  of all documents; None in a manifest that does not say
    """

    content: str
    declared: dict[str, Any]
    vocabulary: int
    train_tokens: int
    held_out_tokens: int
    train_documents: int
    held_out_documents: int
    files: dict[str, str]
    text_bytes: int | None = None
    facts: dict[str, Any] = field(default_factory=dict)

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
    """The prepared corpus of a spec, None where it must be prepared first.

    Where the text is not on this machine, what was prepared from it on another one serves, if the record has one
    such corpus and no more. Raises SpecError for text that is nowhere.
    """
    corpora = corpora_of(spec.data.corpus)
    try:
        return pointed_at(store, pointer_name(spec, corpora))
    except SpecError:
        before = f"{digest(declaration(spec))[:16]}-"
        names = [f"corpora/{name}" for name in store.names("corpora") if name.startswith(before)]
        found = {p.content: p for p in (pointed_at(store, name) for name in names) if p is not None}
        if len(found) == 1:
            return found.popitem()[1]
        raise


def pointed_at(store: Store, pointer: str) -> Prepared | None:
    """The corpus that a pointer names; None where either is not there."""
    try:
        return read_manifest(store, json.loads(store.read(pointer))["content"])
    except FileNotFoundError:
        return None


def read_manifest(store: Store, content: str) -> Prepared:
    """The manifest of a content hash. Raises FileNotFoundError where it is not in this record."""
    return Prepared(**json.loads(store.read(f"corpora/{content[:16]}/manifest.json")))


def pointer_name(spec: Spec, corpora: list[Corpus]) -> str:
    """Name of the pointer for what the spec declares and the text as it is now. Raises SpecError for no text."""
    facts: list[object] = [corpus.fingerprint() for corpus in corpora]
    if is_path(spec.model.tokenizer):
        path = Path(spec.model.tokenizer)
        if not path.is_file():
            raise SpecError(
                f"model.tokenizer: there is no file {path}; write bytes, bpe, none, or the path of a tokenizer.json"
            )
        facts.append(hash_of(path))
    return f"corpora/{digest(declaration(spec))[:16]}-{digest(facts)[:16]}.json"


def is_path(tokenizer: str) -> bool:
    return tokenizer not in ("bytes", "bpe", "none")
