"""A corpus prepared once, by one driver at a time, and published whole.

Of the drivers that want the same corpus, on this machine or another one, the first claims it, as attempts are
claimed; the others wait for it, or take over when it is dead. Nothing half-made is ever in use: files appear whole
under their content hash, and the pointer that leads to them appears last.
"""

from __future__ import annotations

import json
import re
import shutil
import tempfile
import time
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import asdict
from pathlib import Path

from orchestrator.corpora.downloads import hash_of
from orchestrator.corpora.prepared import Prepared, pointed_at, pointer_name
from orchestrator.corpora.source import Corpus, corpora_of
from orchestrator.corpora.watcher import Watcher
from orchestrator.corpora.writing import write
from orchestrator.owners import Heart, living
from sweeps.faults import fault
from sweeps.spec import Spec
from sweeps.store import AlreadyPublished, FolderStore, Store, StoreError

WAIT_SECONDS = 0.5


def prepare(spec: Spec, store: Store, watcher: Watcher | None = None, *, processes: int | None = None) -> Prepared:
    """Read, split, tokenise and publish, unless another driver has. Raises SpecError for text that cannot serve,
    Interrupted where the watcher says so."""
    watcher = watcher or Watcher()
    corpora = corpora_of(spec.data.corpus)
    pointer = pointer_name(spec, corpora)
    with Heart(store, spec.name) as heart, turn(store, pointer, heart.driver, watcher):
        told = watcher.stopping
        watcher.stopping = lambda: heart.asked is not None or told()  # `sweep stop`
        found = pointed_at(store, pointer)
        return found or made(spec, corpora, store, pointer, heart.driver, watcher, processes)


def made(
    spec: Spec, corpora: list[Corpus], store: Store, pointer: str, driver: str, watcher: Watcher, processes: int | None
) -> Prepared:
    """Make the files in a folder aside and publish them, the pointer last."""
    inside = preparing_folder(store, driver)
    work = inside or Path(tempfile.mkdtemp(prefix="interplay-preparing-"))
    try:
        work.mkdir(parents=True, exist_ok=True)
        prepared = write(spec, corpora, work, watcher, processes)
        fault("corpus: written")
        for name, expected in prepared.files.items():
            publish_once(store, f"{prepared.folder()}/{name}", work / name, expected)
            fault("corpus: file published")
        publish_text(store, f"{prepared.folder()}/manifest.json", asdict(prepared))
        fault("corpus: manifest published")
        publish_text(store, pointer, {"content": prepared.content})
        return prepared
    finally:
        shutil.rmtree(work, ignore_errors=True)


def preparing_folder(store: Store, driver: str) -> Path | None:
    """Where a driver makes a corpus: beside its place, so that publishing is a link; None on object storage."""
    return store.root / "corpora" / f".preparing-{driver}" if isinstance(store, FolderStore) else None


def publish_once(store: Store, name: str, path: Path, expected: str) -> None:
    """Publish a file under its content's name; one that is there already must be the same."""
    try:
        store.publish_file(name, path)
    except AlreadyPublished:
        with tempfile.TemporaryDirectory() as folder:
            if hash_of(store.local(name, Path(folder))) != expected:
                raise StoreError(
                    f"{store.uri}/{name} is there and is not what its name says; delete its folder, and run again"
                ) from None


def publish_text(store: Store, name: str, value: object) -> None:
    """Publish a manifest or a pointer; another driver's, which says the same, or an outdated one may be there."""
    data = json.dumps(value, sort_keys=True, indent=1).encode()
    try:
        store.publish(name, data)
    except AlreadyPublished:
        store.replace(name, data)


@contextmanager
def turn(store: Store, pointer: str, driver: str, watcher: Watcher) -> Iterator[None]:
    """Hold the claim on preparing what `pointer` will lead to, once no living driver does."""
    what = Path(pointer).stem
    pattern = re.compile(rf"{what}-(\d{{4}})\.json")
    said = False
    while True:
        claims = [match for name in store.names("preparing") if (match := pattern.fullmatch(name))]
        number = int(claims[-1][1]) if claims else 0
        owner = owner_of(store, claims[-1].string) if claims else None
        if owner is None or owner not in living(store, [owner]):
            if owner and (left := preparing_folder(store, owner)):
                shutil.rmtree(left, ignore_errors=True)
            try:
                store.publish(f"preparing/{what}-{number + 1:04d}.json", json.dumps({"driver": driver}).encode())
                break
            except AlreadyPublished:
                continue
        if not said:
            watcher.say(f"{owner} prepares this corpus already; waiting for it")
            said = True
        watcher.at(f"{owner} is at it")
        time.sleep(WAIT_SECONDS)
    try:
        yield
    finally:
        for claim in range(1, number + 2):
            store.delete(f"preparing/{what}-{claim:04d}.json")


def owner_of(store: Store, name: str) -> str | None:
    try:
        return str(json.loads(store.read(f"preparing/{name}"))["driver"])
    except FileNotFoundError:
        return None
