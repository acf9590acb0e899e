"""A cluster that starts nothing is given up, and not fed for ever."""

from types import SimpleNamespace
from typing import Any

import pytest

from orchestrator.failures import ClusterError
from orchestrator.tuning import IN_VAIN, Feed, Seat


class Conducted:
    """A conductor of attempts that all end without a word in the record."""

    def __init__(self) -> None:
        self.failures: list[Exception] = []

    def ending(self, order: Any) -> None:
        return None

    def fail(self, error: Exception) -> None:
        self.failures.append(error)

    def event(self, what: str, order: Any, result: Any) -> None:
        return None


ORDER: Any = SimpleNamespace(planned=SimpleNamespace(trial=SimpleNamespace(trial_id="a" * 16)))


def feed() -> tuple[Feed, Conducted]:
    conductor = Conducted()
    dispatcher: Any = SimpleNamespace(ended=lambda *facts: None)
    return Feed(dispatcher, conductor), conductor  # type: ignore[arg-type]


def lose(one: Feed, times: int, *, heard: bool = False) -> None:
    for number in range(times):
        one.seats[str(number)] = Seat(ORDER, 0.0)
        if heard:
            one.on_trial_result(str(number), {"tokens": 1})
        one.on_trial_complete(str(number), error=True)


def test_attempts_lost_before_their_first_step_end_the_run() -> None:
    one, conductor = feed()
    lose(one, IN_VAIN - 1)
    assert conductor.failures == []
    lose(one, 1)
    with pytest.raises(ClusterError, match=f"{IN_VAIN} attempts in a row were lost before their first step"):
        raise conductor.failures[0]


def test_what_trains_and_is_lost_does_not() -> None:
    one, conductor = feed()
    lose(one, IN_VAIN - 1)
    lose(one, 3 * IN_VAIN, heard=True)
    lose(one, IN_VAIN - 1)
    assert conductor.failures == []
