"""A prepared corpus as memory-mapped token ids, on whatever node a worker runs."""

from __future__ import annotations

import json
import os
import secrets
import tempfile
from dataclasses import dataclass
from pathlib import Path

import numpy as np
from numpy.typing import NDArray

from orchestrator.corpora.downloads import hash_of
from orchestrator.corpora.prepared import Prepared, read_manifest
from orchestrator.corpora.tokenizers import Ids, token_type
from sweeps.store import Store, StoreError
from sweeps.trial import digest


@dataclass(frozen=True, slots=True, kw_only=True)
class Tokens:
    """Token ids of one corpus; `held_out_ends` says where each held-out document ends.

    held_out_corpora   which corpus of the spec's list each held-out document is of; None where there is one
    """

    train: Ids
    held_out: Ids
    held_out_ends: NDArray[np.int64]
    held_out_corpora: NDArray[np.uint8] | None = None


def open_tokens(store: Store, content: str) -> Tokens:
    """Map a corpus by its content hash. Raises StoreError where a file is not what the manifest says."""
    prepared = read_manifest(store, content)
    paths = verified(store, prepared)
    kind = token_type(prepared.vocabulary)
    corpora = paths.get("held_out_corpora.bin")
    return Tokens(
        train=np.memmap(paths["train.bin"], dtype=kind, mode="r"),
        held_out=np.memmap(paths["held_out.bin"], dtype=kind, mode="r"),
        held_out_ends=np.fromfile(paths["held_out_ends.bin"], dtype=np.int64),
        held_out_corpora=np.fromfile(corpora, dtype=np.uint8) if corpora else None,
    )


def verified(store: Store, prepared: Prepared) -> dict[str, Path]:
    """Local paths of a corpus's files, hashed once on each node: what was good and has not been touched is good.

    Raises StoreError naming the file that is missing or differs.
    """
    try:
        paths = {name: store.local(f"{prepared.folder()}/{name}", node_cache()) for name in prepared.files}
    except FileNotFoundError as error:
        raise StoreError(
            f"{error.filename or error} is missing; delete its folder to prepare the corpus anew"
        ) from None
    seen = {}
    for name, path in paths.items():
        state = path.stat()
        seen[name] = [str(path), state.st_size, state.st_mtime_ns, state.st_ino]
    stamp = node_cache() / "verified" / f"{digest([store.uri, prepared.content])[:16]}.json"
    try:
        if json.loads(stamp.read_bytes()) == seen:
            return paths
    except (FileNotFoundError, ValueError):
        pass
    check(paths, prepared)
    stamp.parent.mkdir(exist_ok=True)
    beside = stamp.with_name(f".{stamp.name}.{secrets.token_hex(4)}")
    beside.write_text(json.dumps(seen))
    beside.replace(stamp)
    return paths


def verify(store: Store, prepared: Prepared) -> None:
    """Compare every file with its hash, whether that was done before or not. Raises StoreError naming the one that
    differs."""
    check({name: store.local(f"{prepared.folder()}/{name}", node_cache()) for name in prepared.files}, prepared)


def check(paths: dict[str, Path], prepared: Prepared) -> None:
    for name, expected in prepared.files.items():
        if hash_of(paths[name]) != expected:
            raise StoreError(
                f"{paths[name]} is damaged: its hash is not the manifest's; delete its folder to prepare anew"
            )


def node_cache() -> Path:
    """Where copies of objects live on a node: shared by its processes, this user's alone."""
    path = Path(tempfile.gettempdir()) / f"interplay-{os.getuid()}"
    path.mkdir(mode=0o700, exist_ok=True)
    if path.stat().st_uid != os.getuid():
        raise StoreError(f"{path} belongs to someone else; remove it, or set TMPDIR")
    return path
