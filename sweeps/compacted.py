"""Compacted files: finished trials merged into one sorted file, whose footer says what it stands for.

Each trial's rows come from exactly one of them, so that two made at the same time, or an old one that is still
there, count nothing twice; parts of attempts they cover are skipped, later attempts' are not.
"""

from __future__ import annotations

import json
from dataclasses import dataclass

import pyarrow as pa
import pyarrow.parquet as pq

from sweeps.record import RecordError
from sweeps.store import Store

COVERS = "interplay.covers"


@dataclass(frozen=True, slots=True, kw_only=True)
class Compacted:
    """A compacted file.

    covers   for each trial in it the last attempt whose rows it has
    takes    the trials whose rows are to be taken from this file and no other
    """

    file: str
    covers: dict[str, int]
    takes: frozenset[str]


def compacted(store: Store) -> list[Compacted]:
    """Every compacted file, the one that covers most first. Raises RecordError for a damaged one."""
    filesystem, root = store.arrow()
    covers: dict[str, dict[str, int]] = {}
    for name in store.names("compact"):
        file = f"compact/{name}"
        try:
            metadata = pq.read_metadata(f"{root}/{file}", filesystem=filesystem).metadata or {}
            covers[file] = json.loads(metadata[COVERS.encode()])
        except FileNotFoundError:
            continue  # another one took its place, and `sweep gc` removed it
        except (pa.ArrowException, OSError, ValueError, KeyError) as error:
            raise RecordError(
                f"{store.uri}/{file} is no compacted file of ours, or damaged: {error}; "
                f"`sweep doctor` says what repairs it"
            ) from error
    # of two files with the same trial the one that covers its later attempt is right; then the larger file
    latest: dict[str, int] = {}
    for each in covers.values():
        for trial, attempt in each.items():
            latest[trial] = max(attempt, latest.get(trial, 0))
    found, taken = [], set[str]()
    for file, each in sorted(covers.items(), key=lambda item: (-len(item[1]), item[0])):
        takes = {trial for trial, attempt in each.items() if attempt == latest[trial]} - taken
        taken |= takes
        found.append(Compacted(file=file, covers=each, takes=frozenset(takes)))
    return found
