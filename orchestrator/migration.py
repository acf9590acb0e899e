"""A record copied to another place under this code's schema, the old one kept and untouched.

Older schema versions are read as they are, so nobody must migrate; it is for who wants one schema throughout, or
another home, object storage for instance. Broken off, the same command goes on.
"""

from __future__ import annotations

import json
from collections.abc import Iterator

import pyarrow as pa

from sweeps.intact import FOLDERS, damaged, schema_fault
from sweeps.record import RecordError
from sweeps.rows import VERSION_KEY, decode, encode
from sweeps.safe_yaml import SpecError
from sweeps.store import AlreadyPublished, Store
from sweeps.views import connect

VIEWS = ("plans", "attempts", "trials", "metrics")


def migrate(old: Store, new: Store) -> dict[str, int]:
    """Copy every file of a record, and verify the copy against it; files by folder.

    Raises RecordError where the old record is damaged or the new one is not equal to it, SpecError where they are
    one and the same, StoreError. The old record is only read.
    """
    if old.uri == new.uri:
        raise SpecError(f"{old.uri} cannot be migrated into itself; name another place with --to")
    copied: dict[str, int] = {}
    for file in files(old):
        data = old.read(file)
        if file.endswith(".parquet"):
            data = renewed(old, file, data)
        try:
            new.publish(file, data)
        except AlreadyPublished:
            if new.read(file) != data:
                raise RecordError(
                    f"{new.uri}/{file} is there already, and is another file; name an empty place"
                ) from None
        folder = file.split("/", 1)[0]
        copied[folder] = copied.get(folder, 0) + 1
    verify(old, new)
    return copied


def files(store: Store) -> Iterator[str]:
    """Everything of a record but signs of life, what vouches for others last."""
    with connect(store) as connection:
        trials = [trial for (trial,) in connection.execute("select trial_id from trials order by 1").fetchall()]
    pointers = [f"corpora/{name}" for name in store.names("corpora")]
    contents = sorted({json.loads(store.read(pointer))["content"] for pointer in pointers})
    for folder in (*FOLDERS, *(f"corpora/{content}" for content in contents)):
        yield from (f"{folder}/{name}" for name in store.names(folder))
    yield from pointers
    for trial in trials:
        names = store.names(f"checkpoints/{trial}")
        yield from (f"checkpoints/{trial}/{name}" for name in sorted(names, key=lambda name: name.endswith(".json")))


def renewed(store: Store, file: str, data: bytes) -> bytes:
    """A Parquet file under the schema of now: columns it lacked are null, its footer is kept. Raises RecordError."""
    schema = FOLDERS[file.split("/", 1)[0]][1]
    try:
        table, footer = decode(data)
    except (pa.ArrowException, OSError) as error:
        raise RecordError(f"{store.uri}/{file} is damaged: {error}; `sweep doctor` says what repairs it") from error
    if what := schema_fault(table.schema, schema):
        raise RecordError(f"{store.uri}/{file} {what}; `sweep doctor` says what repairs it")
    columns = [
        table.column(field.name) if field.name in table.column_names else pa.nulls(table.num_rows, field.type)
        for field in schema
    ]
    kept = {key: value for key, value in footer.items() if key not in (VERSION_KEY.decode(), "ARROW:schema")}
    return encode(pa.table(columns, schema=schema), schema, kept)


def verify(old: Store, new: Store) -> None:
    """Every view of the new record has the old one's rows, and every byte can be read. Raises RecordError."""
    for file, what in damaged(new):
        raise RecordError(f"{new.uri}/{file} {what}; the old record is as it was")
    with connect(old) as before, connect(new) as after:
        for view in VIEWS:
            # two sums over hashes of whole rows: of any order, and of any number of rows
            sql = f"select count(*), bit_xor(hash(x)), sum(hash(x) % 1000003) from {view} x"  # noqa: S608 – ours
            if before.execute(sql).fetchone() != after.execute(sql).fetchone():
                raise RecordError(f"the view {view} of {new.uri} differs from {old.uri}; the old record is as it was")
