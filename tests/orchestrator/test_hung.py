"""An attempt whose actor had to be killed for its silence has hung, and is counted as that."""

from types import SimpleNamespace
from typing import Any

from orchestrator.tuning import Feed, Seat

ORDER: Any = SimpleNamespace(planned=SimpleNamespace(trial=SimpleNamespace(trial_id="a" * 16)), attempt=1)


class Conducted:
    """A conductor whose record has an end of the attempt, or none."""

    def __init__(self, ended: str | None) -> None:
        self.ended = ended
        self.concluded: list[str] = []

    def ending(self, order: Any) -> str | None:
        return self.ended

    def conclude(self, order: Any, reason: str) -> None:
        self.concluded.append(reason)

    def event(self, what: str, order: Any, result: Any) -> None:
        return None


def ends(conductor: Any, silent: str | None) -> str:
    """The reason the dispatcher hears."""
    heard: list[str] = []
    dispatcher: Any = SimpleNamespace(ended=lambda key, reason, *facts: heard.append(reason))
    feed = Feed(dispatcher, conductor)
    feed.seats["0"] = Seat(ORDER, 0.0, began=True, silent=silent)
    feed.on_trial_complete("0", error=True)
    return heard[0]


def test_silence_is_a_hang_in_the_record_and_for_the_dispatcher() -> None:
    conductor = Conducted(None)
    assert ends(conductor, "hung: nothing was heard") == "hung: nothing was heard"
    assert conductor.concluded == ["hung: nothing was heard"]


def test_an_end_of_its_own_counts_first() -> None:
    conductor = Conducted("completed")
    assert ends(conductor, "hung: nothing was heard") == "completed"
    assert conductor.concluded == []


def test_a_death_is_no_hang() -> None:
    assert ends(Conducted(None), None) == "lost"
