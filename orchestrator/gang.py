"""A trial's workers as one thing to drive: in this process, or as Ray actors in the trial's placement group.

Every worker gets every call, with the same arguments; what rank 0 answers is the answer.
"""

from __future__ import annotations

from abc import ABC, abstractmethod
from typing import Any, final

import ray
from ray.util.scheduling_strategies import PlacementGroupSchedulingStrategy

from orchestrator.accelerator import compute_on
from orchestrator.peaks import forget_peak, out_of_memory_measured
from orchestrator.ports import free_port
from orchestrator.stacks import watched
from orchestrator.work import Progress, Work


class Hung(Exception):
    """No progress within the time allowed; the workers' stacks are in their files (orchestrator.stacks)."""


class Gang(ABC):
    """Workers of one attempt. `begin` once, `advance` until it has ended, or `interrupt` or `stop`; `close` always."""

    @abstractmethod
    def begin(self) -> int: ...

    @abstractmethod
    def advance(self, steps: int, checkpoint: bool) -> Progress: ...

    @abstractmethod
    def interrupt(self, reason: str) -> Progress: ...

    @abstractmethod
    def stop(self, reason: str) -> Progress: ...

    @abstractmethod
    def nodes(self) -> list[str]:
        """Where its workers are."""

    @abstractmethod
    def close(self) -> None: ...


@final
class InProcess(Gang):
    """A gang of one, trained by the caller itself: no other process, no start-up but the first trial's imports."""

    def __init__(self, work: Work) -> None:
        compute_on(work.assigned.device)
        from orchestrator.attempt import Attempt
        from orchestrator.engine import Assignment, join

        assignment = Assignment(rank=0, **work.assigned.each())
        join(assignment, "127.0.0.1", free_port())
        forget_peak()
        self.work = work
        with out_of_memory_measured():
            self.attempt = Attempt(work, assignment)

    def begin(self) -> int:
        with watched(self.work, 0), out_of_memory_measured():
            return self.attempt.begin()

    def advance(self, steps: int, checkpoint: bool) -> Progress:
        with watched(self.work, 0), out_of_memory_measured():
            return self.attempt.advance(steps, checkpoint)

    def interrupt(self, reason: str) -> Progress:
        return self.attempt.interrupt(reason)

    def stop(self, reason: str) -> Progress:
        return self.attempt.stop(reason)

    def nodes(self) -> list[str]:
        return [ray.get_runtime_context().get_node_id()]

    def close(self) -> None:
        self.attempt.close()


@final
class Actors(Gang):
    """One Ray actor a worker, each in its bundle of the trial's placement group."""

    def __init__(self, work: Work) -> None:
        group = ray.util.get_current_placement_group()
        assigned, self.hang_seconds = work.assigned, work.hang_seconds
        offset = group.bundle_count - assigned.workers
        self.workers = [
            WorkerActor.options(
                num_cpus=assigned.cpus,
                num_gpus=assigned.gpus,
                scheduling_strategy=PlacementGroupSchedulingStrategy(group, offset + rank),
            ).remote(work, rank)
            for rank in range(assigned.workers)
        ]
        self.places: list[str] = self.all_of([worker.node.remote() for worker in self.workers])
        host, port = self.all_of([self.workers[0].address.remote()])[0]
        self.all_of([worker.join.remote(host, port) for worker in self.workers])

    def begin(self) -> int:
        step: int = self.all_of([worker.begin.remote() for worker in self.workers])[0]
        return step

    def advance(self, steps: int, checkpoint: bool) -> Progress:
        progress: Progress = self.all_of([worker.advance.remote(steps, checkpoint) for worker in self.workers])[0]
        return progress

    def interrupt(self, reason: str) -> Progress:
        progress: Progress = self.all_of([worker.interrupt.remote(reason) for worker in self.workers])[0]
        return progress

    def stop(self, reason: str) -> Progress:
        progress: Progress = self.all_of([worker.stop.remote(reason) for worker in self.workers])[0]
        return progress

    def all_of(self, calls: list[Any]) -> list[Any]:
        """Answers of all workers; the first failure is raised at once, since the others then wait for ever."""
        left = list(calls)
        while left:
            done, left = ray.wait(left, num_returns=1, timeout=self.hang_seconds)
            if not done:
                raise Hung(
                    f"{len(left)} of {len(calls)} workers made no progress for {self.hang_seconds:.0f} s; what each "
                    f"was doing is in interplay-stacks-*.txt among Ray's logs on its node"
                )
            ray.get(done)
        answers: list[Any] = ray.get(calls)
        return answers

    def nodes(self) -> list[str]:
        return [ray.get_runtime_context().get_node_id(), *self.places]

    def close(self) -> None:
        for worker in self.workers:
            ray.kill(worker)


class Worker:
    """A worker's process. A fresh one for each attempt: ZeRO 3 leaves torch patched and leaks an engine's memory."""

    def __init__(self, work: Work, rank: int) -> None:
        self.work, self.rank = work, rank

    def node(self) -> str:
        name: str = ray.get_runtime_context().get_node_id()
        return name

    def address(self) -> tuple[str, int]:
        return ray.util.get_node_ip_address(), free_port()

    def join(self, host: str, port: int) -> None:
        compute_on(self.work.assigned.device)
        from orchestrator.attempt import Attempt
        from orchestrator.engine import Assignment, join

        assignment = Assignment(rank=self.rank, **self.work.assigned.each())
        join(assignment, host, port)
        with out_of_memory_measured():
            self.attempt = Attempt(self.work, assignment)

    def begin(self) -> int:
        with watched(self.work, self.rank), out_of_memory_measured():
            return self.attempt.begin()

    def advance(self, steps: int, checkpoint: bool) -> Progress:
        with watched(self.work, self.rank), out_of_memory_measured():
            return self.attempt.advance(steps, checkpoint)

    def interrupt(self, reason: str) -> Progress:
        return self.attempt.interrupt(reason)

    def stop(self, reason: str) -> Progress:
        return self.attempt.stop(reason)


WorkerActor = ray.remote(max_restarts=0, max_task_retries=0)(Worker)
