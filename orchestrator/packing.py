"""Which trial starts next, and on which nodes: the one place that decides, for the run and the simulator alike.

Longest first, within a priority; where the longest does not fit now, it is promised the earliest moment at which
it will, and shorter ones go ahead only if they do not delay that (backfilling as in EASY, Lifka 1995). So the
devices stay full and no large gang starves.
"""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from dataclasses import dataclass, field, replace


@dataclass(frozen=True, slots=True, kw_only=True)
class Need:
    """What each of a gang's workers takes: CPUs, and whole GPUs or a fraction of one."""

    workers: int = 1
    cpus: float = 1.0
    gpus: float = 0.0
    device: str | None = None  # kind of GPU, if it matters


@dataclass(frozen=True, slots=True, kw_only=True)
class Job:
    """A trial as packing sees it. `seconds` is an estimate; only the order and the promises depend on it."""

    key: str
    need: Need
    seconds: float
    priority: int = 0


@dataclass(frozen=True, slots=True, kw_only=True)
class Node:
    """A machine and what it has in all."""

    name: str
    cpus: float
    gpus: int = 0
    device: str | None = None


@dataclass(frozen=True, slots=True, kw_only=True)
class Placement:
    """For each worker, the node it goes to, and the GPU of that node if it takes a fraction of one."""

    job: Job
    nodes: tuple[str, ...]
    shared: tuple[int | None, ...]


@dataclass(slots=True)
class Free:
    """What is free on a node: CPUs, and of each GPU the fraction."""

    node: Node
    cpus: float
    gpus: list[float] = field(default_factory=list)

    def take(self, need: Need) -> int | None:
        """Take one worker's share; the GPU a fraction comes from. Call `fits` first."""
        self.cpus -= need.cpus
        if need.gpus >= 1:
            whole = [index for index, free in enumerate(self.gpus) if free > 1 - 1e-9][: round(need.gpus)]
            for index in whole:
                self.gpus[index] = 0.0
            return whole[0]
        if need.gpus > 0:
            # the fullest GPU on which it fits, so that whole ones stay whole
            index = min((i for i, free in enumerate(self.gpus) if free >= need.gpus - 1e-9), key=lambda i: self.gpus[i])
            self.gpus[index] -= need.gpus
            return index
        return None

    def fits(self, need: Need) -> bool:
        if self.cpus < need.cpus - 1e-9 or (need.gpus and need.device not in (None, self.node.device)):
            return False
        if need.gpus >= 1:
            return sum(free > 1 - 1e-9 for free in self.gpus) >= round(need.gpus)
        return need.gpus == 0 or any(free >= need.gpus - 1e-9 for free in self.gpus)

    def copy(self) -> Free:
        return Free(node=self.node, cpus=self.cpus, gpus=list(self.gpus))


class Cluster:
    """Nodes and what is free on each."""

    def __init__(self, nodes: Iterable[Node]) -> None:
        self.free = {n.name: Free(node=n, cpus=n.cpus, gpus=[1.0] * n.gpus) for n in nodes}

    def place(self, job: Job) -> Placement | None:
        """Nodes for every worker, all on one node if one has room; None where there is no room now. Takes nothing."""
        for free in sorted(self.free.values(), key=lambda f: (sum(f.gpus), f.cpus, f.node.name)):
            trial = free.copy()
            if chosen := self._fill([trial], job):
                return chosen
        return self._fill([free.copy() for free in sorted(self.free.values(), key=lambda f: -sum(f.gpus))], job)

    def _fill(self, nodes: list[Free], job: Job) -> Placement | None:
        names: list[str] = []
        shared: list[int | None] = []
        for free in nodes:
            while len(names) < job.need.workers and free.fits(job.need):
                index = free.take(job.need)
                names.append(free.node.name)
                shared.append(index if 0 < job.need.gpus < 1 else None)
        if len(names) < job.need.workers:
            return None
        return Placement(job=job, nodes=tuple(names), shared=tuple(shared))

    def take(self, placement: Placement) -> None:
        """Mark a placement's resources as used."""
        for name, index in zip(placement.nodes, placement.shared, strict=True):
            free = self.free[name]
            if index is None:
                free.take(placement.job.need)
            else:
                free.cpus -= placement.job.need.cpus
                free.gpus[index] -= placement.job.need.gpus

    def give(self, placement: Placement) -> None:
        """Free them again; nodes that are gone are passed over."""
        need = placement.job.need
        for name, index in zip(placement.nodes, placement.shared, strict=True):
            free = self.free.get(name)
            if free is None:
                continue
            free.cpus += need.cpus
            if index is not None:
                free.gpus[index] += need.gpus
            elif need.gpus >= 1:
                busy = [i for i, fraction in enumerate(free.gpus) if fraction < 1e-9][: round(need.gpus)]
                for i in busy:
                    free.gpus[i] = 1.0

    def copy(self) -> Cluster:
        other = Cluster(())
        other.free = {name: free.copy() for name, free in self.free.items()}
        return other

    @property
    def empty(self) -> Cluster:
        """The same nodes with nothing on them."""
        return Cluster(free.node for free in self.free.values())


def rank(job: Job) -> tuple[int, float, int, str]:
    """Sort key of the queue: priority, then the longest, then the largest gang; the name makes the order one."""
    return (-job.priority, -job.seconds, -job.need.workers, job.key)


def next_placement(
    queue: list[Job], cluster: Cluster, running: Mapping[Placement, float], now: float
) -> Placement | None:
    """What starts now, None if nothing should.

    queue     in the order of `rank`
    running   placements and the times at which they are expected to end
    """
    if not queue:
        return None
    first = cluster.place(queue[0])
    if first is not None:
        return first
    promise = promised(queue[0], cluster, running)
    too_much = {queue[0].need}
    for job in queue[1:]:
        placement = None if job.need in too_much else cluster.place(job)
        if placement is None:
            too_much.add(job.need)
            continue
        if promise is None or now + job.seconds <= promise[0]:
            return placement
        after = promise[1].copy()
        reserved = after.place(queue[0])
        if reserved is not None:
            after.take(reserved)
            if after.place(replace(job, seconds=0)) is not None:
                return placement
    return None


def promised(job: Job, cluster: Cluster, running: Mapping[Placement, float]) -> tuple[float, Cluster] | None:
    """When a job will fit if all goes as expected, and the cluster at that time; None where it never will."""
    later = cluster.copy()
    for placement, end in sorted(running.items(), key=lambda item: item[1]):
        later.give(placement)
        if later.place(job) is not None:
            return end, later
    return None
