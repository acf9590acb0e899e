"""The simulator: the paper's sweep against its lower bound, and that packing keeps its promises."""

import random
from dataclasses import replace
from pathlib import Path

import pytest

from orchestrator.assign import devices_for, machines_of
from orchestrator.nodes import Cluster, Job, Need, Node, Placement
from orchestrator.packing import Queue, Running, next_placement
from orchestrator.search import best_assigner
from orchestrator.timeline import draw
from sweeps.loading import load_spec
from sweeps.planning import plan

PAPER = Path(__file__).parents[2] / "sweeps" / "paper.yaml"


@pytest.mark.slow
@pytest.mark.parametrize("nodes", [8, 64])
def test_the_papers_sweep_ends_within_a_twentieth_of_the_bound(nodes: int, tmp_path: Path) -> None:
    spec = load_spec(PAPER)
    made = plan(spec, None, {})
    there = [Node(name=f"n{i:02d}", cpus=64, gpus=8, device="H100") for i in range(nodes)]
    _, simulation = best_assigner(spec, made, there, machines_of(there, devices_for(spec)))
    assert len(simulation.spans) == len(made.trials)
    assert simulation.makespan_seconds <= 1.05 * simulation.lower_bound_seconds
    taken: dict[str, float] = {}
    moments = [(t, sign, span) for span in simulation.spans for t, sign in ((span.start, 1), (span.end, -1))]
    for _, sign, span in sorted(moments, key=lambda moment: moment[:2]):
        for node in span.placement.nodes:
            taken[node] = taken.get(node, 0.0) + sign * span.placement.job.need.gpus
            assert taken[node] <= 8 + 1e-9
    draw(simulation, made, tmp_path / "timeline.png")
    assert (tmp_path / "timeline.png").stat().st_size > 10_000


def job(key: str, seconds: float, workers: int = 1, gpus: float = 1.0) -> Job:
    return Job(key=key, need=Need(workers=workers, cpus=1, gpus=gpus), seconds=seconds)


def test_short_trials_go_ahead_only_if_they_do_not_delay_the_first() -> None:
    cluster, queue, running = Cluster([Node(name="n", cpus=8, gpus=4)]), Queue(), Running()
    first = cluster.place(job("runs", 100, workers=3))
    assert first is not None
    cluster.take(first)
    running.add(first, 100)
    for waiting in (job("gang", 90, workers=4), job("long", 80 + 40), job("short", 50)):
        queue.add(replace(waiting))
    queue.add(job("gang0", 500, workers=4))
    placement, promise = next_placement(queue, cluster, running, 0, None)
    assert placement is not None
    assert placement.job.key == "short"
    assert promise is not None
    assert promise.time == 100


def test_a_gang_waits_for_a_node_that_can_hold_it() -> None:
    cluster = Cluster([Node(name="a", cpus=8, gpus=4), Node(name="b", cpus=8, gpus=4)])
    for node in ("a", "b"):
        cluster.take(Placement(job=job(f"half of {node}", 1, workers=2), nodes=(node, node), shared=(None, None)))
    assert cluster.place(job("four", 1, workers=4)) is None
    assert cluster.empty.place(job("eight", 1, workers=8)) is not None


def test_fractions_share_the_fullest_device_and_come_back() -> None:
    cluster = Cluster([Node(name="n", cpus=8, gpus=2)])
    taken = []
    for key in "abcd":
        placement = cluster.place(job(key, 1, gpus=0.25))
        assert placement is not None
        cluster.take(placement)
        taken.append(placement)
    assert {placement.shared for placement in taken} == {(0,)}
    assert cluster.place(job("whole", 1)) is not None
    for placement in taken:
        cluster.give(placement)
    assert cluster.free["n"].gpus == [1.0, 1.0]
    assert cluster.free["n"].whole == 2


def test_rooms_are_kept_up_to_date_and_copies_go_their_own_ways() -> None:
    chance = random.Random(0)
    needs = [Need(workers=n, cpus=1, gpus=g) for n, g in ((1, 0.25), (1, 0.5), (1, 1.0), (2, 1.0), (4, 1.0), (6, 1.0))]
    cluster = Cluster([Node(name=f"n{i}", cpus=16, gpus=4) for i in range(3)])
    there: list[Placement] = []
    before: list[tuple[Cluster, list[dict[str, int]]]] = []
    for number in range(400):
        if there and chance.random() < 0.45:
            cluster.give(there.pop(chance.randrange(len(there))))
        else:
            found = cluster.place(Job(key=str(number), need=chance.choice(needs), seconds=1))
            if found is not None:
                cluster.take(found)
                there.append(found)
        for need in needs:
            assert cluster.rooms(need) == {name: free.room(need) for name, free in cluster.free.items()}
        if number % 50 == 0:
            copy = cluster.copy()
            before.append((copy, [dict(copy.rooms(need)) for need in needs]))
            if there:
                copy.give(there[0])
                copy.take(there[0])
    for copy, rooms in before:
        fresh = [{name: free.room(need) for name, free in copy.free.items()} for need in needs]
        assert fresh == [copy.rooms(need) for need in needs] == rooms
    for placement in there:
        cluster.give(placement)
    assert all(free.gpus == [1.0] * 4 and free.cpus == 16 for free in cluster.free.values())
