"""Work for a node that has gone is taken back, and a node that lost something must answer before it gets more."""

import socket
from types import SimpleNamespace
from typing import Any

from orchestrator.membership import answers
from orchestrator.tuning import Feed, Seat, Usher


def order(*nodes: str) -> Any:
    trial = SimpleNamespace(trial_id=nodes[0] * 16)
    return SimpleNamespace(planned=SimpleNamespace(trial=trial), placement=SimpleNamespace(nodes=nodes), attempt=1)


class Controller:
    """As much of Tune's controller as the scheduler asks."""

    def __init__(self, feed: Feed) -> None:
        self.feed = feed
        self.live = [SimpleNamespace(trial_id=key, status="RUNNING") for key in feed.seats]
        self.stopped: list[str] = []

    def get_live_trials(self) -> list[Any]:
        return self.live

    def get_trials(self) -> list[Any]:
        return self.live

    def stop_trial(self, trial: Any) -> None:
        self.stopped.append(trial.trial_id)


def test_what_waits_for_an_actor_on_a_node_that_is_gone_is_stopped() -> None:
    conductor: Any = SimpleNamespace(alive=lambda: {"a", "b"})
    feed = Feed(SimpleNamespace(), conductor)  # type: ignore[arg-type]
    feed.seats = {
        "fine": Seat(order("a", "b"), 0.0),
        "gone": Seat(order("a", "c"), 0.0),
        "has an actor": Seat(order("c"), 0.0, actor=object()),  # its death is Tune's to notice
        "began": Seat(order("c"), 0.0, began=True),
    }
    controller = Controller(feed)
    Usher(feed).choose_trial_to_run(controller)
    assert controller.stopped == ["gone"]
    assert [key for key, seat in feed.seats.items() if seat.stranded] == ["gone"]


def test_a_port_answers_while_someone_listens() -> None:
    with socket.create_server(("127.0.0.1", 0)) as server:
        port = server.getsockname()[1]
        assert answers("127.0.0.1", port)
    assert not answers("127.0.0.1", port)
