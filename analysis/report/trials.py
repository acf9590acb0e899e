"""The trials as a table that sorts and filters, and those that enter no fit, each with its reason."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any

from analysis.report.reading import UNENDED, Reading
from analysis.report.wording import MISSING, nats, number, size
from analysis.study import Study

NAMED = 8  # trials named for each reason; the table has all
MOST = 2000  # rows in the page; a table of more is a matter for `sweep query`
COLUMNS = (
    ("trial", "trial", ""),
    ("depth", "layers", "number"),
    ("width", "width", "number"),
    ("params", "N", "number"),
    ("tokens", "tokens", "number"),
    ("seed", "seed", "number"),
    ("rate", "rate", "number"),
    ("state", "state", ""),
    ("progress", "done", "number"),
    ("loss", "held-out loss", "number"),
    ("pace", "tokens/s", "number"),
    ("device", "device", ""),
    ("flag", "not used because", ""),
)


@dataclass(frozen=True, slots=True, kw_only=True)
class Cell:
    """text as shown; sort: the number behind it, None where it is missing or text."""

    text: str
    sort: float | None = None


@dataclass(frozen=True, slots=True, kw_only=True)
class TrialRow:
    trial_id: str
    state: str
    flagged: bool
    cells: tuple[Cell, ...]


@dataclass(frozen=True, slots=True, kw_only=True)
class Flagged:
    """Trials that enter no fit for one reason: the first NAMED of them, and how many more there are."""

    reason: str
    count: int
    named: tuple[tuple[str, str], ...]

    @property
    def more(self) -> int:
        return self.count - len(self.named)


def flags_of(reading: Reading, study: Study | None) -> dict[str, str]:
    """Why a trial is in no fit, by id: those still to come are not in it."""
    flags: dict[str, str] = {}
    if study is not None:
        rows = study.table[study.table["flag"].notna()]
        flags = dict(zip(rows["trial_id"].astype(str), rows["flag"].astype(str), strict=True))
    for trial in reading.trials:
        key = trial["trial_id"]
        if trial["state"] in UNENDED:
            flags.pop(key, None)
        elif trial["state"] != "completed":
            flags[key] = f"the trial ended as {trial['status']}"
        elif trial["purpose"] != "result":
            flags.setdefault(key, f"a {trial['purpose']}: trained for other trials' sake")
    return flags


def trial_rows(reading: Reading, flags: dict[str, str]) -> tuple[TrialRow, ...]:
    """At most MOST rows: those that did not end well come first into the choice."""
    chosen = list(reading.trials)
    if len(chosen) > MOST:
        odd = [t for t in chosen if t["trial_id"] in flags or t["state"] != "completed"]
        kept = {t["trial_id"] for t in (odd + chosen)[:MOST]}
        chosen = [t for t in chosen if t["trial_id"] in kept][:MOST]
    return tuple(_row(trial, flags.get(trial["trial_id"])) for trial in chosen)


def flagged_rows(reading: Reading, flags: dict[str, str]) -> tuple[Flagged, ...]:
    """By reason, in the plan's order; named by id and depth × width."""
    by_reason: dict[str, list[tuple[str, str]]] = {}
    for trial in reading.trials:
        if reason := flags.get(trial["trial_id"]):
            by_reason.setdefault(reason, []).append((trial["trial_id"], f"{trial['depth']}×{trial['width']}"))
    return tuple(
        Flagged(reason=reason, count=len(found), named=tuple(found[:NAMED])) for reason, found in by_reason.items()
    )


def _row(trial: dict[str, Any], flag: str | None) -> TrialRow:
    done, last = trial["step"], trial["last_step"]
    share = None if done is None or not last else min(done / last, 1.0)
    error = trial["eval_loss_se"]
    loss = nats(trial["eval_loss"]) + (f" ± {number(error, 2)}" if error and trial["eval_loss"] is not None else "")
    workers = trial["workers"]
    device = MISSING if not trial["device"] else f"{workers} × {trial['device']}" if workers else trial["device"]
    cells = (
        Cell(text=trial["trial_id"]),
        Cell(text=f"{trial['depth']}", sort=trial["depth"]),
        Cell(text=f"{trial['width']}", sort=trial["width"]),
        Cell(text=size(trial["params"], 3), sort=trial["params"]),
        Cell(text=size(trial["tokens"], 3), sort=trial["tokens"]),
        Cell(text=MISSING if trial["seed"] is None else f"{trial['seed']}", sort=trial["seed"]),
        Cell(text=number(trial["learning_rate"]), sort=trial["learning_rate"]),
        Cell(text=trial["state"].replace("_", " ")),
        Cell(text=MISSING if share is None else f"{share:.0%}", sort=share),
        Cell(text=loss, sort=trial["eval_loss"]),
        Cell(text=size(trial["pace"]), sort=trial["pace"]),
        Cell(text=device),
        Cell(text=flag or ""),
    )
    return TrialRow(trial_id=trial["trial_id"], state=trial["state"], flagged=flag is not None, cells=cells)
