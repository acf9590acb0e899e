"""What is tried again and how, and what goes first: the dispatcher without Ray."""

import pytest

from orchestrator.assign import assigner, machines_of
from orchestrator.devices import SHIPPED, load_devices
from orchestrator.dispatch import Dispatcher
from orchestrator.failures import OutOfMemory, is_final, reason_for
from orchestrator.nodes import Cluster, Node
from orchestrator.peaks import memory_facts, out_of_memory_measured
from sweeps.planning import plan
from sweeps.spec import Spec
from sweeps.states import TrialState
from tests.sweeps.specs import small

NODES = [Node(name="n", cpus=1)]


def dispatcher(spec: Spec, states: dict[str, TrialState] | None = None) -> Dispatcher:
    made = plan(spec, None, {})
    assign = assigner(spec, made.trials, machines_of(NODES, load_devices(SHIPPED)))
    return Dispatcher(
        made, states or {}, Cluster(NODES), assign=assign, replan=lambda _: (made, {}), retries=spec.cluster.retries
    )


def test_out_of_memory_is_tried_once_more_with_half_the_micro_batch() -> None:
    order = dispatcher(small(grid={"depths": [1], "widths": [8]}))
    first = order.next(0.0)
    assert first is not None
    key = first.planned.trial.trial_id
    order.ended(key, "out_of_memory: of the GPU", None, 1.0)
    second = order.next(1.0)
    assert second is not None
    assert (second.attempt, second.planned.trial) == (2, first.planned.trial)
    assert second.assigned.micro_batch == first.assigned.micro_batch // 2
    order.ended(key, "out_of_memory: of the GPU", None, 2.0)
    assert order.next(2.0) is None
    assert order.finished


def test_the_second_try_comes_after_a_new_start_of_the_sweep_too() -> None:
    spec = small(grid={"depths": [1], "widths": [8]})
    key = plan(spec, None, {}).trials[0].trial.trial_id
    again = dispatcher(spec, {key: TrialState(endings=("lost", "out_of_memory: x"))}).next(0.0)
    assert again is not None
    assert (again.attempt, again.assigned.micro_batch) == (3, 4)
    ends = ("out_of_memory: x", "lost: a node", "out_of_memory: x")
    assert is_final(ends, retries=3)
    assert not is_final(ends[:2], retries=3)


@pytest.mark.parametrize(
    "error",
    [
        MemoryError("of Python"),
        RuntimeError("CUDA out of memory. Tried to allocate 2.00 GiB"),
        RuntimeError("[enforce fail] DefaultCPUAllocator: can't allocate memory: you tried to allocate 9 bytes"),
    ],
)
def test_running_out_of_memory_is_told_apart(error: Exception) -> None:
    with pytest.raises(OutOfMemory) as told, out_of_memory_measured():
        raise error
    assert reason_for(told.value) == f"out_of_memory: {error}"
    assert reason_for(ValueError("of another kind")).startswith("error")


def test_the_estimates_error_goes_into_the_record() -> None:
    assert memory_facts(None, 1e9) is None
    assert memory_facts(2e9, None) == [("memory_bytes", 2e9)]
    assert memory_facts(2e9, 1e9) == [("memory_bytes", 2e9), ("memory_error", -0.5)]


def test_a_higher_priority_goes_first_however_short() -> None:
    spec = small(grid=[{"depths": [2], "widths": [16]}, {"depths": [1], "widths": [8], "priority": 1}])
    order = dispatcher(spec)
    first = order.next(0.0)
    assert first is not None
    assert first.planned.trial.shape.depth == 1
    assert [planned.priority for planned in order.plan.trials] == [0, 1]
    twice = plan(small(grid=[{"shapes": [[1, 8]]}, {"shapes": [[1, 8]], "priority": 2}]), None, {})
    assert [planned.priority for planned in twice.trials] == [2]
    assert twice.hash == plan(small(grid=[{"shapes": [[1, 8]]}]), None, {}).hash  # placement is no part of a plan


def test_a_node_that_comes_back_still_has_what_runs_on_it() -> None:
    order = dispatcher(small(grid={"depths": [1], "widths": [8, 16]}))
    first = order.next(0.0)
    assert first is not None
    order.members([])  # in doubt, since something on it was lost
    assert order.next(1.0) is None
    assert not order.finished
    order.members(NODES)
    assert order.next(2.0) is None  # its only CPU is taken
    order.ended(first.planned.trial.trial_id, "completed", 3.0, 3.0)
    assert order.next(3.0) is not None
