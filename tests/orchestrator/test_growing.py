"""A cluster that grows: what is planned for, and what the autoscaler is asked for."""

from typing import Any

import pytest

import orchestrator.growing
from orchestrator.assign import assigner, machines_of
from orchestrator.devices import SHIPPED, load_devices
from orchestrator.dispatch import Dispatcher
from orchestrator.growing import Growth
from orchestrator.nodes import Cluster, Node
from sweeps.planning import plan
from sweeps.safe_yaml import SpecError
from tests.sweeps.specs import small

DEVICES = load_devices(SHIPPED)
HEAD = Node(name="head", cpus=2)
CLUSTER = {"nodes": 3, "gpus": 2, "device": "h100", "autoscale": True, "sharing": False, "workers": 1}


def h100(name: str) -> Node:
    return Node(name=name, cpus=16, gpus=2, device="H100")


def test_what_may_come_is_planned_for_and_asked_for_while_trials_wait(monkeypatch: pytest.MonkeyPatch) -> None:
    asked: list[list[dict[str, float]]] = []
    monkeypatch.setattr(orchestrator.growing, "request", lambda bundles: asked.append(list(bundles)))
    spec = small(grid={"depths": [1, 2], "widths": [8, 16, 24]}, cluster=CLUSTER)
    made, growth = plan(spec, None, {}), Growth(spec, DEVICES)
    expected = growth.expected([HEAD])
    assert [node.gpus for node in expected] == [0, 2, 2, 2]
    assert len(growth.expected([HEAD, h100("a")])) == 4

    order = Dispatcher(
        made,
        {},
        Cluster([HEAD]),
        assign=assigner(spec, made.trials, machines_of(expected, DEVICES)),
        replan=lambda _: (made, {}),
        retries=0,
    )
    assert order.next(0.0) is None  # the head has no GPU
    assert not order.finished
    growth.ask(order)
    bundle = {"GPU": 2.0, "accelerator_type:H100": 0.001}
    assert asked == [[bundle] * 3]
    growth.ask(order)
    assert len(asked) == 1  # nothing has changed

    order.members([HEAD, h100("a"), h100("b")])
    running = []
    while found := order.next(0.0):
        running.append(found.planned.trial.trial_id)
    assert len(running) == 4
    for key in running:
        order.ended(key, "completed", 1.0, 1.0)
    growth.ask(order)
    assert asked[-1] == [bundle]
    growth.close()
    assert asked[-1] == []


@pytest.mark.parametrize("stated", [{"autoscale": True}, {"autoscale": True, "nodes": 3, "gpus": 8}])
def test_it_must_be_said_what_the_cluster_can_become(stated: dict[str, Any]) -> None:
    with pytest.raises(SpecError, match="device"):
        Growth(small(cluster=stated), DEVICES)
