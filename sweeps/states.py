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
    owner       the driver of the last attempt; None where there is no attempt, or nobody claimed it
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
        arg_max(eval_loss, attempt), arg_max(driver, attempt)
        from every join wanted using (trial_id) left join ends using (trial_id, attempt)
        left join (select trial_id, attempt, driver from claims) using (trial_id, attempt)
        left join pardoned p using (trial_id, attempt) group by trial_id
        """
    ).fetchall()
    connection.unregister("wanted")
    return {
        trial: TrialState(endings=tuple(reasons), eval_loss=loss, owner=owner) for trial, reasons, loss, owner in found
    }
