"""SQL over the record: the views `metrics`, `attempts`, `trials` and `plans` in DuckDB.

`metrics` has each step of a trial once: what a later attempt recomputed is left out. A row is superseded where a
later attempt of its trial resumed before it, and only trials with parts of several attempts can have such rows,
so nothing is deduplicated that need not be.
"""

from __future__ import annotations

from typing import Any

import duckdb
import pyarrow as pa
import pyarrow.dataset as ds

from sweeps.record import covered, parts, superseded
from sweeps.rows import ATTEMPTS, METRICS, PLANS
from sweeps.store import Store

VIEWS = {
    "metrics": """
        select * exclude (event, reason) from rows where event is null and trial_id not in (select * from repeated)
        union all
        select * exclude (event, reason) from rows m where event is null and trial_id in (select * from repeated)
        and not exists (select 1 from resumes r where r.trial_id = m.trial_id and r.attempt > m.attempt
                        and r.resume_step < m.step)
    """,
    "attempts": """
        select c.*, s.resume_step, s.wall_time as started_at, s.reason as started_from,
               e.step as ended_step, e.wall_time as ended_at, e.reason as ended, e.extra as ended_extra
        from claims c
        left join (select * from rows where event = 'start') s using (trial_id, attempt)
        left join (select * from rows where event = 'end') e using (trial_id, attempt)
    """,
    "trials": """
        with ends as (
            select trial_id, max(attempt) as attempts, arg_max(reason, attempt) as ended,
                   arg_max(step, attempt) as step, arg_max(eval_loss, attempt) as eval_loss,
                   arg_max(eval_loss_se, attempt) as eval_loss_se, arg_max(loss, attempt) as loss
            from rows where event = 'end' group by trial_id),
        claimed as (select trial_id, max(attempt) as attempts from claims group by trial_id),
        planned as (select distinct on (trial_id) * from plans order by trial_id, planned_at desc)
        select p.* exclude (planned_at, position, plan, sweep),
               case when e.attempts >= coalesce(c.attempts, 0) then e.ended
                    when c.attempts is null then 'planned' else 'unfinished' end as status,
               coalesce(c.attempts, e.attempts, 0) as attempts, e.step, e.loss, e.eval_loss, e.eval_loss_se
        from planned p left join ends e using (trial_id) left join claimed c using (trial_id)
    """,
}


def connect(store: Store) -> duckdb.DuckDBPyConnection:
    """A connection with the four views over what is in the record now."""
    connection = duckdb.connect()
    filesystem, root = store.arrow()

    def register(name: str, files: list[str], schema: pa.Schema) -> None:
        data: Any = schema.empty_table()
        if files:
            data = ds.dataset(
                [f"{root}/{file}" for file in files], schema=schema, format="parquet", filesystem=filesystem
            )
        connection.register(name, data)

    compacted, skipped = covered(store)
    live = [match for match in parts(store) if match["trial"] not in skipped]
    files = [f"compact/{name}" for name in compacted] + [f"metrics/{match.string}" for match in live]
    register("rows", files, METRICS)
    register("claims", [f"attempts/{name}" for name in store.names("attempts")], ATTEMPTS)
    register("plans", [f"plans/{name}" for name in store.names("plans")], PLANS)
    again = superseded(live)
    connection.register("repeated", pa.table({"trial_id": pa.array(sorted(again), pa.string())}))
    resumed = [f"metrics/{match.string}" for match in live if match["trial"] in again]
    register("resumed", resumed, METRICS)
    connection.execute("create table resumes as select distinct trial_id, attempt, resume_step from resumed")
    for name, query in VIEWS.items():
        connection.execute(f"create view {name} as {query}")
    return connection
