"""How far, how long, how much: the figures that the live display and `sweep watch` show."""

import pytest

from orchestrator.board import Board, Row, Share, clock, fraction_done, seconds_left, summary, with_waiting
from orchestrator.picture import picture


def test_time_left_is_the_estimate_until_something_is_measured_and_then_what_was() -> None:
    fresh = [Share(work=100, done=0, devices=1), Share(work=100, done=0, devices=1)]
    assert seconds_left(fresh, 0, 0, 2, trusted=True) == pytest.approx(100)
    assert seconds_left(fresh, 0, 0, 2, trusted=False) is None
    half = [Share(work=100, done=1), Share(work=100, done=0, devices=1)]
    # it took thrice as long as estimated: 300 s for the first 100; the estimate counts as a tenth of a trial
    assert seconds_left(half, 300, 100, 1, trusted=False) == pytest.approx(300)
    assert seconds_left(half, 300, 100, 1, trusted=True) == pytest.approx(100 * 310 / 110)


def test_never_less_than_the_longest_trial_alone() -> None:
    shares = [Share(work=10, done=0.5, devices=1)] * 7 + [Share(work=100, done=0, devices=1)]
    assert seconds_left(shares, 35, 35, 8, trusted=False) == pytest.approx(100)


def test_fraction_is_of_the_work_and_not_of_the_trials() -> None:
    assert fraction_done([Share(work=90, done=0), Share(work=10, done=1)]) == pytest.approx(0.1)
    assert fraction_done([]) == 1.0


def test_what_waits_counts_like_the_average_of_what_does_not() -> None:
    shares = with_waiting([Share(work=30, done=1), Share(work=10, done=1)], 2)
    assert fraction_done(shares) == pytest.approx(0.5)
    assert seconds_left(shares, 80, 40, 2, trusted=False) == pytest.approx(40)
    assert fraction_done(with_waiting([], 3)) == 0


def test_clock() -> None:
    assert [clock(s) for s in (7, 760, 11100, 187200)] == ["0:07", "12:40", "3:05:00", "2 d 04 h"]


BOARD = Board(
    sweep="mine",
    trials=10,
    finished=4,
    failed=(("diverged", 1),),
    troubled=(("out_of_memory", 2),),
    running=(
        Row(trial_id="6afdcafb2c46d9a5", label="12×384", params=21_233_664, attempt=2, step=500, last_step=1000,
            loss=3.25, tokens_per_second=51_234.0, device="8 h100", seconds=65.0),
    ),
    fraction=0.5,
    seconds_left=3700.0,
    hours=12.5,
    price=37.5,
    currency="USD",
)  # fmt: skip


def shown(board: Board) -> str:
    from rich.console import Console

    console = Console(width=140, highlight=False)
    with console.capture() as capture:
        console.print(picture(board))
    return capture.get()


def test_the_picture_has_all_that_the_person_asks() -> None:
    text = shown(BOARD)
    for phrase in (
        "mine", "50%", "5 of 10 trials", "about 1:01:40 left", "4 finished", "1 diverged", "2 × out_of_memory, tried again",
        "4 to come", "12.5 device-hours, 37.50 USD so far", "6afdcafb2c46d9a5 (attempt 2)", "12×384", "500 of 1,000",
        "3.2500", "51,234", "8 h100", "1:05",
    ):  # fmt: skip
        assert phrase in text, phrase


def test_the_line_for_a_log_says_the_same() -> None:
    assert summary(BOARD) == (
        "4 of 10 trials finished; 50% of the work; 1 running; without a usable loss: 1 diverged; tried again: "
        "2 out_of_memory; about 1:01:40 left; 12.5 device-hours, 37.50 USD so far"
    )
