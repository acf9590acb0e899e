"""What trials have cost so far, from the record alone."""

from __future__ import annotations

from collections.abc import Iterable

import duckdb
import pyarrow as pa


def device_hours(connection: duckdb.DuckDBPyConnection, trial_ids: Iterable[str]) -> dict[str, float]:
    """Device-hours of all attempts at these trials by kind of device, from a connection with the record's views.

    An attempt lasts from its claim to its last row, so one that was killed is short by what it did after that, at
    most a minute or a checkpoint's interval; one that wrote no row counts nothing.
    """
    connection.register("wanted", pa.table({"trial_id": pa.array(sorted(set(trial_ids)), pa.string())}))
    found = connection.execute(
        """
        with seen as (select trial_id, attempt, max(wall_time) as last from rows group by all)
        select coalesce(c.kind, 'cpu'), sum(coalesce(c.devices, c.workers * c.threads, 1)
               * greatest(epoch(s.last) - epoch(c.claimed_at), 0)) / 3600
        from claims c join wanted using (trial_id) join seen s using (trial_id, attempt) group by 1
        """
    ).fetchall()
    connection.unregister("wanted")
    return dict(found)
