"""Which trial starts next, and on which nodes: the one place that decides, for the run and the simulator alike.

Longest first, within a priority; where the longest does not fit now, it is promised the earliest moment at which
it will, and shorter ones go ahead only if they do not delay that (backfilling as in EASY, Lifka 1995). So the
devices stay full and no large gang starves. A gang that some node can hold waits for one; only a larger one spans.
"""

from __future__ import annotations

import bisect
from collections.abc import Iterator
from dataclasses import dataclass

from orchestrator.nodes import Cluster, Job, Need, Placement

Group = tuple[int, Need]


@dataclass(slots=True)
class Promise:
    """The first of the queue will fit at `time` if all goes as expected; `spare` is what is free beside it then."""

    job: Job
    time: float
    spare: Cluster


def rank(job: Job) -> tuple[int, float, int, str]:
    """Sort key of the queue: priority, then the longest, then the largest gang; the name makes the order one."""
    return (-job.priority, -job.seconds, -job.need.workers, job.key)


class Queue:
    """Jobs that could start were there room, in the order of `rank`; those of one need and priority are one group,
    since where one of a group does not fit, none does."""

    def __init__(self) -> None:
        self.groups: dict[Group, list[Job]] = {}

    def add(self, job: Job) -> None:
        bisect.insort(self.groups.setdefault((job.priority, job.need), []), job, key=rank)

    def remove(self, job: Job) -> None:
        group = self.groups[job.priority, job.need]
        del group[bisect.bisect_left(group, rank(job), key=rank)]
        if not group:
            del self.groups[job.priority, job.need]

    def heads(self) -> list[Job]:
        """The first of each group, in the order of `rank`."""
        return sorted((group[0] for group in self.groups.values()), key=rank)

    def shorter(self, job: Job, seconds: float) -> Job | None:
        """The first in a job's group that takes at most so long."""
        group = self.groups[job.priority, job.need]
        index = bisect.bisect_left(group, -seconds, key=lambda other: -other.seconds)
        return group[index] if index < len(group) else None

    def __iter__(self) -> Iterator[Job]:
        return iter(sorted((job for group in self.groups.values() for job in group), key=rank))

    def __len__(self) -> int:
        return sum(len(group) for group in self.groups.values())


class Running:
    """Placements by the times at which they are expected to end, soonest first."""

    def __init__(self) -> None:
        self.ends: dict[Placement, tuple[float, int]] = {}
        self.order: list[tuple[float, int, Placement]] = []
        self.count = 0

    def add(self, placement: Placement, end: float) -> None:
        self.count += 1
        self.ends[placement] = (end, self.count)
        bisect.insort(self.order, (end, self.count, placement), key=lambda entry: entry[:2])

    def remove(self, placement: Placement) -> None:
        index = bisect.bisect_left(self.order, self.ends.pop(placement), key=lambda entry: entry[:2])
        del self.order[index]

    def __iter__(self) -> Iterator[tuple[Placement, float]]:
        return ((placement, end) for end, _, placement in self.order)


def next_placement(
    queue: Queue, cluster: Cluster, running: Running, now: float, promise: Promise | None
) -> tuple[Placement | None, Promise | None]:
    """What starts now, None if nothing should, and what the first of the queue is promised if it must wait.

    promise   what the call before gave, if nothing has ended since
    """
    heads = queue.heads()
    if not heads:
        return None, None
    first = cluster.place(heads[0])
    if first is not None:
        return first, None
    if promise is None or promise.job != heads[0]:
        promise = promised(heads[0], cluster, running)
    for head in heads[1:]:
        if head.need == heads[0].need:
            continue
        if promise is None:  # the first never fits here, and waits for nodes to come
            placement = cluster.place(head)
            if placement is not None:
                return placement, None
            continue
        placement = cluster.place(head, beside=promise.spare)
        if placement is not None:
            if now + head.seconds > promise.time:
                promise.spare.take(placement)
            return placement, promise
        quick = queue.shorter(head, promise.time - now)
        placement = cluster.place(quick) if quick else None
        if placement is not None:
            return placement, promise
    return None, promise


def promised(job: Job, cluster: Cluster, running: Running) -> Promise | None:
    """When a job will fit if all goes as expected, and what is free beside it then; None where it never will."""
    later = cluster.copy()
    fitting = later.known.setdefault(job.need, dict(cluster.rooms(job.need)))
    spans = later.spans(job.need)
    for placement, end in running:
        later.give(placement)
        if spans:
            enough = sum(fitting.values())
        else:
            enough = max((fitting[name] for name in placement.nodes if name in fitting), default=0)
        if enough >= job.need.workers:
            place = later.place(job)
            assert place is not None
            later.take(place)
            return Promise(job=job, time=end, spare=later)
    return None
