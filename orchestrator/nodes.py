"""Nodes, what is free on each, and where a gang's workers fit."""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import dataclass

EPSILON = 1e-9
# In the place of a free fraction: the GPU is taken as a whole, and not share by share.
WHOLE = -1.0


@dataclass(frozen=True, slots=True, kw_only=True)
class Need:
    """What each of a gang's workers takes: CPUs, and whole GPUs or a fraction of one."""

    workers: int = 1
    cpus: float = 1.0
    gpus: float = 0.0
    device: str | None = None  # kind of GPU as the nodes name it, if it matters

    @property
    def says(self) -> str:
        """For a person: what a node, or nodes together, must have free."""
        gpus = f"{self.gpus:g} of a GPU{f' ({self.device})' if self.device else ''} and " if self.gpus else ""
        return f"{self.workers} {'worker' if self.workers == 1 else 'workers'} with {gpus}{self.cpus:g} CPUs each"


@dataclass(frozen=True, slots=True, kw_only=True)
class Job:
    """A trial as packing sees it. `seconds` is an estimate; only the order and the promises depend on it."""

    key: str
    need: Need
    seconds: float
    priority: int = 0

    @property
    def devices(self) -> float:
        """Devices it takes, or parts of one: GPUs, or cores where it takes none."""
        return self.need.workers * (self.need.gpus or self.need.cpus)


@dataclass(frozen=True, slots=True, kw_only=True)
class Node:
    """A machine and what it has in all; `memory` in bytes, None where it is not known."""

    name: str
    cpus: float
    gpus: int = 0
    device: str | None = None
    memory: float | None = None


@dataclass(frozen=True, slots=True, kw_only=True)
class Placement:
    """For each worker, the node it goes to, and the GPU of that node if it takes a fraction of one."""

    job: Job
    nodes: tuple[str, ...]
    shared: tuple[int | None, ...]


class Free:
    """What is free on a node: CPUs, and of each GPU the fraction."""

    __slots__ = ("cpus", "gpus", "node", "whole")

    def __init__(self, node: Node, cpus: float, gpus: list[float], whole: int) -> None:
        self.node, self.cpus, self.gpus, self.whole = node, cpus, gpus, whole

    def room(self, need: Need) -> int:
        """How many workers fit now."""
        if need.gpus and need.device not in (None, self.node.device):
            return 0
        by_cpus = int((self.cpus + EPSILON) / need.cpus) if need.cpus else 1_000_000
        if not need.gpus or not by_cpus:
            return by_cpus
        if need.gpus >= 1:
            return min(by_cpus, self.whole // round(need.gpus))
        return min(by_cpus, sum(int((free + EPSILON) / need.gpus) for free in self.gpus if free > 0))

    def take(self, need: Need, index: int | None = None) -> int | None:
        """Take one worker's share, of GPU `index` if it is given; the GPU a fraction comes from. There must be room."""
        self.cpus -= need.cpus
        if need.gpus >= 1:
            taken = [i for i, free in enumerate(self.gpus) if free > 1 - EPSILON][: round(need.gpus)]
            for i in taken:
                self.gpus[i] = WHOLE
            self.whole -= len(taken)
            return None
        if need.gpus > 0:
            if index is None or self.gpus[index] < need.gpus - EPSILON:
                # the fullest GPU on which it fits, so that whole ones stay whole
                fitting = (i for i, free in enumerate(self.gpus) if free >= need.gpus - EPSILON)
                index = min(fitting, key=lambda i: self.gpus[i])
            self.whole -= self.gpus[index] > 1 - EPSILON
            self.gpus[index] -= need.gpus
            return index
        return None

    def give(self, need: Need, index: int | None) -> None:
        """Free one worker's share again."""
        self.cpus += need.cpus
        if index is not None:
            self.gpus[index] += need.gpus
            self.whole += self.gpus[index] > 1 - EPSILON
        elif need.gpus >= 1:
            busy = [i for i, fraction in enumerate(self.gpus) if fraction == WHOLE][: round(need.gpus)]
            for i in busy:
                self.gpus[i] = 1.0
            self.whole += len(busy)

    def copy(self) -> Free:
        return Free(self.node, self.cpus, list(self.gpus), self.whole)


class Cluster:
    """Nodes and what is free on each."""

    def __init__(self, nodes: Iterable[Node]) -> None:
        self.free = {n.name: Free(n, n.cpus, [1.0] * n.gpus, n.gpus) for n in nodes}
        self.spanning: dict[Need, bool] = {}
        self.known: dict[Need, dict[str, int]] = {}  # rooms of needs that were asked for, kept up to date
        self.lent: set[str] = set()  # nodes whose Free a copy has too: copied before it changes

    def add(self, node: Node, running: Iterable[Placement] = ()) -> None:
        """A node has come, or come back with what still runs on it."""
        free = self.free[node.name] = Free(node, node.cpus, [1.0] * node.gpus, node.gpus)
        self.lent.discard(node.name)
        for placement in running:
            for name, index in zip(placement.nodes, placement.shared, strict=True):
                if name == node.name:
                    free.take(placement.job.need, index)
        self.forget()

    def drop(self, name: str) -> None:
        """A node has gone."""
        del self.free[name]
        self.forget()

    def forget(self) -> None:
        """The nodes are others now."""
        self.spanning = {}
        self.known = {}

    def rooms(self, need: Need) -> dict[str, int]:
        """How many workers fit on each node now: for reading, since `take` and `give` keep it up to date."""
        if need not in self.known:
            self.known[need] = {name: free.room(need) for name, free in self.free.items()}
        return self.known[need]

    def spans(self, need: Need) -> bool:
        """Whether a gang is larger than any node, empty, could hold."""
        if need.workers == 1:
            return False
        if need not in self.spanning:
            empty = (Free(f.node, f.node.cpus, [1.0] * f.node.gpus, f.node.gpus) for f in self.free.values())
            self.spanning[need] = all(free.room(need) < need.workers for free in empty)
        return self.spanning[need]

    def place(self, job: Job, beside: Cluster | None = None) -> Placement | None:
        """Nodes for every worker, None where there is no room now. Takes nothing.

        The fullest node that holds all of them, or, for a gang that no node could hold, the emptiest nodes.
        beside   what must have room for the same workers on the same nodes too
        """
        need = job.need
        if not self.spans(need):
            fitting = [self.free[name] for name, room in self.rooms(need).items() if room >= need.workers]
            if beside is not None:
                fitting = [f for f in fitting if beside.free[f.node.name].room(need) >= need.workers]
            if not fitting:
                return None
            chosen = min(fitting, key=lambda f: (f.whole, sum(f.gpus), f.cpus, f.node.name))
            return self.fill(job, [(chosen, need.workers)])
        rooms = {name: room for name, room in self.rooms(need).items() if room}
        if beside is not None:
            rooms = {name: min(room, beside.free[name].room(need)) for name, room in rooms.items()}
        if sum(rooms.values()) < need.workers:
            return None
        ordered = sorted(rooms, key=lambda name: (-rooms[name], name))
        left, parts = need.workers, []
        for name in ordered:
            parts.append((self.free[name], min(left, rooms[name])))
            left -= parts[-1][1]
            if not left:
                break
        return self.fill(job, parts)

    def fill(self, job: Job, parts: list[tuple[Free, int]]) -> Placement:
        """The placement of so many workers on each node."""
        names: list[str] = []
        shared: list[int | None] = []
        for free, workers in parts:
            trying = free.copy()
            for _ in range(workers):
                names.append(free.node.name)
                shared.append(trying.take(job.need))
        return Placement(job=job, nodes=tuple(names), shared=tuple(shared))

    def take(self, placement: Placement) -> None:
        """Mark a placement's resources as used."""
        for name, index in zip(placement.nodes, placement.shared, strict=True):
            self.own(name).take(placement.job.need, index)
        self.update(placement)

    def give(self, placement: Placement) -> None:
        """Free them again; nodes that are gone are passed over."""
        for name, index in zip(placement.nodes, placement.shared, strict=True):
            if name in self.free:
                self.own(name).give(placement.job.need, index)
        self.update(placement)

    def own(self, name: str) -> Free:
        """What is free on a node, for this cluster alone to change."""
        if name in self.lent:
            self.lent.discard(name)
            self.free[name] = self.free[name].copy()
        return self.free[name]

    def update(self, placement: Placement) -> None:
        """Bring the known rooms of a placement's nodes up to date."""
        for name in set(placement.nodes) & self.free.keys():
            free = self.free[name]
            for need, rooms in self.known.items():
                rooms[name] = free.room(need)

    def copy(self) -> Cluster:
        """The same now, and from now on its own."""
        other = Cluster(())
        other.free = dict(self.free)
        other.spanning = self.spanning
        self.lent = set(self.free)
        other.lent = set(self.free)
        return other

    @property
    def empty(self) -> Cluster:
        """The same nodes with nothing on them."""
        return Cluster(free.node for free in self.free.values())
