"""What a person sees of a run, on a descriptor of its own: live on a terminal, lines elsewhere, or next to nothing."""

from __future__ import annotations

import os
import time
from typing import IO, TYPE_CHECKING, Any, Protocol

from rich.console import Console, ConsoleDimensions

from models.counts import parameters
from orchestrator.board import summary
from orchestrator.dispatch import Order
from orchestrator.failures import kind

if TYPE_CHECKING:
    from orchestrator.tally import Tally

SUMMARY_SECONDS = 60.0
REFRESH_SECONDS = 0.5
# A board of ten thousand trials takes a while to make: it may have one part in this many of the driver's time.
RENDER_SHARE = 40


class Display(Protocol):
    """Whoever watches a run. Everything is called from one thread, but `warn`."""

    def say(self, text: str) -> None:
        """Something a person may like to know."""

    def warn(self, text: str) -> None:
        """Something a person must know."""

    def follow(self, tally: Tally) -> None:
        """The run begins; this is its account from now on."""

    def event(self, what: str, order: Any, result: dict[str, Any] | None) -> None:
        """what: start, progress or end of an attempt (orchestrator.tuning.Feed)."""

    def tick(self) -> None:
        """Called often."""

    def rest(self) -> None:
        """The run is over: nothing is drawn any more, and the terminal is as it was."""

    def close(self) -> None:
        """Nothing more will be said."""


def display_for(quiet: bool) -> Display:
    """Live where standard error is a terminal, lines elsewhere."""
    if quiet:
        return Quiet()
    terminal = os.isatty(2) and os.environ.get("TERM", "dumb") != "dumb"
    return Live() if terminal else Lines()


class Lines:
    """Timestamped plain lines on standard error, which stay there when the process's own output goes to a log."""

    def __init__(self) -> None:
        self.out: IO[str] = os.fdopen(os.dup(2), "w", buffering=1)
        self.started = self.summed = time.monotonic()
        self.tally: Tally | None = None

    def say(self, text: str) -> None:
        seconds = int(time.monotonic() - self.started)
        self.write(f"{seconds // 3600:02d}:{seconds // 60 % 60:02d}:{seconds % 60:02d}  {text}")

    def warn(self, text: str) -> None:
        self.say(text)

    def write(self, line: str) -> None:
        self.out.write(line + "\n")

    def follow(self, tally: Tally) -> None:
        self.tally = tally

    def event(self, what: str, order: Order, result: dict[str, Any] | None) -> None:
        match what, result:
            case "start", _:
                self.say(f"{name_of(order)}  attempt {order.attempt} starts")
            case "end", {"reason": reason} if result:
                self.say(f"{name_of(order)}  {reason}{loss_of(result)}")
                self.explain(order, reason, result)

    def explain(self, order: Order, reason: str, rest: dict[str, Any]) -> None:
        """The lines of a failed attempt's log that matter, and where the others are."""
        if kind(reason) in ("completed", "interrupted", "stopped"):
            return
        for line in rest.get("lines", ()):
            self.write(f"          | {line}")
        self.write(f"          more: sweep logs {order.planned.trial.trial_id}")

    def tick(self) -> None:
        now = time.monotonic()
        if self.tally and now - self.summed > SUMMARY_SECONDS:
            self.summed = now
            self.say(summary(self.tally.board()))

    def rest(self) -> None:
        self.tally = None

    def close(self) -> None:
        self.rest()
        self.out.close()


class Live(Lines):
    """A board that is drawn again and again, and above it a line for each trial that ended."""

    def __init__(self) -> None:
        super().__init__()
        from rich.live import Live as Region

        self.console = Console(file=self.out, force_terminal=True, highlight=False)
        self.region = Region(console=self.console, auto_refresh=False, redirect_stdout=False, redirect_stderr=False)
        self.due = 0.0
        self.last: str | None = None

    def write(self, line: str) -> None:
        self.fit()
        self.console.print(line, markup=False, soft_wrap=True)

    def follow(self, tally: Tally) -> None:
        super().follow(tally)
        self.fit()
        self.region.start()

    def event(self, what: str, order: Order, result: dict[str, Any] | None) -> None:
        if what == "end":
            super().event(what, order, result)

    def tick(self) -> None:
        now = time.monotonic()
        if self.tally is None or now < self.due or not self.region.is_started:
            return
        from orchestrator.picture import picture

        self.fit()
        self.region.update(picture(self.tally.board()), refresh=True)
        self.due = now + max(REFRESH_SECONDS, RENDER_SHARE * (time.monotonic() - now))

    def fit(self) -> None:
        """The terminal's size, asked of our own descriptor: the process's others lead to a log."""
        try:
            columns, lines = os.get_terminal_size(self.out.fileno())
        except OSError:
            return
        if columns and lines:  # a terminal may not know its own size
            self.console.size = ConsoleDimensions(columns, lines)

    def rest(self) -> None:
        if self.region.is_started:
            self.due = 0.0
            self.tick()
            self.region.stop()
        super().rest()


class Quiet(Lines):
    """Only what went wrong."""

    def say(self, text: str) -> None:
        """Nothing."""

    def warn(self, text: str) -> None:
        super().say(text)

    def event(self, what: str, order: Order, result: dict[str, Any] | None) -> None:
        if what == "end" and result and kind(result["reason"]) not in ("completed", "interrupted", "stopped"):
            self.warn(f"{name_of(order)}  {result['reason']}")
            self.explain(order, result["reason"], result)

    def tick(self) -> None:
        """Nothing."""


def name_of(order: Order) -> str:
    trial = order.planned.trial
    return f"{trial.trial_id}  {trial.shape.label:>8}  N {parameters(trial.shape):.3g}"


def loss_of(result: dict[str, Any]) -> str:
    """The held-out loss a trial ended with, if it did."""
    return "" if result.get("eval_loss") is None else f"  held-out loss {result['eval_loss']:.4f}"
