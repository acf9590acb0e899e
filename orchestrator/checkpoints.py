"""Checkpoints: shards of tensors by name, and a manifest published last that vouches for them.

    checkpoints/<trial>/<step>-a<attempt>-<n>.safetensors   tensors by parameter name, up to about a gibibyte
    checkpoints/<trial>/<step>-a<attempt>.json              the manifest: shards with SHA-256, step, what made it
    checkpoints/<trial>/<step>-a<attempt>.damaged           set aside: a shard was not what the manifest says

There is a checkpoint where there is a manifest and no mark. Nothing is unpickled, and nothing but a manifest's
name says which is the newest.
"""

from __future__ import annotations

import hashlib
import json
import re
from collections.abc import Iterable, Mapping
from dataclasses import asdict, dataclass
from typing import Any

import safetensors.torch
from torch import Tensor

from sweeps.faults import fault
from sweeps.store import AlreadyPublished, Store

MANIFEST = re.compile(r"(?P<step>\d{10})-a(?P<attempt>\d{4,})\.json")
SHARD_BYTES = 1 << 30


@dataclass(frozen=True, slots=True, kw_only=True)
class Checkpoint:
    """A manifest.

    moments   whether Adam's moments are there, so that a training can go on from it
    probe     loss on the batch after `step`, forward only, as computed where it was saved
    facts     who made it, for people: workers, micro-batch, versions
    """

    trial_id: str
    attempt: int
    step: int
    moments: bool
    probe: float | None
    shards: dict[str, str]
    facts: dict[str, Any]

    @property
    def stem(self) -> str:
        return stem(self.trial_id, self.step, self.attempt)


class DamagedCheckpoint(Exception):
    """A shard is missing or is not what its manifest says."""


def stem(trial_id: str, step: int, attempt: int) -> str:
    return f"checkpoints/{trial_id}/{step:010d}-a{attempt:04d}"


def publish(
    store: Store,
    tensors: Iterable[tuple[str, Tensor]],
    *,
    trial_id: str,
    attempt: int,
    step: int,
    moments: bool,
    probe: float | None,
    facts: Mapping[str, Any],
) -> Checkpoint:
    """Write shards as the tensors come, then the manifest, without which they are nothing. Raises StoreError."""
    place = stem(trial_id, step, attempt)
    shards: dict[str, str] = {}
    held: dict[str, Tensor] = {}

    def write() -> None:
        name = f"{place}-{len(shards)}.safetensors"
        data = safetensors.torch.save(held)
        shards[name] = hashlib.sha256(data).hexdigest()
        try:
            store.publish(name, data)
        except AlreadyPublished:  # this attempt was at this step before, and was killed before its manifest
            store.delete(name)
            store.publish(name, data)
        held.clear()
        fault("checkpoint: shard")

    for name, tensor in tensors:
        held[name] = tensor.contiguous()
        if sum(t.nbytes for t in held.values()) >= SHARD_BYTES:
            write()
    if held:
        write()
    made = Checkpoint(
        trial_id=trial_id,
        attempt=attempt,
        step=step,
        moments=moments,
        probe=probe,
        shards=shards,
        facts=dict(facts),
    )
    fault("checkpoint: before manifest")
    store.publish(f"{place}.json", json.dumps(asdict(made), sort_keys=True).encode())
    fault("checkpoint: published")
    return made


def listed(store: Store, trial_id: str) -> list[tuple[int, int]]:
    """(step, attempt) of every checkpoint of a trial that is not set aside, the newest first."""
    names = store.names(f"checkpoints/{trial_id}")
    aside = {name.removesuffix(".damaged") for name in names if name.endswith(".damaged")}
    found = (MANIFEST.fullmatch(name) for name in names if name.removesuffix(".json") not in aside)
    return sorted(((int(match["step"]), int(match["attempt"])) for match in found if match), reverse=True)


def load(store: Store, trial_id: str, step: int, attempt: int) -> tuple[Checkpoint, dict[str, Tensor]]:
    """A checkpoint and its tensors, every shard's hash verified. Raises DamagedCheckpoint."""
    place = stem(trial_id, step, attempt)
    try:
        checkpoint = Checkpoint(**json.loads(store.read(f"{place}.json")))
        tensors: dict[str, Tensor] = {}
        for name, expected in checkpoint.shards.items():
            data = store.read(name)
            if hashlib.sha256(data).hexdigest() != expected:
                raise DamagedCheckpoint(f"{store.uri}/{name}: its hash is not the manifest's")
            tensors |= safetensors.torch.load(data)
    except (FileNotFoundError, ValueError, TypeError, KeyError, safetensors.SafetensorError) as error:
        raise DamagedCheckpoint(f"{store.uri}/{place}: {error}") from error
    return checkpoint, tensors


def set_aside(store: Store, trial_id: str, step: int, attempt: int, reason: str) -> None:
    """Mark a damaged checkpoint, so that the one before it is used; the mark stays, its files until the next save."""
    try:
        store.publish(f"{stem(trial_id, step, attempt)}.damaged", reason.encode())
    except AlreadyPublished:
        return


def keep_last(store: Store, trial_id: str, keep: int) -> None:
    """Delete all but the newest `keep` checkpoints, manifests first, and shards that no manifest vouches for."""
    kept = {stem(trial_id, step, attempt).rsplit("/", 1)[1] for step, attempt in listed(store, trial_id)[:keep]}
    names = store.names(f"checkpoints/{trial_id}")
    for name in sorted(names, key=lambda name: not name.endswith(".json")):
        owner = re.sub(r"(-\d+\.safetensors|\.json|\.damaged)$", "", name)
        if owner not in kept and not name.endswith(".damaged"):
            store.delete(f"checkpoints/{trial_id}/{name}")
