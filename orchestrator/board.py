"""What a person sees of a sweep at a moment: one value, whether a run made it from its own events or `sweep watch`
from the record.
"""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import dataclass


@dataclass(frozen=True, slots=True, kw_only=True)
class Row:
    """A trial that runs. `seconds` since its attempt began; `age` of the last sign of it, seconds; None: not known."""

    trial_id: str
    label: str
    params: int
    attempt: int
    step: int
    last_step: int
    loss: float | None
    tokens_per_second: float | None
    device: str
    seconds: float
    age: float | None = None


@dataclass(frozen=True, slots=True, kw_only=True)
class Board:
    """trials: in the plan, waiting ones included; failed: kinds of end without a usable loss, with how many each;
    troubled: kinds of end that were tried again. price is None where a kind of device has none here."""

    sweep: str
    trials: int
    finished: int
    failed: tuple[tuple[str, int], ...]
    troubled: tuple[tuple[str, int], ...]
    running: tuple[Row, ...]
    fraction: float
    seconds_left: float | None
    hours: float
    price: float | None
    currency: str
    said: str | None = None

    @property
    def left(self) -> int:
        """Trials that have neither ended for good nor run."""
        return self.trials - self.finished - sum(count for _, count in self.failed) - len(self.running)

    @property
    def over(self) -> bool:
        """Whether every trial has ended for good."""
        return self.left == 0 and not self.running


@dataclass(frozen=True, slots=True, kw_only=True)
class Share:
    """One trial's part in the work of a sweep.

    work      what it should take, in device-seconds, or in any unit that is the same for all trials of the sweep
    done      the part of it that is done, 0 to 1
    devices   it runs on; None where it does not run
    """

    work: float
    done: float
    devices: float | None = None


def with_waiting(shares: list[Share], waiting: int) -> list[Share]:
    """The shares, and those of trials that cannot be literal yet: each like the average of the trials that can."""
    average = sum(share.work for share in shares) / len(shares) if shares else 1.0
    return [*shares, *[Share(work=average, done=0.0)] * waiting]


def fraction_done(shares: Iterable[Share]) -> float:
    """Of the whole sweep's work."""
    shares = list(shares)
    whole = sum(share.work for share in shares)
    return sum(share.work * share.done for share in shares) / whole if whole else 1.0


def seconds_left(shares: Iterable[Share], took: float, work: float, devices: float, *, trusted: bool) -> float | None:
    """Until the last trial ends, from what its work should take and what was measured.

    took      device-seconds that were measured
    work      the work done in them, in the unit of the shares
    devices   that work side by side now
    trusted   whether that unit is device-seconds, as estimated; otherwise only what was measured tells the time

    The estimate counts like a tenth of an average trial that has been measured, so it decides until there is something
    to go by and is soon outweighed. Never less than the longest trial alone has to go.
    """
    shares = list(shares)
    prior = sum(share.work for share in shares) / len(shares) / 10 if trusted and shares else 0.0
    if devices <= 0 or work + prior <= 0:
        return None
    pace = (took + prior) / (work + prior)
    left = [(share, pace * share.work * (1 - share.done)) for share in shares]
    longest = max((seconds / share.devices for share, seconds in left if share.devices), default=0.0)
    return max(sum(seconds for _, seconds in left) / devices, longest)


def clock(seconds: float) -> str:
    """0:07, 12:40, 3:05:00 or 2 d 04 h."""
    whole = round(seconds)
    if whole >= 86400:
        return f"{whole // 86400} d {whole % 86400 // 3600:02d} h"
    if whole >= 3600:
        return f"{whole // 3600}:{whole // 60 % 60:02d}:{whole % 60:02d}"
    return f"{whole // 60}:{whole % 60:02d}"


def summary(board: Board) -> str:
    """One line for a log: how far, what failed, how long, what it cost so far."""
    parts = [f"{board.finished} of {board.trials} trials finished", f"{board.fraction:.0%} of the work"]
    if board.running:
        parts.append(f"{len(board.running)} running")
    if board.failed:
        parts.append("without a usable loss: " + ", ".join(f"{count} {kind}" for kind, count in board.failed))
    if board.troubled:
        parts.append("tried again: " + ", ".join(f"{count} {kind}" for kind, count in board.troubled))
    if board.seconds_left is not None and board.left + len(board.running):
        parts.append(f"about {clock(board.seconds_left)} left")
    return "; ".join([*parts, cost(board)])


def cost(board: Board) -> str:
    """Hours and price so far."""
    price = "" if board.price is None else f", {board.price:,.2f} {board.currency}"
    return f"{board.hours:.3g} device-hours{price} so far"
