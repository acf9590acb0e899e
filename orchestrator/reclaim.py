"""What a record holds and nothing needs any more: found first, then deleted, in an order that is safe to break off.

Nothing of a trial that is not finished is touched, nor any measurement that is not in another file too.
"""

from __future__ import annotations

import re
import time
from collections.abc import Iterator
from pathlib import Path

from orchestrator.compaction import finished
from orchestrator.owners import living
from sweeps.compacted import compacted
from sweeps.faults import fault
from sweeps.intact import page_fault
from sweeps.record import RecordError, parts
from sweeps.rows import METRICS
from sweeps.store import FolderStore, Store
from sweeps.views import connect

ABANDONED_SECONDS = 3600.0  # no write takes so long: a temporary name this old belongs to a killed process
CHECKPOINT_FILE = re.compile(r"(?P<stem>(?P<step>\d{10})-a\d{4,})(-\d+\.safetensors|\.json|\.damaged)")

Useless = tuple[str, str]


def reclaim(store: Store, *, dry_run: bool = False) -> list[Useless]:
    """Delete what nothing needs, or only find it; every file with why. Raises RecordError where the record is
    damaged: what is needed cannot be told then."""
    found = [*merged_parts(store), *checkpoints(store), *signs_of_the_dead(store)]
    for file, _ in () if dry_run else found:
        store.delete(file)
        fault("gc: deleted")
    for path, why in abandoned(store):
        found.append((str(path.relative_to(store.uri)), why))
        if not dry_run:
            path.unlink(missing_ok=True)
    return found


def merged_parts(store: Store) -> Iterator[Useless]:
    """Parts whose rows are in a compacted file, and compacted files whose trials are in another."""
    covers: dict[str, int] = {}
    useless: list[str] = []
    for whole in compacted(store):
        if not whole.takes:
            useless.append(whole.file)
            continue
        if what := page_fault(store, whole.file, METRICS):  # the last moment at which the parts could mend it
            raise RecordError(f"{store.uri}/{whole.file} {what}; nothing was deleted: delete it and compact again")
        covers |= {trial: whole.covers[trial] for trial in whole.takes}
    for match in parts(store):
        if int(match["attempt"]) <= covers.get(match["trial"], 0):
            yield f"metrics/{match.string}", "its rows are in a compacted file"
    for file in useless:
        yield file, "its trials are in another compacted file"


def checkpoints(store: Store) -> Iterator[Useless]:
    """Of every finished trial all but the newest good checkpoint: final weights, or where its branches start."""
    with connect(store) as connection:
        done = sorted(finished(connection))
    for trial in done:
        names = store.names(f"checkpoints/{trial}")
        aside = {name.removesuffix(".damaged") for name in names if name.endswith(".damaged")}
        good = [name.removesuffix(".json") for name in names if name.endswith(".json")]
        kept = max((stem for stem in good if stem not in aside), default=None)
        # manifests first: what is left of a checkpoint after a kill is then not taken for one
        for name in sorted(names, key=lambda name: not name.endswith(".json")):
            match = CHECKPOINT_FILE.fullmatch(name)
            if match and kept is not None and match["stem"] != kept:
                yield f"checkpoints/{trial}/{name}", "the trial is finished, and a later checkpoint is kept"


def signs_of_the_dead(store: Store) -> Iterator[Useless]:
    """Signs of life of drivers that are dead. Watching the doubtful ones takes a lease's time."""
    drivers = [name.removesuffix(".json") for name in store.names("drivers") if name.endswith(".json")]
    for driver in sorted(set(drivers) - living(store, drivers)):
        yield f"drivers/{driver}.json", "its driver is dead"


def abandoned(store: Store) -> Iterator[tuple[Path, str]]:
    """Files under temporary names that a killed process left."""
    if not isinstance(store, FolderStore):
        return
    for path in sorted(store.root.glob("*/.*")) + sorted(store.root.glob("*/*/.*")):
        if path.is_file() and not path.is_symlink() and time.time() - path.stat().st_mtime > ABANDONED_SECONDS:
            yield path, "a killed process left it"
