"""Many small Parquet files as one table, read when a query asks for it and only in the columns it asks for.

Arrow's own dataset spends most of its time between the files: opening each twice, and a batch for each. Here a file is
opened once, its footer and the pages of the asked columns are checked, and several files make a batch (docs/log.md).
"""

from __future__ import annotations

import re
from collections import deque
from collections.abc import Iterator, Sequence
from concurrent.futures import ThreadPoolExecutor
from dataclasses import dataclass
from itertools import islice
from typing import Any

import pyarrow as pa
import pyarrow.dataset as ds
from pyarrow.fs import LocalFileSystem
from pyarrow.parquet.core import ParquetReader  # what ParquetFile wraps, in as much time again

from sweeps.intact import ADVICE, CODE, CODED, GONE, one_line, schema_fault
from sweeps.record import RecordError
from sweeps.rows import VERSION_KEY
from sweeps.store import Store

# Threads, and files that each reads into a batch: of a folder as many as share Python well, of object storage many,
# since what they do is wait.
NEAR, FAR = (2, 32), (16, 8)


@dataclass(frozen=True, slots=True)
class Reading:
    """As much of a scanner as DuckDB asks for. Arrow's own reads ahead on a thread of its own, which aborts the process
    where Python ends while that thread waits for it."""

    reader: pa.RecordBatchReader

    def to_reader(self) -> pa.RecordBatchReader:
        return self.reader


class SmallFiles(ds.Dataset):  # type: ignore[misc]
    """Files of one schema in a store, as far as DuckDB needs a dataset: it asks `scanner` for columns and rows.

    named   what the files' names say, a row a file: whoever asks for no more opens none. None where they say nothing.
    """

    def __init__(self, store: Store, files: Sequence[str], schema: pa.Schema, named: pa.Table | None = None) -> None:
        self.store, self.files, self.plain, self.named = store, files, schema, named
        # a trial's name is in each of its rows: read as the code it is stored as, it takes a tenth of the time to group
        coded = [field.with_type(CODE) if field.name == CODED else field for field in schema]
        self.declared = pa.schema(coded)
        filesystem, root = store.arrow()
        self.root = root if isinstance(filesystem, LocalFileSystem) else None
        self.layouts: list[tuple[Any, list[str]]] = []  # Parquet schemas that are right, and their leaves' columns

    @property
    def schema(self) -> pa.Schema:
        return self.declared

    def scanner(self, columns: list[str] | None = None, filter: Any = None) -> Any:
        """The rows that pass the filter. Raises RecordError, wrapped by whoever iterates, for a damaged file."""
        asked = set(self.declared.names if columns is None else columns)
        within = {name for name in self.declared.names if filter is not None and re.search(rf"\b{name}\b", str(filter))}
        schema = pa.schema([field for field in self.declared if field.name in asked | within])
        if self.named is not None and asked | within <= set(self.named.column_names):
            return ds.dataset(self.named).scanner(columns=columns, filter=filter)
        files = self.files
        if self.named is not None and within and within <= set(self.named.column_names):
            numbered = self.named.append_column("file", pa.array(range(len(files))))
            files = [files[place] for place in numbered.filter(filter).column("file").to_pylist()]
        names = self.declared.names if columns is None else list(columns)
        found = pa.schema([self.declared.field(name) for name in names])
        return Reading(pa.RecordBatchReader.from_batches(found, self.passed(files, schema, names, filter)))

    def passed(
        self, files: Sequence[str], schema: pa.Schema, names: list[str], filter: Any
    ) -> Iterator[pa.RecordBatch]:
        """The asked columns of the rows that pass the filter."""
        for batch in self.batches(files, schema):
            table = pa.Table.from_batches([batch])
            yield from (table if filter is None else table.filter(filter)).select(names).to_batches()

    def batches(self, files: Sequence[str], schema: pa.Schema) -> Iterator[pa.RecordBatch]:
        """The rows of the files in their order, a few batches read ahead."""
        readers, count = NEAR if self.root else FAR
        groups = [files[first : first + count] for first in range(0, len(files), count)]
        with ThreadPoolExecutor(readers) as pool:
            reading = (pool.submit(self.together, group, schema) for group in groups)
            ahead = deque(islice(reading, 2 * readers))
            while ahead:
                table = ahead.popleft().result()
                ahead.extend(islice(reading, 1))
                yield from table.to_batches()

    def together(self, files: Sequence[str], schema: pa.Schema) -> pa.Table:
        whole = pa.concat_tables([self.rows(file, schema) for file in files])
        return whole.unify_dictionaries().combine_chunks().replace_schema_metadata(None)

    def rows(self, file: str, schema: pa.Schema) -> pa.Table:
        """Columns of one file, null where it lacks them. Raises RecordError where it is damaged, foreign or gone."""
        place, names = f"{self.store.uri}/{file}", schema.names
        reader = ParquetReader()
        try:
            reader.open(
                f"{self.root}/{file}" if self.root else pa.py_buffer(self.store.read(file)),
                read_dictionary=[self.declared.get_field_index(CODED)],
                pre_buffer=False,
                page_checksum_verification=True,
            )
            columns = self.columns(reader, place)
            leaves = [leaf for leaf, column in enumerate(columns) if column in names]
            table = reader.read_all(column_indices=leaves, use_threads=False)
        except FileNotFoundError as error:
            raise RecordError(f"{place} {GONE}") from error
        except (pa.ArrowException, OSError) as error:
            raise RecordError(f"{place} is damaged: {one_line(error)}; {ADVICE}") from error
        if table.schema.equals(schema):
            return table
        missing = [field for field in schema if field.name not in columns]
        for field in missing:
            table = table.append_column(field, pa.nulls(len(table), field.type))
        return table.select(names).cast(schema)

    def columns(self, reader: Any, place: str) -> list[str]:
        """The column of each leaf of an opened file. Raises RecordError for a foreign one."""
        metadata = reader.metadata
        for right, columns in self.layouts:
            if right.equals(metadata.schema) and VERSION_KEY in (metadata.metadata or {}):
                return columns
        found = reader.schema_arrow
        plain = [f.with_type(f.type.value_type) if pa.types.is_dictionary(f.type) else f for f in found]
        if what := schema_fault(pa.schema(plain, found.metadata), self.plain):
            raise RecordError(f"{place} {what}; {ADVICE}")
        columns = [path[0] for path in reader.column_paths]
        self.layouts.append((metadata.schema, columns))
        return columns
