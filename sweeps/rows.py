"""The columns of the record's Parquet files. Columns may be added, nullable ones, which leave SCHEMA_VERSION as it is,
since older files are read with nulls; none ever changes its type. A number that few rows have goes into `extra`.

A file's footer carries the version of the schema it was written under, so that a reader can tell an older file
(read with nulls), a newer one (read without what it does not know) and a foreign one (refused).
"""

from __future__ import annotations

import io
from collections.abc import Sequence
from typing import Any

import pyarrow as pa
import pyarrow.parquet as pq

SCHEMA_VERSION = 1
VERSION_KEY = b"interplay.schema"

TIME = pa.timestamp("us", tz="UTC")

# One row a training step (event is null), and one for each start and end of an attempt.
METRICS = pa.schema(
    [
        pa.field("trial_id", pa.string(), nullable=False),
        pa.field("attempt", pa.int32(), nullable=False),
        pa.field("resume_step", pa.int64(), nullable=False),  # the attempt goes on after this step
        pa.field("seq", pa.int64(), nullable=False),  # number of the row within its attempt
        pa.field("step", pa.int64(), nullable=False),  # steps done, from 1
        pa.field("tokens", pa.int64(), nullable=False),  # tokens seen by then
        pa.field("flops", pa.float64(), nullable=False),  # FLOPs spent by then, closed form
        pa.field("loss", pa.float64()),  # nats per token, mean over the step's global batch
        pa.field("eval_loss", pa.float64()),  # nats per token on the held-out text
        pa.field("eval_loss_se", pa.float64()),  # its standard error over documents
        pa.field("lr", pa.float64()),
        pa.field("grad_norm", pa.float64()),  # before clipping
        pa.field("tokens_per_second", pa.float64()),
        pa.field("step_seconds", pa.float64()),
        pa.field("wall_time", TIME),
        pa.field("event", pa.string()),  # start, end; null for a step
        pa.field("reason", pa.string()),  # why an attempt ended, or what it started from
        pa.field("extra", pa.map_(pa.string(), pa.float64())),
    ]
)

PLANS = pa.schema(
    [
        pa.field("sweep", pa.string(), nullable=False),
        pa.field("plan", pa.string(), nullable=False),
        pa.field("planned_at", TIME, nullable=False),
        pa.field("position", pa.int64(), nullable=False),  # order in the plan
        pa.field("trial_id", pa.string(), nullable=False),
        pa.field("purpose", pa.string(), nullable=False),  # result, trunk, proxy
        pa.field("run", pa.string(), nullable=False),  # the first trial of the chain this one continues
        pa.field("parent", pa.string()),
        pa.field("family", pa.string()),
        pa.field("depth", pa.int64(), nullable=False),
        pa.field("width", pa.int64(), nullable=False),
        pa.field("heads", pa.int64()),
        pa.field("kv_heads", pa.int64()),
        pa.field("feed_forward", pa.int64()),
        pa.field("vocabulary", pa.int64()),
        pa.field("context", pa.int64()),
        pa.field("params", pa.int64(), nullable=False),  # N, the blocks' weight matrices alone
        pa.field("params_total", pa.int64()),
        pa.field("flops_per_token", pa.float64()),
        pa.field("flops", pa.float64()),  # of this trial's own steps
        pa.field("first_step", pa.int64()),
        pa.field("last_step", pa.int64()),
        pa.field("tokens", pa.float64(), nullable=False),  # seen when the trial ends
        pa.field("batch_tokens", pa.int64()),
        pa.field("seed", pa.int64()),
        pa.field("learning_rate", pa.float64()),
        pa.field("rate_log_error", pa.float64()),
        pa.field("precision", pa.string()),
        pa.field("zero", pa.int32()),
        pa.field("corpus", pa.string()),
        pa.field("config", pa.string(), nullable=False),  # the identity, canonical JSON
        # of imported trials; null where the trial was trained here
        pa.field("counting", pa.string()),  # what `params` counts
        pa.field("flag", pa.string()),  # why its loss enters no fit
        pa.field("rate_error", pa.float64()),  # what its loss may be too high by for want of a better rate, nats
    ]
)

# The claim of an attempt; it never changes, so how the attempt went is in its rows.
ATTEMPTS = pa.schema(
    [
        pa.field("trial_id", pa.string(), nullable=False),
        pa.field("attempt", pa.int32(), nullable=False),
        pa.field("driver", pa.string(), nullable=False),  # the `sweep run` that owns it
        pa.field("claimed_at", TIME, nullable=False),
        pa.field("host", pa.string()),  # where the driver runs
        pa.field("log", pa.string()),  # the run's log, a path on that host
        pa.field("workers", pa.int32()),
        pa.field("threads", pa.int32()),  # of each worker
        pa.field("micro_batch", pa.int32()),
        pa.field("device", pa.string()),  # what torch computes on: cpu, cuda
        pa.field("versions", pa.map_(pa.string(), pa.string())),
        pa.field("kind", pa.string()),  # of device, by its name in the file of devices
        pa.field("devices", pa.float64()),  # of that kind occupied, or part of one
        pa.field("nodes", pa.list_(pa.string())),  # each worker's, by Ray's name for it
        pa.field("checkpoint_activations", pa.bool_()),
        pa.field("memory_estimated", pa.float64()),  # bytes of a worker, as planned
        pa.field("seconds_estimated", pa.float64()),  # of the whole trial, as planned
    ]
)


# How parts are written: read by the thousand, what counts is the time before the first row. zstd takes longer to begin
# with than a page of a thousand rows to read, dictionaries of measured numbers are as long as the numbers, and limits
# and Arrow's own schema make a footer of a few kilobytes (docs/log.md, "The record at scale").
REPETITIVE = ["trial_id", "attempt", "resume_step", "event", "reason"]
RISING = {"seq": "DELTA_BINARY_PACKED", "step": "DELTA_BINARY_PACKED", "tokens": "DELTA_BINARY_PACKED"}
RISING |= {"wall_time": "DELTA_BINARY_PACKED"}
SMALL = {"compression": "snappy", "write_statistics": False, "store_schema": False}


def encode(rows: Sequence[dict[str, Any]] | pa.Table, schema: pa.Schema, footer: dict[str, str] | None = None) -> bytes:
    """A whole Parquet file with page checksums; `footer` goes into its metadata beside the schema's version."""
    table = rows if isinstance(rows, pa.Table) else pa.Table.from_pylist(list(rows), schema=schema)
    metadata = {VERSION_KEY: str(SCHEMA_VERSION).encode()}
    metadata |= {key.encode(): value.encode() for key, value in (footer or {}).items()}
    options = SMALL | ({"use_dictionary": REPETITIVE, "column_encoding": RISING} if schema is METRICS else {})
    sink = io.BytesIO()
    with pq.ParquetWriter(sink, table.schema, write_page_checksum=True, version="2.6", **options) as writer:
        writer.add_key_value_metadata(metadata)
        writer.write_table(table)
    return sink.getvalue()


def decode(data: bytes) -> tuple[pa.Table, dict[str, str]]:
    """A file's rows and its footer, every page's checksum verified. Raises pyarrow.ArrowInvalid or OSError."""
    table = pq.read_table(io.BytesIO(data), page_checksum_verification=True)
    metadata = {key.decode(): value.decode() for key, value in (table.schema.metadata or {}).items()}
    return table, metadata
