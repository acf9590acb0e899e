"""A prepared corpus as memory-mapped token ids, on whatever node a worker runs."""

from __future__ import annotations

import os
import tempfile
from dataclasses import dataclass
from pathlib import Path

import numpy as np
from numpy.typing import NDArray

from orchestrator.corpora.prepare import Prepared, file_hash, read_manifest
from orchestrator.corpora.tokenizers import token_type
from sweeps.store import Store, StoreError

Ids = NDArray[np.unsignedinteger]


@dataclass(frozen=True, slots=True, kw_only=True)
class Tokens:
    """Token ids of one corpus; `held_out_ends` says where each held-out document ends."""

    train: Ids
    held_out: Ids
    held_out_ends: NDArray[np.int64]


def open_tokens(store: Store, content: str) -> Tokens:
    """Map a corpus by its content hash. Raises StoreError where a file is not what the manifest says."""
    prepared = read_manifest(store, content)
    paths = {name: store.local(f"{prepared.folder()}/{name}", node_cache()) for name in prepared.files}
    kind = token_type(prepared.vocabulary)
    for name, tokens in (("train.bin", prepared.train_tokens), ("held_out.bin", prepared.held_out_tokens)):
        if paths[name].stat().st_size != tokens * kind.itemsize:
            raise StoreError(
                f"{paths[name]} is damaged: its size is not the manifest's; delete its folder to prepare anew"
            )
    return Tokens(
        train=np.memmap(paths["train.bin"], dtype=kind, mode="r"),
        held_out=np.memmap(paths["held_out.bin"], dtype=kind, mode="r"),
        held_out_ends=np.fromfile(paths["held_out_ends.bin"], dtype=np.int64),
    )


def verify(store: Store, prepared: Prepared) -> None:
    """Compare every file with its hash. Raises StoreError naming the one that differs."""
    for name, expected in prepared.files.items():
        path = store.local(f"{prepared.folder()}/{name}", node_cache())
        if file_hash(path) != expected:
            raise StoreError(f"{path} is damaged: its hash is not the manifest's; delete its folder to prepare anew")


def node_cache() -> Path:
    """Where copies of objects live on a node: shared by its processes, this user's alone."""
    path = Path(tempfile.gettempdir()) / f"interplay-{os.getuid()}"
    path.mkdir(mode=0o700, exist_ok=True)
    if path.stat().st_uid != os.getuid():
        raise StoreError(f"{path} belongs to someone else; remove it, or set TMPDIR")
    return path
