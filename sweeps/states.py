"""What the record knows of each trial: how its attempts ended, and its final loss."""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import dataclass

import duckdb
import pyarrow as pa


@dataclass(frozen=True, slots=True, kw_only=True)
class TrialState:
    """What happened to a trial so far.

    endings     the reason of each attempt's end, in order; None for one that has none
    eval_loss   held-out loss with which the last one ended
    owner       the driver of the last attempt while that has no end; None otherwise, or where nobody claimed it
    """

    endings: tuple[str | None, ...] = ()
    eval_loss: float | None = None
    owner: str | None = None

    @property
    def attempts(self) -> int:
        return len(self.endings)


def states(connection: duckdb.DuckDBPyConnection, trial_ids: Iterable[str]) -> dict[str, TrialState]:
    """States of trials by id, from a connection with the record's views; one with no attempt is not in the answer."""
    connection.register("wanted", pa.table({"trial_id": pa.array(sorted(set(trial_ids)), pa.string())}))
    found = connection.execute(
        """
        with ends as (select trial_id, attempt, reason, eval_loss from rows where event = 'end'),
        every as (select trial_id, attempt from claims union select trial_id, attempt from ends)
        select trial_id, list(case when p.attempt is null then reason else 'pardoned: ' || reason end order by attempt),
        arg_max(eval_loss, attempt)
        from every join wanted using (trial_id) left join ends using (trial_id, attempt)
        left join pardoned p using (trial_id, attempt) group by trial_id
        """
    ).fetchall()
    connection.unregister("wanted")
    owners = owners_of(connection, [trial for trial, reasons, _ in found if reasons[-1] is None])
    return {
        trial: TrialState(endings=tuple(reasons), eval_loss=loss, owner=owners.get(trial))
        for trial, reasons, loss in found
    }


def owners_of(connection: duckdb.DuckDBPyConnection, trials: list[str]) -> dict[str, str]:
    """The driver of each trial's last attempt, from the claims of these trials alone."""
    if not trials:
        return {}
    some = ", ".join(f"'{trial}'" for trial in trials)  # hexadecimal digits; literals reach the files' names
    sql = f"select trial_id, arg_max(driver, attempt) from claims where trial_id in ({some}) group by 1"  # noqa: S608
    return dict(connection.execute(sql).fetchall())
