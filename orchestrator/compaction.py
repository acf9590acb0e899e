"""Finished trials merged into one file, sorted by trial, which answers a query many times sooner than their parts.

Killed at any point it leaves the record as it was: the file appears whole or not at all, stands for its trials from
that moment, and the parts stay until `sweep gc` removes them.
"""

from __future__ import annotations

import hashlib
import json
import secrets
import tempfile
from collections.abc import Iterator, Set
from contextlib import contextmanager
from itertools import chain
from pathlib import Path

import duckdb
import pyarrow as pa
import pyarrow.parquet as pq

from orchestrator.failures import FINAL
from sweeps.compacted import COVERS, compacted
from sweeps.faults import fault
from sweeps.record import RecordError, parts
from sweeps.rows import METRICS, REPETITIVE, RISING, SCHEMA_VERSION, VERSION_KEY
from sweeps.small_files import SmallFiles
from sweeps.store import AlreadyPublished, FolderStore, Store
from sweeps.views import connect

ROWS_A_BATCH = 122_880  # DuckDB's own row group
MEMORY = "1GB"


def compact(store: Store) -> tuple[str | None, int]:
    """Merge every finished trial; the file's name (None where there is nothing new to merge) and trials in it.

    Raises RecordError where the record is damaged, or the merged file is not what it should be; StoreError.
    """
    with connect(store) as connection, room(store) as folder:
        connection.execute(f"set memory_limit = '{MEMORY}'")
        connection.execute(f"set temp_directory = '{folder}'")
        covers = finished(connection)
        before = {trial: whole.covers[trial] for whole in compacted(store) for trial in whole.takes}
        if covers.items() <= before.items():
            return None, 0
        path = folder / f".{secrets.token_hex(8)}.parquet"
        try:
            written = write(store, connection, covers, path)
            fault("compact: written")
            verify(path, written)
            name = f"compact/{digest(path)}.parquet"
            try:
                store.publish_file(name, path)
            except AlreadyPublished:  # someone else compacted the same trials
                return None, 0
            fault("compact: published")
        finally:
            path.unlink(missing_ok=True)
    return name, len(covers)


def finished(connection: duckdb.DuckDBPyConnection) -> dict[str, int]:
    """Trials that nothing more will be done about, and their last attempt."""
    found = connection.execute("select trial_id, attempts, split_part(status, ':', 1) from trials").fetchall()
    return {trial: attempts for trial, attempts, status in found if status in FINAL}


def write(store: Store, connection: duckdb.DuckDBPyConnection, covers: dict[str, int], path: Path) -> int:
    """Their rows, each step once and every event, and the number of rows.

    Trials of one attempt, which are nearly all, are sorted by the names of their parts already and are copied; those of
    several attempts, or with rows in another compacted file, are asked from the views and come first.
    """
    footer = {VERSION_KEY: str(SCHEMA_VERSION).encode(), COVERS.encode(): json.dumps(covers, sort_keys=True).encode()}
    schema = METRICS.with_metadata(footer)
    apart = {trial for (trial,) in connection.execute("select trial_id from repeated").fetchall()}
    apart.update(trial for whole in compacted(store) for trial in whole.covers)
    rows = 0
    with pq.ParquetWriter(
        path,
        schema,
        compression="zstd",
        write_page_checksum=True,
        version="2.6",
        use_dictionary=REPETITIVE,
        column_encoding=RISING,
    ) as writer:
        for table in chain(merged(connection, sorted(covers.keys() & apart)), copied(store, covers.keys() - apart)):
            writer.write_table(table.cast(schema))
            rows += table.num_rows
    return rows


def merged(connection: duckdb.DuckDBPyConnection, trials: list[str]) -> Iterator[pa.Table]:
    """What the views have of these trials, by trial, attempt and row."""
    if not trials:
        return
    connection.register("finishing", pa.table({"trial_id": pa.array(trials, pa.string())}))
    columns = ", ".join(METRICS.names)
    reader = connection.sql(
        f"""
        select {columns} from rows m where trial_id in (select trial_id from finishing) and (
            event is not null or trial_id not in (select trial_id from repeated) or not exists (
                select 1 from resumes r where r.trial_id = m.trial_id and r.attempt > m.attempt
                and r.resume_step < m.step))
        order by trial_id, attempt, seq
        """  # noqa: S608 – column names of ours
    ).to_arrow_reader(ROWS_A_BATCH)
    for batch in reader:
        yield pa.Table.from_batches([batch])


def copied(store: Store, trials: Set[str]) -> Iterator[pa.Table]:
    """The parts of these trials in the order of their names, several to a table; checksums are verified."""
    parts_of = SmallFiles(
        store, [f"metrics/{match.string}" for match in parts(store) if match["trial"] in trials], METRICS
    )
    held: list[pa.RecordBatch] = []
    for batch in parts_of.batches(parts_of.files, parts_of.schema):
        held.append(batch)
        if sum(each.num_rows for each in held) >= ROWS_A_BATCH:
            yield pa.Table.from_batches(held)
            held = []
    if held:
        yield pa.Table.from_batches(held)


def verify(path: Path, rows: int) -> None:
    """Read it all back, checksums and all. Raises RecordError where it is not what was written."""
    with pq.ParquetFile(path, page_checksum_verification=True) as made:
        # group by group: 0.5 GiB at most for 30M rows, where iter_batches over the whole file came to 1.3 (docs/log.md)
        read = sum(made.read_row_group(group).num_rows for group in range(made.num_row_groups))
    if read != rows:
        raise RecordError(f"{path}: {read} rows were read back of {rows} written; nothing was changed")


def digest(path: Path) -> str:
    with path.open("rb") as file:
        return hashlib.file_digest(file, "sha256").hexdigest()[:16]


@contextmanager
def room(store: Store) -> Iterator[Path]:
    """A folder for the file in the making: beside the record's own, so that publishing it is a link, or temporary."""
    if isinstance(store, FolderStore):
        folder = store.root / "compact"
        folder.mkdir(parents=True, exist_ok=True)
        yield folder
        return
    with tempfile.TemporaryDirectory(prefix="interplay-compact-") as temporary:
        yield Path(temporary)
