"""What of the record is shown: every trial's rows once, thinned, also over several attempts and several runs."""

from collections.abc import Sequence
from pathlib import Path

import pytest

from orchestrator.trackers.mirror import Mirror
from orchestrator.trackers.tracker import Point, Shown
from sweeps.store import open_store
from tests.orchestrator.trackers.records import asking, loss, planned, train


class Remembers:
    """A tracker that keeps what it is told."""

    def __init__(self) -> None:
        self.told: list[tuple[object, ...]] = []

    def begin(self, trial: Shown) -> None:
        self.told.append(("begin", trial.name.split("-")[0]))

    def add(self, trial: Shown, points: Sequence[Point]) -> None:
        self.told.extend((point.step, point.metrics["loss"]) for point in points)

    def end(self, trial: Shown, reason: str) -> None:
        self.told.append(("end", reason))

    def close(self) -> None:
        return

    @property
    def steps(self) -> list[object]:
        return [one[0] for one in self.told if isinstance(one[0], int)]


@pytest.mark.parametrize(("points", "steps"), [(1000, list(range(1, 26))), (5, [5, 10, 15, 20, 25]), (2, [12, 24, 25])])
def test_rows_are_thinned_but_a_held_out_loss_never(tmp_path: Path, points: int, steps: list[int]) -> None:
    store, tracker = open_store(tmp_path), Remembers()
    first, _ = planned(asking(), store).trials
    train(store, first.trial, 0, 25, end="completed")
    Mirror(store, "small", tracker, tmp_path / "memory.json", points).round()
    assert tracker.steps == steps
    assert tracker.told[0] == ("begin", "1x8")
    assert tracker.told[-1] == ("end", "completed")
    assert tracker.told[1] == (steps[0], loss(steps[0]))


def test_recomputed_steps_are_shown_once_and_parts_as_they_come(tmp_path: Path) -> None:
    store, tracker = open_store(tmp_path), Remembers()
    first, second = planned(asking(), store).trials
    mirror = Mirror(store, "small", tracker, tmp_path / "memory.json", 1000)
    train(store, first.trial, 0, 10)
    mirror.round()
    assert tracker.steps == list(range(1, 11))
    mirror.round()
    train(store, first.trial, 6, 25, attempt=2, end="completed")
    train(store, second.trial, 0, 3, end="interrupted: asked to")
    mirror.round()
    assert tracker.steps == [*range(1, 26), 1, 2, 3]
    assert [one for one in tracker.told if one[0] == "end"] == [("end", "completed")]


def test_the_next_run_goes_on_where_this_one_stopped(tmp_path: Path) -> None:
    store, memory = open_store(tmp_path), tmp_path / "memory.json"
    first, second = planned(asking(), store).trials
    train(store, first.trial, 0, 25, end="completed")
    train(store, second.trial, 0, 3)
    Mirror(store, "small", Remembers(), memory, 1000).round()
    again = Remembers()
    train(store, second.trial, 3, 5, attempt=2)
    Mirror(store, "small", again, memory, 1000).round()
    assert again.told == [("begin", "2x8"), (4, loss(4)), (5, loss(5))]
