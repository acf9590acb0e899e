"""Whether the Parquet files of a record are what they should be: ours, whole, of a schema this code can read.

A compacted file's footer is looked at before a query begins, a small file's when a query asks for it
(sweeps/small_files.py); pages are verified as they are read. Only once something is wrong are all files read to name
the one.
"""

from __future__ import annotations

import io
from collections.abc import Iterable, Iterator, Sequence
from concurrent.futures import ThreadPoolExecutor
from typing import Any

import pyarrow as pa
import pyarrow.dataset as ds
import pyarrow.parquet as pq

from sweeps.record import CLAIM_FILE, PART_FILE, PLAN_FILE, RecordError
from sweeps.rows import ATTEMPTS, METRICS, PLANS, VERSION_KEY
from sweeps.store import Store

FOLDERS = {
    "plans": (PLAN_FILE, PLANS),
    "attempts": (CLAIM_FILE, ATTEMPTS),
    "metrics": (PART_FILE, METRICS),
    "compact": (None, METRICS),
}
THREADS = 8
CODED, CODE = "trial_id", pa.dictionary(pa.int32(), pa.string())
GONE = "went away while it was being read; ask again"
ADVICE = "`sweep doctor` says what repairs it; --allow-partial answers without it"

Damage = tuple[str, str]


def dataset(store: Store, files: Sequence[str], schema: pa.Schema) -> Any:
    """Large files of one schema as a dataset for DuckDB. Raises RecordError for one damaged, foreign, or gone."""
    if not files:
        return schema.empty_table()
    filesystem, root = store.arrow()
    options = ds.ParquetFragmentScanOptions(page_checksum_verification=True)
    reading = ds.ParquetReadOptions(dictionary_columns={CODED})
    # a trial's name is in each of its rows: read as the code it is stored as, it takes a tenth of the time to group by
    read = pa.schema([field.with_type(CODE) if field.name == CODED else field for field in schema])
    made = ds.dataset(
        [f"{root}/{file}" for file in files],
        schema=read,
        format=ds.ParquetFileFormat(default_fragment_scan_options=options, read_options=reading),
        filesystem=filesystem,
    )
    with ThreadPoolExecutor(THREADS) as pool:
        for file, what in zip(files, pool.map(lambda f: footer_fault(f, read), made.get_fragments()), strict=True):
            if what:
                raise RecordError(f"{store.uri}/{file} {what}; {ADVICE}")
    return made


def footer_fault(fragment: Any, schema: pa.Schema) -> str | None:
    """What is wrong with a file as far as its footer tells."""
    try:
        fragment.ensure_complete_metadata()
        return schema_fault(fragment.physical_schema, schema)
    except FileNotFoundError:
        return GONE
    except (pa.ArrowException, OSError) as error:
        return f"is damaged: {one_line(error)}"


def schema_fault(found: pa.Schema, expected: pa.Schema) -> str | None:
    """What makes a file unreadable as `expected`: another hand, a column of another type, one that must be there."""
    if VERSION_KEY not in (found.metadata or {}):
        return "was not written by interplay"
    for field in expected:
        place = found.get_field_index(field.name)
        if place < 0 and not field.nullable:
            return f"has no column {field.name}"
        if place >= 0 and found.field(place).type != field.type:
            return f"has a column {field.name} of {found.field(place).type}, which should be {field.type}"
    return None


def damaged(store: Store, folders: Iterable[str] = tuple(FOLDERS)) -> Iterator[Damage]:
    """Every damaged or foreign Parquet file and what is wrong with it. Reads every byte."""
    for folder in folders:
        schema = FOLDERS[folder][1]
        files = [f"{folder}/{name}" for name in store.names(folder) if name.endswith(".parquet")]
        with ThreadPoolExecutor(THREADS) as pool:
            for file, what in zip(files, pool.map(lambda f, s=schema: page_fault(store, f, s), files), strict=True):
                if what:
                    yield file, what


def page_fault(store: Store, file: str, schema: pa.Schema) -> str | None:
    """What is wrong with a file, its pages included."""
    try:
        with pq.ParquetFile(io.BytesIO(store.read(file)), page_checksum_verification=True) as opened:
            if what := schema_fault(opened.schema_arrow, schema):
                return what
            for _ in opened.iter_batches():
                pass
    except FileNotFoundError:
        return None  # compacted meanwhile
    except (pa.ArrowException, OSError) as error:
        return f"is damaged: {one_line(error)}"
    return None


def name_the_damage(store: Store, error: Exception) -> None:
    """Raise RecordError, naming the files, where the record's damage is what made a query fail."""
    if found := list(damaged(store)):
        listed = "\n".join(f"{store.uri}/{file} {what}" for file, what in found[:10])
        more = f"\nand {len(found) - 10} more" if len(found) > 10 else ""
        raise RecordError(f"{listed}{more}\n{ADVICE}") from error
    if GONE in str(error):
        raise RecordError(f"a file of {store.uri} {GONE}") from error


def one_line(error: BaseException) -> str:
    return " ".join(str(error).split())[:200]
