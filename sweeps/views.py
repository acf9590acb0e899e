"""SQL over the record: the views `metrics`, `attempts`, `trials` and `plans` in DuckDB.

`metrics` has each step of a trial once: what a later attempt recomputed is left out. A row is superseded where a
later attempt of its trial resumed before it, and only trials with parts of several attempts can have such rows,
so nothing is deduplicated that need not be: a record without such trials is read as it stands.
"""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import contextmanager, suppress

import duckdb
import pyarrow as pa

from sweeps.compacted import compacted
from sweeps.intact import CODE, CODED, dataset, name_the_damage
from sweeps.record import CLAIM_FILE, parts, superseded
from sweeps.requests import pardons
from sweeps.rows import ATTEMPTS, METRICS, PLANS
from sweeps.small_files import SmallFiles
from sweeps.store import Store

EVERY_STEP = "select * exclude (event, reason) from rows m where event is null"
VIEWS = {
    # one pass over the rows: each of several scans would open every part again
    "metrics": f"""
        {EVERY_STEP} and not exists (
            select 1 from resumes r where r.trial_id = m.trial_id and r.attempt > m.attempt and r.resume_step < m.step)
    """,  # noqa: S608 – text of ours
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
               case when (trial_id, e.attempts) in (select (trial_id, attempt) from pardoned) then 'unfinished'
                    when e.attempts >= coalesce(c.attempts, 0) then e.ended
                    when c.attempts is null then 'planned' else 'unfinished' end as status,
               coalesce(c.attempts, e.attempts, 0) as attempts, e.step, e.loss, e.eval_loss, e.eval_loss_se
        from planned p left join ends e using (trial_id) left join claimed c using (trial_id)
    """,
}


@contextmanager
def connect(store: Store) -> Iterator[duckdb.DuckDBPyConnection]:
    """A connection with the four views over what is in the record now; a view's files are read once a query asks it.

    Raises RecordError for a damaged or foreign file, out of the block in which a query met it.
    """
    with duckdb.connect() as connection:
        with suppress(duckdb.InvalidInputException):  # in a notebook without ipywidgets there is none to switch off
            connection.execute("set enable_progress_bar = false")  # standard output is for data
        build(connection, store)
        try:
            yield connection
        except duckdb.Error as error:
            name_the_damage(store, error)
            raise


def build(connection: duckdb.DuckDBPyConnection, store: Store) -> None:
    """Lay the views over the record's files, each trial's rows taken from its parts or from one compacted file."""
    wholes = compacted(store)
    covers = {trial: whole.covers[trial] for whole in wholes for trial in whole.takes}
    live = [match for match in parts(store) if int(match["attempt"]) > covers.get(match["trial"], 0)]
    sources = ["select * from parts"]
    for number, whole in enumerate(whole for whole in wholes if whole.takes):
        connection.register(f"whole{number}", dataset(store, [whole.file], METRICS))
        source = f"select * from whole{number}"  # noqa: S608 – a number of ours
        if len(whole.takes) < len(whole.covers):
            connection.register(f"taken{number}", pa.table({"trial_id": sorted(whole.takes)}))
            source += f" where trial_id in (select trial_id from taken{number})"  # noqa: S608 – likewise
        sources.append(source)
    connection.register("parts", SmallFiles(store, [f"metrics/{match.string}" for match in live], METRICS))
    connection.execute(f"create view rows as {' union all '.join(sources)}")
    connection.register("claims", claims(store))
    plans = [f"plans/{file}" for file in store.names("plans") if file.endswith(".parquet")]
    connection.register("plans", SmallFiles(store, plans, PLANS))
    forgiven = pardons(store)
    pardoned = {"trial_id": [trial for trial, _ in forgiven], "attempt": [number for _, number in forgiven]}
    connection.register("pardoned", pa.table(pardoned, pa.schema([("trial_id", pa.string()), ("attempt", pa.int32())])))
    again = superseded(live, covers)
    connection.register("repeated", pa.table({"trial_id": pa.array(sorted(again), pa.string())}))
    resumed = [f"metrics/{match.string}" for match in live if match["trial"] in again]
    connection.register("resumed", SmallFiles(store, resumed, METRICS))
    connection.execute("create table resumes as select distinct trial_id, attempt, resume_step from resumed")
    for name, query in VIEWS.items():
        asked = query if again or name != "metrics" else EVERY_STEP
        connection.execute(f"create view {name} as {asked}")


def claims(store: Store) -> SmallFiles:
    """The claims, whose names say all but whose they are and where."""
    files = [file for file in store.names("attempts") if file.endswith(".parquet")]
    matches = [match for file in files if (match := CLAIM_FILE.fullmatch(file))]
    named = None
    if len(matches) == len(files):
        trials, attempts = [match["trial"] for match in matches], [int(match["attempt"]) for match in matches]
        named = pa.table({CODED: pa.array(trials).cast(CODE), "attempt": pa.array(attempts, pa.int32())})
    return SmallFiles(store, [f"attempts/{file}" for file in files], ATTEMPTS, named)
