"""The ways in which a trial can be run on a kind of device, each with its memory, time and work."""

from __future__ import annotations

from dataclasses import dataclass
from functools import lru_cache, partial

from models.memory import Memory, Stage, estimate
from models.shape import Shape
from orchestrator.devices import Device
from orchestrator.nodes import Need
from orchestrator.pace import START_SECONDS, step_seconds
from sweeps.spec import Cluster
from sweeps.trial import Recipe, Trial

# Part of a device's memory that is planned with: its allocator leaves gaps between what it gives. A guess.
USABLE = 0.92
# Networks that may share a device: few sizes of share, so that Ray's actors are reused between trials.
SHARES = (1, 2, 4, 8)


@dataclass(frozen=True, slots=True, kw_only=True)
class Machines:
    """All nodes of one kind: how many devices each has, and how many there are in all.

    cpus     of a node; memory in bytes of a node, None where it is not known
    """

    device: Device
    each: int
    total: int
    cpus: float
    memory: float | None = None


@dataclass(frozen=True, slots=True, kw_only=True)
class Choice:
    """One way to run a trial.

    share     trials on one device at a time
    seconds   of the whole trial
    work      device-seconds of the whole trial: what it costs
    """

    machines: Machines
    need: Need
    workers: int
    micro_batch: int
    accumulation: int
    recomputed: bool
    share: int
    memory: Memory
    seconds: float
    work: float


def choices(trial: Trial, cluster: Cluster, machines: Machines, smaller: int = 0) -> tuple[Choice, ...]:
    """Every way worth taking, the least work first; none where nothing fits or divides.

    smaller   how often the trial has run out of memory: micro-batches are halved as often
    """
    found = per_step(trial.shape, trial.recipe, cluster, machines, smaller)
    steps = trial.last - trial.first
    made = []
    for choice in found:
        seconds = START_SECONDS + steps * choice.seconds
        made.append((seconds, choice))
    return tuple(
        Choice(
            machines=c.machines,
            need=c.need,
            workers=c.workers,
            micro_batch=c.micro_batch,
            accumulation=c.accumulation,
            recomputed=c.recomputed,
            share=c.share,
            memory=c.memory,
            seconds=seconds,
            work=seconds * devices_of(c),
        )
        for seconds, c in made
    )


def devices_of(choice: Choice) -> float:
    """Devices, or parts of one, that a trial occupies."""
    if choice.machines.device.gpu is None:
        return choice.workers * choice.need.cpus
    return choice.workers / choice.share


@lru_cache(maxsize=4096)
def per_step(shape: Shape, recipe: Recipe, cluster: Cluster, machines: Machines, smaller: int) -> tuple[Choice, ...]:
    """Choices whose seconds and work are those of one step, of every size of gang and share the best."""
    found: list[Choice] = []
    for workers in gangs(recipe.batch_sequences, cluster, machines):
        shares = SHARES if workers == 1 and cluster.sharing and machines.device.gpu else (1,)
        for share in shares:
            best = min(
                fitting(shape, recipe, cluster, machines, workers, share, smaller),
                key=lambda choice: choice.seconds,
                default=None,
            )
            if best is not None:
                found.append(best)
    alone = min((choice.work for choice in found[: len(SHARES)] if choice.workers == found[0].workers), default=0.0)
    allowed = [choice for choice in found if choice.work * cluster.efficiency <= alone or choice.share > 1]
    return tuple(sorted(allowed, key=lambda choice: (choice.work, choice.seconds)))


def gangs(sequences: int, cluster: Cluster, machines: Machines) -> list[int]:
    """Sizes of gang that divide the batch: the one the spec fixes, else powers of two; on cores, one."""
    if cluster.workers is not None:
        fits = sequences % cluster.workers == 0 and cluster.workers <= most_workers(cluster, machines)
        return [cluster.workers] if fits else []
    if machines.device.gpu is None:
        return [1]
    most = min(machines.total, sequences, cluster.largest_gang or machines.total)
    sizes = [2**power for power in range(most.bit_length())]
    nodes = [machines.each * count for count in range(1, machines.total // machines.each + 1)]
    whole = [size for size in nodes if size & (size - 1) == 0 or size == machines.total]
    return sorted({size for size in [*sizes, *whole] if size <= most and sequences % size == 0})


def most_workers(cluster: Cluster, machines: Machines) -> int:
    """How many workers the machines have devices for, or CPUs where they have none."""
    return machines.total if machines.device.gpu else machines.total // cluster.cpus_per_worker


def fitting(
    shape: Shape, recipe: Recipe, cluster: Cluster, machines: Machines, workers: int, share: int, smaller: int
) -> list[Choice]:
    """For one size of gang and share: the largest micro-batch that fits, with activations kept and recomputed."""
    device = machines.device
    spans = workers > machines.each
    each = recipe.batch_sequences // workers
    sizes = [size for size in range(each, 0, -1) if each % size == 0]
    if cluster.micro_batch is not None:
        sizes = [cluster.micro_batch] if each % cluster.micro_batch == 0 else []
    cpus = cpus_of(cluster, machines, share)
    found: list[Choice] = []
    for recomputed in (False, True):
        if found and found[0].micro_batch == sizes[0]:
            break  # all fits as it is: recomputing could only cost time
        for size in sizes:
            needed = partial(
                estimate,
                shape,
                precision=recipe.precision,
                zero=recipe.zero,
                workers=workers,
                checkpoint_activations=recomputed,
                device=device.trains_on,
            )
            if needed(micro_batch=size, accumulation=each // size).total > limit(cluster, machines) / share:
                continue
            micro_batch = halved(size, each, smaller)
            seconds = step_seconds(
                shape,
                recipe,
                device,
                workers=workers,
                micro_batch=micro_batch,
                recomputed=recomputed,
                share=share,
                spans=spans,
            )
            gpus = 0.0 if device.gpu is None else 1 / share
            choice = Choice(
                machines=machines,
                need=Need(workers=workers, cpus=cpus, gpus=gpus, device=device.gpu),
                workers=workers,
                micro_batch=micro_batch,
                accumulation=each // micro_batch,
                recomputed=recomputed,
                share=share,
                memory=needed(micro_batch=micro_batch, accumulation=each // micro_batch),
                seconds=seconds,
                work=seconds * workers * (cpus if device.gpu is None else 1 / share),
            )
            found.append(choice)
            break
    return found


def halved(size: int, each: int, times: int) -> int:
    """The largest divisor of `each` that is at most `size` halved so often; 1 at least."""
    wanted = max(1, size >> times)
    return next(n for n in range(wanted, 0, -1) if each % n == 0)


def cpus_of(cluster: Cluster, machines: Machines, share: int) -> float:
    """CPUs of a worker: what the spec says on cores; beside a GPU at most its share of the node's."""
    if machines.device.gpu is None:
        return cluster.cpus_per_worker
    return min(float(cluster.cpus_per_worker), machines.cpus / machines.each / share)


def limit(cluster: Cluster, machines: Machines) -> float:
    """Bytes a worker alone on its device may use; on cores its share of the node's memory."""
    if machines.device.gpu is not None:
        return USABLE * machines.device.memory_bytes
    if machines.memory is None:
        return float("inf")
    return USABLE * machines.memory * min(1.0, cluster.cpus_per_worker / machines.cpus)


def stage_needed(trial: Trial, cluster: Cluster, machines: Machines) -> Stage | None:
    """The lowest ZeRO stage above the recipe's at which some gang could hold the trial, None where none could."""
    stages: tuple[Stage, ...] = (1, 2, 3)
    for stage in stages:
        if stage <= trial.recipe.zero:
            continue
        for workers in gangs(trial.recipe.batch_sequences, cluster, machines):
            memory = estimate(
                trial.shape,
                precision=trial.recipe.precision,
                zero=stage,
                workers=workers,
                micro_batch=1,
                accumulation=trial.recipe.batch_sequences // workers,
                checkpoint_activations=True,
                device=machines.device.trains_on,
            )
            if memory.total <= limit(cluster, machines):
                return stage
    return None
