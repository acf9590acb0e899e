"""The history of one trial, from the record: its attempts in order, how each ended, and what its process said."""

from __future__ import annotations

from typing import Any

from orchestrator.failures import kind
from orchestrator.trial_log import read_log
from sweeps.record import RecordError
from sweeps.requests import pardons
from sweeps.safe_yaml import SpecError
from sweeps.store import Store
from sweeps.views import connect

MEANING = {
    "lost": "its process, node or driver went away without a word",
    "interrupted": "it was asked to stop, and saved first",
    "hung": "it made no progress for cluster.hang_seconds",
    "out_of_memory": "the next attempt takes a smaller micro-batch",
}


def history(store: Store, wanted: str) -> dict[str, Any]:
    """What is known of the trial whose id begins so. Raises SpecError where none does, or several do."""
    forgiven = set(pardons(store))
    with connect(store) as connection:
        trials = connection.execute(
            "select trial_id from trials where starts_with(trial_id, ?) order by 1 limit 4", [wanted]
        ).fetchall()
        if not trials:
            raise SpecError(f"{store.uri} has no trial that begins with {wanted!r}; `sweep status SWEEP` lists ids")
        if len(trials) > 1:
            names = ", ".join(name for (name,) in trials)
            raise SpecError(f"{wanted!r} begins the ids of several trials ({names}, …); give more of it")
        (trial_id,) = trials[0]
        plan = connection.sql("select * exclude (config) from trials where trial_id = ?", params=[trial_id])
        facts: dict[str, Any] = plan.to_arrow_table().to_pylist()[0]
        attempts: list[dict[str, Any]] = (
            connection.sql(
                """
                select a.*, d.step as last_step_seen, d.loss as last_loss, d.last as last_seen
                from attempts a left join (
                    select trial_id, attempt, max(step) as step, arg_max(loss, step) as loss, max(wall_time) as last
                    from rows where event is null group by all) d using (trial_id, attempt)
                where trial_id = ? order by attempt
                """,
                params=[trial_id],
            )
            .to_arrow_table()
            .to_pylist()
        )
    for attempt in attempts:
        number = attempt["attempt"]
        attempt["pardoned"] = (trial_id, number) in forgiven
        attempt["said"] = read_log(store, trial_id, number)
    if facts["attempts"] and not attempts:
        raise RecordError(f"{store.uri}: trial {trial_id} has rows and no claim; run `sweep doctor --results`")
    return {"trial": facts, "attempts": attempts}


def told(found: dict[str, Any]) -> list[str]:
    """The history as lines for a person."""
    trial = found["trial"]
    lines = [
        f"trial {trial['trial_id']}: {trial['depth']} layers × {trial['width']}, N {trial['params']:.3g}, seed "
        f"{trial['seed']}, rate {trial['learning_rate']:.3g}, {trial['tokens']:.3g} tokens",
        f"state: {trial['status']}"
        + ("" if trial["eval_loss"] is None else f", held-out loss {trial['eval_loss']:.4f}"),
    ]
    if not found["attempts"]:
        lines.append("no run has tried it yet")
    for one in found["attempts"]:
        lines += ["", *attempt_lines(one)]
    return lines


def attempt_lines(one: dict[str, Any]) -> list[str]:
    workers = f"{one['workers'] or 1} worker{'s' if (one['workers'] or 1) > 1 else ''}"
    where = f"{workers} on {one['device'] or '?'}, micro-batch {one['micro_batch'] or '?'}"
    lines = [f"attempt {one['attempt']}, claimed {one['claimed_at']:%Y-%m-%d %H:%M:%S} by {one['driver']}: {where}"]
    if one["started_from"]:
        lines.append(f"  began at step {one['resume_step']} from {one['started_from']}")
    seen = one["last_step_seen"]
    loss = "" if one["last_loss"] is None else f", loss {one['last_loss']:.4f}"
    if one["ended"]:
        step = "" if seen is None else f" at step {seen}{loss}"
        meaning = MEANING.get(kind(one["ended"]))
        lines.append(f"  ended{step}: {one['ended']}" + (f" ({meaning})" if meaning else ""))
    else:
        heard = "nothing heard of it yet" if seen is None else f"last heard of at step {seen}{loss}"
        lines.append(f"  has not ended in the record: {heard}; it runs, or was lost with its driver")
    if one["pardoned"]:
        lines.append("  this end no longer counts (sweep retry)")
    if one.get("log"):
        lines.append(f"  the run's log: {one['log']} on {one['host']}")
    if one["said"]:
        lines += ["", *("  | " + line for line in one["said"].rstrip().splitlines())]
    return lines
