"""A board from the record alone: what `sweep watch` shows, from any machine that reads it, without Ray.

Rows are published at least once a minute, so what runs is seen with up to a minute's delay. Clocks of other machines
are never compared with this one's: how long something has been silent is measured here, from look to look.
"""

from __future__ import annotations

import json
import time
from collections import Counter
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from orchestrator.board import Board, Row, Share, fraction_done, seconds_left, with_waiting
from orchestrator.devices import CPU, SHIPPED, Devices, load_devices
from orchestrator.failures import is_final, kind
from orchestrator.owners import LEASE_SECONDS, died_here, read
from sweeps.record import PlanFile, find_plan
from sweeps.safe_yaml import SpecError
from sweeps.spending import device_hours
from sweeps.states import TrialState, states
from sweeps.store import Store
from sweeps.views import connect

# Attempts that have ended are known by their first and last row; only those that have not are looked at step by step.
LAST_ATTEMPTS = """
    with ends as (select distinct trial_id, attempt from rows where event = 'end'),
    going as (select trial_id, attempt from claims semi join wanted using (trial_id)
              anti join ends using (trial_id, attempt)),
    seen as (
        select trial_id, attempt, max(step) as step, min(step) as first, arg_max(loss, step) as loss,
               arg_max(tokens_per_second, step) as speed, max(wall_time) as last, min(wall_time) as began
        from rows semi join going using (trial_id, attempt) group by trial_id, attempt
        union all
        select trial_id, attempt, max(step), min(step), null, null, max(wall_time), min(wall_time)
        from rows semi join ends using (trial_id, attempt) where event is not null group by trial_id, attempt)
    select c.trial_id, c.attempt, c.driver, coalesce(c.kind, c.device, 'cpu') as kind,
           coalesce(c.devices, c.workers * c.threads, 1) as devices, s.step, s.first, s.loss, s.speed,
           epoch(s.last) - epoch(s.began) as seconds
    from claims c semi join wanted using (trial_id) left join seen s using (trial_id, attempt)
    order by c.trial_id, c.attempt
"""


@dataclass(slots=True)
class Seen:
    """Something that changes while it lives, and when it was last seen to."""

    value: object
    at: float


class Watcher:
    """Looks at a sweep's record again and again."""

    def __init__(self, store: Store, sweep: str) -> None:
        self.store, self.sweep = store, sweep
        self.seen: dict[str, Seen] = {}

    def look(self) -> Board:
        """The sweep now. Raises NoSuchSweep, RecordError."""
        plan = find_plan(self.store, self.sweep)
        spec = json.loads(plan.footer.get("interplay.spec", "{}"))
        retries = spec.get("cluster", {}).get("retries", 0)
        devices = devices_of(spec)
        with connect(self.store) as connection:
            known = states(connection, plan.trial_ids)
            spent = device_hours(connection, plan.trial_ids)
            connection.register("wanted", plan.rows.select(["trial_id"]))
            claims = connection.sql(LAST_ATTEMPTS).to_arrow_table().to_pylist()
        return self.board(plan, known, retries, claims, spent, devices)

    def board(
        self,
        plan: PlanFile,
        known: dict[str, TrialState],
        retries: int,
        claims: list[dict[str, Any]],
        spent: dict[str, float],
        devices: Devices,
    ) -> Board:
        """The board of what was read."""
        latest = {claim["trial_id"]: claim for claim in claims}
        failed: Counter[str] = Counter()
        troubled: Counter[str] = Counter()
        finished, rows, shares = 0, [], []
        took = work = 0.0
        silent: set[str] = set()
        for trial in plan.rows.to_pylist():
            key, state = trial["trial_id"], known.get(trial["trial_id"], TrialState())
            claim, first, steps = latest.get(key), *span(trial)
            over = is_final(state.endings, retries)
            kinds = [kind(end) if end else "lost" for end in state.endings]
            part = 0.0 if claim is None or claim["step"] is None else (claim["step"] - first) / steps
            running = claim is not None and not over and state.endings[-1] is None and self.lives(claim["driver"])
            if claim is not None and claim["step"] is not None and claim["seconds"]:
                took += claim["seconds"] * claim["devices"]
                work += (trial["flops"] or 1.0) * (claim["step"] - claim["first"]) / steps
            if running and claim is not None:
                rows.append(self.row(trial, claim))
                kinds = kinds[:-1]
            elif claim is not None and not over and state.endings[-1] is None:
                silent.add(claim["driver"])
            if over:
                finished += kinds[-1] == "completed"
                failed.update(kinds[-1:] if kinds[-1] != "completed" else [])
                kinds = kinds[:-1]
            troubled.update(one for one in kinds if one not in ("completed", "interrupted"))
            on = claim["devices"] if running and claim is not None else None
            shares.append(Share(work=trial["flops"] or 1.0, done=1.0 if over else part, devices=on))
        waiting = sum(entry[0] for entry in json.loads(plan.footer.get("interplay.waiting", "[]")))
        shares = with_waiting(shares, waiting)
        busy = sum(share.devices or 0 for share in shares)
        return Board(
            sweep=plan.sweep,
            trials=len(shares),
            finished=finished,
            failed=tuple(sorted(failed.items())),
            troubled=tuple(sorted(troubled.items())),
            running=tuple(rows),
            fraction=fraction_done(shares),
            seconds_left=seconds_left(shares, took, work, busy, trusted=False),
            hours=sum(spent.values()),
            price=price(spent, devices),
            currency=devices.currency,
            said=None if rows else nobody(silent, finished + failed.total() == len(shares)),
        )

    def lives(self, driver: str) -> bool:
        """Whether a driver gives signs of life: there is one, and it has changed within a lease of our looking."""
        sign = read(self.store, driver)
        return sign is not None and not died_here(sign) and self.silence(f"driver {driver}", sign) < LEASE_SECONDS

    def silence(self, what: str, value: object) -> float:
        """Seconds since a value was last seen to change, here."""
        now = time.monotonic()
        seen = self.seen.get(what)
        if seen is None or seen.value != value:
            self.seen[what] = seen = Seen(value, now)
        return now - seen.at

    def row(self, trial: dict[str, Any], claim: dict[str, Any]) -> Row:
        age = self.silence(f"trial {trial['trial_id']}", (claim["attempt"], claim["step"]))
        many, (first, steps) = claim["devices"], span(trial)
        name = claim["kind"] if claim["kind"] != CPU else f"core{'s' if many != 1 else ''}"
        return Row(
            trial_id=trial["trial_id"],
            label=f"{trial['depth']}×{trial['width']}",
            params=trial["params"],
            attempt=claim["attempt"],
            step=first if claim["step"] is None else claim["step"],
            last_step=first + steps,
            loss=claim["loss"],
            tokens_per_second=claim["speed"],
            device=f"{many:g} {name}",
            seconds=(claim["seconds"] or 0.0) + age,
            age=age,
        )


def span(trial: dict[str, Any]) -> tuple[int, int]:
    """First step and number of steps of a planned trial; an imported one has a single step."""
    first, last = trial["first_step"] or 0, trial["last_step"]
    return first, max(1, (last or first + 1) - first)


def devices_of(spec: dict[str, Any]) -> Devices:
    """The file of devices that a recorded spec names, the shipped one where it is not on this machine."""
    named = spec.get("cluster", {}).get("devices")
    return load_devices(Path(named) if named and Path(named).is_file() else SHIPPED)


def price(spent: dict[str, float], devices: Devices) -> float | None:
    """Of device-hours by kind; None where a kind has no price in this file."""
    try:
        return sum(hours * devices.named(kind).price_hour for kind, hours in spent.items())
    except SpecError:
        return None


def nobody(silent: set[str], over: bool) -> str:
    """What to say where nothing runs."""
    if over:
        return "all trials have ended"
    who = f"; {', '.join(sorted(silent))} gives no sign of life" if silent else ""
    return f"nobody is training this sweep now{who}; `sweep run` with its spec goes on"
