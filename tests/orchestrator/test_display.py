"""A run's own account of itself, and how it is shown: live on a terminal, lines elsewhere, next to nothing when quiet."""

import fcntl
import os
import struct
import termios
import threading
from collections.abc import Iterator
from contextlib import contextmanager
from typing import Any, cast

import pytest

from orchestrator.assign import assigner, machines_of
from orchestrator.devices import load_devices
from orchestrator.dispatch import Order
from orchestrator.display import Display, Lines, Live, Quiet, display_for
from orchestrator.nodes import Node, Placement
from orchestrator.tally import Tally
from sweeps.states import TrialState
from tests.orchestrator.test_board import BOARD
from tests.sweeps.specs import small
from tests.sweeps.test_views import PLAN, TRIALS


@pytest.fixture
def clock(monkeypatch: pytest.MonkeyPatch) -> list[float]:
    now = [1000.0]
    monkeypatch.setattr("orchestrator.tally.time.monotonic", lambda: now[0])
    return now


@pytest.fixture
def tally(clock: list[float]) -> Tally:
    """Two cores; the first trial is finished, the second has had an error."""
    devices = load_devices()
    assign = assigner(small(), PLAN.trials, machines_of([Node(name="here", cpus=2.0)], devices))
    known = {
        TRIALS[0]: TrialState(endings=("completed",), eval_loss=2.0),
        TRIALS[1]: TrialState(endings=("error: no",)),
    }
    return Tally(PLAN, known, assign, devices, {"cpu": 1.0}, retries=1)


def order(tally: Tally, number: int, attempt: int = 1) -> Order:
    job, assigned = tally.assign(PLAN.trials[number], 0)
    placement = Placement(job=job, nodes=("here",), shared=(None,))
    return Order(planned=PLAN.trials[number], attempt=attempt, assigned=assigned, placement=placement)


def progress(step: int) -> dict[str, Any]:
    return {"step": step, "loss": 3.0, "tokens_per_second": 1000.0, "done": False}


def test_the_account_follows_the_events(tally: Tally, clock: list[float]) -> None:
    board = tally.board()
    assert (board.trials, board.finished, board.failed, board.troubled) == (4, 1, (), (("error", 1),))
    assert (board.hours, board.price) == (1.0, pytest.approx(0.05))
    first = order(tally, 2)
    tally.event("start", first, None)
    clock[0] += 20  # imports: not the pace of training
    tally.event("progress", first, progress(5))
    clock[0] += 10
    tally.event("progress", first, progress(15))
    board = tally.board()
    row = board.running[0]
    assert (row.step, row.last_step, row.loss, row.device) == (15, 25, 3.0, "1 core")
    assert board.fraction > 1 / 4
    assert board.hours == pytest.approx(1 + 30 / 3600)  # imports are paid for
    # ten of 25 steps took ten seconds: this trial alone has another ten to go, and two others follow
    assert board.seconds_left is not None
    assert board.seconds_left > 10
    tally.event("end", first, {"reason": "completed", "eval_loss": 2.5})
    second = order(tally, 1, attempt=2)
    tally.event("start", second, None)
    tally.event("end", second, {"reason": "error: again", "eval_loss": None})
    board = tally.board()
    assert (board.finished, board.failed, board.left) == (2, (("error", 1),), 1)


class Fixed:
    """An account that does not change."""

    def board(self) -> Any:
        return BOARD


@contextmanager
def terminal() -> Iterator[list[bytes]]:
    """A terminal at descriptor 2; what it was shown is in the list when the block has ended."""
    master, slave = os.openpty()
    fcntl.ioctl(slave, termios.TIOCSWINSZ, struct.pack("HHHH", 40, 140, 0, 0))
    kept = os.dup(2)
    os.dup2(slave, 2)
    os.close(slave)
    shown: list[bytes] = []

    def read() -> None:
        try:
            while data := os.read(master, 4096):
                shown.append(data)
        except OSError:  # nobody has the other end any more
            return

    reader = threading.Thread(target=read)
    reader.start()
    try:
        yield shown
    finally:
        os.dup2(kept, 2)
        os.close(kept)
        reader.join()
        os.close(master)


def test_a_terminal_shows_the_board_and_is_left_as_it_was(tally: Tally, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("TERM", "xterm")
    with terminal() as parts:
        display = display_for(quiet=False)
        assert isinstance(display, Live)
        display.say("the log is there")
        display.follow(cast(Tally, Fixed()))
        display.tick()
        display.event("end", order(tally, 0), {"reason": "completed", "eval_loss": 2.25})
        display.rest()
        display.close()
    shown = b"".join(parts).decode()
    hidden, shown_again = "\x1b[?25l", "\x1b[?25h"  # the cursor
    for phrase in (
        "the log is there",
        "5 of 10 trials",
        "12×384",
        "completed  held-out loss 2.2500",
        hidden,
        shown_again,
    ):
        assert phrase in shown, phrase


@pytest.mark.parametrize(("kind", "says", "silent"), [(Lines, ("0:00  hello", "attempt 1 starts", "completed"), ()),
                                                     (Quiet, (), ("hello", "starts", "completed"))])  # fmt: skip
def test_elsewhere_lines_and_of_what_failed_the_lines_that_matter(
    kind: type[Lines], says: tuple[str, ...], silent: tuple[str, ...], tally: Tally, capfd: pytest.CaptureFixture[str]
) -> None:
    display: Display = kind()
    display.say("hello")
    display.event("start", order(tally, 0), None)
    display.event("end", order(tally, 0), {"reason": "completed", "eval_loss": 2.25})
    display.event(
        "end", order(tally, 1), {"reason": "error: ValueError: no", "eval_loss": None, "lines": ["ValueError: no"]}
    )
    display.warn("the cluster is gone")
    display.tick()
    display.close()
    shown = capfd.readouterr().err
    for phrase in (
        *says,
        "error: ValueError: no",
        "| ValueError: no",
        f"more: sweep logs {TRIALS[1]}",
        "the cluster is gone",
    ):
        assert phrase in shown, phrase
    for phrase in silent:
        assert phrase not in shown, phrase
