"""The record under a results root: what is in which file, and who may add to it.

plans/<sweep>-<plan>.parquet             one row a trial; the spec in the footer
attempts/<trial>-a<attempt>.parquet      the claim, made by exclusive creation: an attempt has one owner
metrics/<trial>-a<attempt>-<seq>.parquet   parts of an attempt's rows, in order
compact/<hash>.parquet                   finished trials merged (sweeps/compacted.py); readers skip their parts
checkpoints/<trial>/…                    orchestrator/checkpoints.py
stops/… pardons/…                        what people asked for (sweeps/requests.py)
logs/<trial>-a<attempt>.txt              what a process said before its attempt ended badly (orchestrator/trial_log.py)
corpora/<hash>/…                         orchestrator/corpora
"""

from __future__ import annotations

import difflib
import json
import re
from collections import defaultdict
from collections.abc import Collection, Iterable, Sequence
from dataclasses import dataclass
from datetime import UTC, datetime, timedelta
from typing import TYPE_CHECKING, Any

import pyarrow as pa

from models.counts import flops_per_token, parameters, parameters_total
from sweeps.rows import ATTEMPTS, PLANS, decode, encode
from sweeps.safe_yaml import SpecError
from sweeps.store import AlreadyPublished, Store, StoreError
from sweeps.trial import canonical

if TYPE_CHECKING:
    from sweeps.planning import Plan, Planned

PLAN_FILE = re.compile(r"(?P<sweep>.+)-(?P<plan>[0-9a-f]{12})\.parquet")
CLAIM_FILE = re.compile(r"(?P<trial>[0-9a-f]{16})-a(?P<attempt>\d{4,})\.parquet")
PART_FILE = re.compile(r"(?P<trial>[0-9a-f]{16})-a(?P<attempt>\d{4,})-(?P<seq>\d{8,})\.parquet")


class RecordError(Exception):
    """The record cannot answer: a damaged or foreign file. The message names it."""


class NoSuchSweep(SpecError):
    """The record has no sweep of that name."""


@dataclass(frozen=True, slots=True, kw_only=True)
class PlanFile:
    """A recorded plan: its rows, and from its footer the spec (JSON) and notes."""

    sweep: str
    plan: str
    planned_at: datetime
    rows: pa.Table
    footer: dict[str, str]

    @property
    def trial_ids(self) -> list[str]:
        ids: list[str] = self.rows.column("trial_id").to_pylist()
        return ids


def publish_plan(store: Store, plan: Plan, spec: dict[str, Any], versions: dict[str, str]) -> str:
    """Record a plan unless it is recorded already; its hash. Provisional plans are refused: their ids are not final."""
    if plan.provisional:
        raise ValueError("a provisional plan is not recorded: its ids will change when the corpus is prepared")
    now = later_than(
        datetime.now(UTC), (read_plan(store, s, p).planned_at for s, p in plan_names(store) if s == plan.name)
    )
    name = plan.hash
    if (plan.name, name) in plan_names(store):
        return name
    rows = [plan_row(plan, name, index, planned, now) for index, planned in enumerate(plan.trials)]
    footer = {
        "interplay.spec": json.dumps(spec, sort_keys=True),
        "interplay.notes": json.dumps(plan.notes),
        "interplay.waiting": json.dumps([[w.trials, list(w.after), w.reason] for w in plan.waiting]),
        "interplay.versions": json.dumps(versions, sort_keys=True),
    }
    publish_plan_rows(store, plan.name, name, rows, footer)
    return name


def later_than(now: datetime, others: Iterable[datetime]) -> datetime:
    """Now, or a moment after the latest of the others where the clock was moved back: the last plan stays the last."""
    return max([now, *(other + timedelta(microseconds=1) for other in others)])


def publish_plan_rows(
    store: Store, sweep: str, plan: str, rows: Sequence[dict[str, Any]], footer: dict[str, str]
) -> None:
    """Record the rows of a plan under its name and hash unless they are there."""
    try:
        store.publish(f"plans/{sweep}-{plan}.parquet", encode(rows, PLANS, footer))
    except AlreadyPublished:
        return


def plan_row(plan: Plan, name: str, position: int, planned: Planned, now: datetime) -> dict[str, Any]:
    trial = planned.trial
    shape, recipe = trial.shape, trial.recipe
    per_token = flops_per_token(shape)
    return {
        "sweep": plan.name,
        "plan": name,
        "planned_at": now,
        "position": position,
        "trial_id": trial.trial_id,
        "purpose": planned.purpose,
        "run": planned.run,
        "parent": trial.parent,
        "family": shape.family,
        "depth": shape.depth,
        "width": shape.width,
        "heads": shape.heads,
        "kv_heads": shape.kv_heads,
        "feed_forward": shape.feed_forward,
        "vocabulary": shape.vocabulary,
        "context": shape.context,
        "params": parameters(shape),
        "params_total": parameters_total(shape),
        "flops_per_token": float(per_token),
        "flops": float(per_token) * (trial.last - trial.first) * trial.batch_tokens,
        "first_step": trial.first,
        "last_step": trial.last,
        "tokens": float(trial.tokens),
        "batch_tokens": trial.batch_tokens,
        "seed": trial.seed,
        "learning_rate": recipe.learning_rate,
        "rate_log_error": planned.rate_log_error,
        "precision": recipe.precision,
        "zero": recipe.zero,
        "corpus": trial.corpus,
        "config": canonical(trial.config),
    }


def plan_names(store: Store) -> list[tuple[str, str]]:
    """(sweep, plan hash) of every recorded plan."""
    matches = (PLAN_FILE.fullmatch(name) for name in store.names("plans"))
    return [(match["sweep"], match["plan"]) for match in matches if match]


def find_plan(store: Store, wanted: str) -> PlanFile:
    """The plan called `name@hash`, or the latest of `name`. Raises NoSuchSweep, saying which there are."""
    sweep, _, plan = wanted.partition("@")
    known = plan_names(store)
    names = [(s, p) for s, p in known if s == sweep and (not plan or p.startswith(plan))]
    if not names:
        there = ", ".join(sorted({s for s, _ in known})) or "none"
        close = difflib.get_close_matches(sweep, [s for s, _ in known], 1)
        cure = f"did you mean {close[0]!r}?" if close else "a sweep is there once `sweep run` has planned it"
        raise NoSuchSweep(f"there is no sweep {wanted!r} in {store.uri}; sweeps there: {there}; {cure}")
    files = [read_plan(store, s, p) for s, p in names]
    return max(files, key=lambda file: file.planned_at)


def read_plan(store: Store, sweep: str, plan: str) -> PlanFile:
    name = f"plans/{sweep}-{plan}.parquet"
    try:
        rows, footer = decode(store.read(name))
    except (pa.ArrowException, OSError) as error:
        if isinstance(error, StoreError):
            raise
        raise RecordError(f"{store.uri}/{name} is damaged: {error}; run `sweep doctor`") from error
    planned_at = rows.column("planned_at")[0].as_py()
    return PlanFile(sweep=sweep, plan=plan, planned_at=planned_at, rows=rows, footer=footer)


def attempts_by_trial(store: Store) -> dict[str, int]:
    """Highest claimed attempt of every trial that has one."""
    highest: dict[str, int] = defaultdict(int)
    for name in store.names("attempts"):
        if match := CLAIM_FILE.fullmatch(name):
            highest[match["trial"]] = max(highest[match["trial"]], int(match["attempt"]))
    return dict(highest)


def claim(store: Store, trial_id: str, attempt: int, facts: dict[str, Any]) -> None:
    """Become the owner of an attempt. Raises AlreadyPublished where another driver is."""
    row = {"trial_id": trial_id, "attempt": attempt, "claimed_at": datetime.now(UTC)} | facts
    store.publish(f"attempts/{trial_id}-a{attempt:04d}.parquet", encode([row], ATTEMPTS))


def part_name(trial_id: str, attempt: int, seq: int) -> str:
    """Name of the part whose first row is row `seq` of its attempt."""
    return f"metrics/{trial_id}-a{attempt:04d}-{seq:08d}.parquet"


def resume_steps(store: Store, trial_id: str) -> dict[int, int]:
    """For each attempt of a trial that has published rows, the step after which it went on."""
    first: dict[int, str] = {}
    for match in parts(store):
        if match["trial"] == trial_id:
            first.setdefault(int(match["attempt"]), match.string)
    return {n: read_part(store, name).column("resume_step")[0].as_py() for n, name in first.items()}


def ending(store: Store, trial_id: str, attempt: int) -> str | None:
    """The reason with which an attempt ended, as its last row says; None where it has not."""
    names = [match.string for match in parts(store) if match["trial"] == trial_id and int(match["attempt"]) == attempt]
    if not names:
        return None
    rows = read_part(store, names[-1])
    last = rows.slice(rows.num_rows - 1).to_pylist()[0]
    return last["reason"] if last["event"] == "end" else None


def read_part(store: Store, name: str) -> pa.Table:
    """A part's rows. Raises RecordError where it is damaged."""
    try:
        return decode(store.read(f"metrics/{name}"))[0]
    except (pa.ArrowException, OSError) as error:
        if isinstance(error, StoreError):
            raise
        raise RecordError(f"{store.uri}/metrics/{name} is damaged: {error}; run `sweep doctor`") from error


def parts(store: Store) -> list[re.Match[str]]:
    """Every part's file name, matched: trial, attempt, seq."""
    return [match for name in store.names("metrics") if (match := PART_FILE.fullmatch(name))]


def superseded(matches: Iterable[re.Match[str]], compacted: Collection[str]) -> set[str]:
    """Trials with parts of more than one attempt, or beside compacted rows: only theirs can be recomputed ones."""
    attempts: dict[str, set[str]] = defaultdict(set)
    for match in matches:
        attempts[match["trial"]].add(match["attempt"])
    return {trial for trial, numbers in attempts.items() if len(numbers) > 1 or trial in compacted}
