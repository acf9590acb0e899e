"""A whole record checked file by file: what is damaged, missing or nobody's, and what repairs it."""

from __future__ import annotations

import hashlib
import json
from collections.abc import Iterator
from typing import Any

import pyarrow as pa

from sweeps.record import CLAIM_FILE, PART_FILE, PLAN_FILE
from sweeps.rows import ATTEMPTS, METRICS, PLANS, SCHEMA_VERSION, VERSION_KEY, decode
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
    patterns = {"plans": (PLAN_FILE, PLANS), "attempts": (CLAIM_FILE, ATTEMPTS), "metrics": (PART_FILE, METRICS)}
    for folder, (pattern, schema) in patterns.items():
        for name in store.names(folder):
            file = f"{folder}/{name}"
            if not pattern.fullmatch(name):
                yield defect(file, "is not one of ours", "move it out of the record")
                continue
            try:
                table, _ = decode(store.read(file))
            except (pa.ArrowInvalid, OSError) as error:
                yield defect(file, f"is damaged: {' '.join(str(error).split())[:200]}", REPAIRS[folder])
                continue
            yield from schema_findings(file, table.schema, schema)


REPAIRS = {
    "plans": "delete it and run `sweep run` with its spec again: the same plan is written anew",
    "attempts": "delete it: the attempt's rows say the rest",
    "metrics": "delete the trial's files in metrics/ and attempts/ and run the sweep again: it is trained anew",
}


def schema_findings(file: str, found: pa.Schema, expected: pa.Schema) -> Iterator[Finding]:
    """Columns of another type, and files of code newer than this."""
    version = (found.metadata or {}).get(VERSION_KEY)
    if version is None:
        yield defect(file, "was not written by interplay", "move it out of the record")
    elif int(version) > SCHEMA_VERSION:
        yield defect(
            file, f"has schema version {int(version)}, newer than this code's {SCHEMA_VERSION}", "update interplay"
        )
    for field in expected:
        place = found.get_field_index(field.name)
        if place >= 0 and found.field(place).type != field.type:
            what = f"column {field.name} is {found.field(place).type}, not {field.type}"
            yield defect(file, what, "move it out of the record")


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
    except Exception as error:  # a damaged file is named by parquet_findings already
        yield defect(
            "metrics", f"cannot be read as a whole: {' '.join(str(error).split())[:200]}", "see the files above"
        )
        return
    for trial, rows, steps, low, high, first, last in gaps:
        what = f"steps {first + 1}..{last} should be there once; there are {rows} rows of {steps} steps, {low}..{high}"
        yield defect(f"metrics/{trial}-*", what, REPAIRS["metrics"])
    for (trial,) in orphans:
        yield defect(f"metrics/{trial}-*", "belongs to no plan here", "copy the plan it belongs to, or `sweep gc`")


def checkpoint_findings(store: Store) -> Iterator[Finding]:
    """Manifests whose shards are missing or not what they say."""
    with connect(store) as connection:
        trials = [trial for (trial,) in connection.execute("select trial_id from trials").fetchall()]
    for trial in trials:
        names = store.names(f"checkpoints/{trial}")
        for name in names:
            if not name.endswith(".json"):
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
                    yield defect(
                        shard, "is missing or not what its manifest says", "run the sweep: the one before it is used"
                    )


def corpus_findings(store: Store) -> Iterator[Finding]:
    """Prepared corpora whose files are not what their manifests say."""
    from orchestrator.corpora.prepare import read_manifest
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
