"""A whole record checked file by file: what is damaged, missing or nobody's, and what repairs it."""

from __future__ import annotations

import hashlib
import json
from collections.abc import Iterator
from typing import Any

import duckdb
import pyarrow as pa
import pyarrow.parquet as pq

from orchestrator.failures import TRAIN_ANEW
from sweeps.intact import FOLDERS, damaged
from sweeps.record import RecordError
from sweeps.rows import SCHEMA_VERSION, VERSION_KEY
from sweeps.store import Store
from sweeps.views import connect

Finding = dict[str, Any]


def record_findings(store: Store) -> list[Finding]:
    """Every defect; an empty list is a whole record. Reads every byte."""
    return [*parquet_findings(store), *row_findings(store), *checkpoint_findings(store), *corpus_findings(store)]


def defect(file: str, what: str, repair: str) -> Finding:
    return {"file": file, "what": what, "verdict": "bad", "repair": repair}


def parquet_findings(store: Store) -> Iterator[Finding]:
    """Files that cannot be read, are of another schema, or have no name of ours."""
    for folder, (pattern, _) in FOLDERS.items():
        for name in store.names(folder):
            if pattern and not pattern.fullmatch(name):
                yield defect(f"{folder}/{name}", "is not one of ours", "move it out of the record")
    for file, what in damaged(store):
        folder, name = file.split("/", 1)
        pattern = FOLDERS[folder][0]
        if pattern is None or pattern.fullmatch(name):
            foreign = not what.startswith("is damaged")
            yield defect(file, what, "move it out of the record" if foreign else REPAIRS[folder])
        else:
            yield defect(file, what, "move it out of the record")
    for folder in FOLDERS:
        for name in store.names(folder):
            if (version := newer(store, f"{folder}/{name}")) is not None:
                what = f"has schema version {version}, newer than this code's {SCHEMA_VERSION}"
                yield defect(f"{folder}/{name}", what, "update interplay")


REPAIRS = {
    "plans": "delete it and run `sweep run` with its spec again: the same plan is written anew",
    "attempts": "delete it: the attempt's rows say the rest",
    "metrics": "delete the trial's files in metrics/ and attempts/ and run the sweep again: it is trained anew",
    "compact": "delete it: the parts it was made of are read instead, unless `sweep gc` removed them",
}


def newer(store: Store, file: str) -> int | None:
    """The schema version of a file that newer code wrote; None for any other."""
    filesystem, root = store.arrow()
    try:
        metadata = pq.read_metadata(f"{root}/{file}", filesystem=filesystem).metadata or {}
        version = int(metadata.get(VERSION_KEY, 0))
    except (pa.ArrowException, OSError, ValueError):
        return None  # damaged, and named for it
    return version if version > SCHEMA_VERSION else None


def row_findings(store: Store) -> Iterator[Finding]:
    """Finished trials whose steps are not there exactly once, and rows of trials in no plan."""
    try:
        with connect(store) as connection:
            gaps = connection.execute(
                """
                with steps as (select trial_id, count(*) as n, count(distinct step) as d, min(step) as low,
                                      max(step) as high from metrics group by trial_id)
                select t.trial_id, s.n, s.d, s.low, s.high, t.first_step, t.last_step
                from trials t join steps s using (trial_id)
                where t.status = 'completed' and t.last_step is not null and
                  (s.n, s.d, s.low, s.high) <> (t.last_step - t.first_step, s.n, t.first_step + 1, t.last_step)
                """
            ).fetchall()
            orphans = connection.execute(
                "select distinct trial_id from rows where trial_id not in (select trial_id from plans)"
            ).fetchall()
    except (RecordError, duckdb.Error) as error:  # a damaged file is named by parquet_findings already
        yield defect(
            "metrics", f"cannot be read as a whole: {' '.join(str(error).split())[:200]}", "see the files above"
        )
        return
    for trial, rows, steps, low, high, first, last in gaps:
        what = f"steps {first + 1}..{last} should be there once; there are {rows} rows of {steps} steps, {low}..{high}"
        yield defect(f"metrics/{trial}-*", what, REPAIRS["metrics"])
    for (trial,) in orphans:
        yield defect(f"metrics/{trial}-*", "belongs to no plan here", "copy the plan it belongs to, or delete it")


def checkpoint_findings(store: Store) -> Iterator[Finding]:
    """Manifests whose shards are missing or not what they say."""
    try:
        with connect(store) as connection:
            trials = connection.execute("select trial_id, status from trials").fetchall()
    except RecordError:  # named by parquet_findings already
        return
    unfinished = {trial for trial, status in trials if status != "completed"}
    for trial, _ in trials:
        names = store.names(f"checkpoints/{trial}")
        for name in names:
            if not name.endswith(".json") or f"{name.removesuffix('.json')}.damaged" in names:
                continue
            try:
                shards = json.loads(store.read(f"checkpoints/{trial}/{name}"))["shards"]
            except (ValueError, KeyError) as error:
                yield defect(f"checkpoints/{trial}/{name}", f"is no manifest: {error}", "delete it")
                continue
            for shard, expected in shards.items():
                try:
                    good = hashlib.sha256(store.read(shard)).hexdigest() == expected
                except FileNotFoundError:
                    good = False
                if not good:
                    repair = "run the sweep: the one before it is used" if trial in unfinished else TRAIN_ANEW
                    yield defect(shard, "is missing or not what its manifest says", repair)


def corpus_findings(store: Store) -> Iterator[Finding]:
    """Prepared corpora whose files are not what their manifests say."""
    from orchestrator.corpora.prepared import read_manifest
    from orchestrator.corpora.tokens import verify
    from sweeps.store import StoreError

    contents: dict[str, str] = {}
    for name in store.names("corpora"):
        contents[json.loads(store.read(f"corpora/{name}"))["content"]] = name
    for content, pointer in contents.items():
        try:
            verify(store, read_manifest(store, content))
        except (StoreError, FileNotFoundError) as error:
            yield defect(
                f"corpora/{content[:16]}", str(error), f"delete the folder and corpora/{pointer}; it is prepared anew"
            )
