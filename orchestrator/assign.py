"""How each trial is run on the devices at hand: gang or share, micro-batch, what to reserve, how long it may take.

With the whole sweep in view: a larger gang ends sooner and wastes more, so each trial gets the way of least work
among those that end within a horizon, the shortest time in which the sweep's whole work so chosen could be done.
"""

from __future__ import annotations

from collections.abc import Callable, Collection, Iterable, Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path

from orchestrator.choices import Choice, Machines, choices, limit, most_workers, stage_needed
from orchestrator.devices import CPU, SHIPPED, Devices, load_devices
from orchestrator.failures import ClusterError
from orchestrator.nodes import Job, Node
from orchestrator.work import Assigned
from sweeps.planning import Planned
from sweeps.safe_yaml import SpecError
from sweeps.spec import Spec
from sweeps.trial import Trial

GIB = 2**30


@dataclass(frozen=True, slots=True, kw_only=True)
class Assigner:
    """Called for a trial and how often it has run out of memory, gives what it needs and how it is run.

    horizon   seconds within which each trial should end, where a gang can do it
    picked    by trial, for those that were planned together; a trial planned later goes by the horizon
    """

    spec: Spec
    machines: tuple[Machines, ...]
    horizon: float
    picked: Mapping[str, Choice]

    def __call__(self, planned: Planned, smaller: int = 0) -> tuple[Job, Assigned]:
        choice = self.choose(planned, smaller)
        device = choice.machines.device
        assigned = Assigned(
            workers=choice.workers,
            micro_batch=choice.micro_batch,
            threads=self.spec.cluster.cpus_per_worker,
            cpus=choice.need.cpus,
            gpus=choice.need.gpus,
            device=device.trains_on,
            checkpoint_activations=choice.recomputed,
            kind=device.name,
            memory_bytes=choice.memory.total,
        )
        job = Job(key=planned.trial.trial_id, need=choice.need, seconds=choice.seconds, priority=planned.priority)
        return job, assigned

    def choose(self, planned: Planned, smaller: int = 0) -> Choice:
        """The way picked for it, with smaller micro-batches where it ran out of memory. Raises SpecError."""
        trial = planned.trial
        picked = self.picked.get(trial.trial_id)
        if picked is None:
            return within(ways(self.spec, trial, self.machines, smaller), self.horizon)
        if not smaller:
            return picked
        again = ways(self.spec, trial, (picked.machines,), smaller)
        return next((c for c in again if (c.workers, c.share) == (picked.workers, picked.share)), again[0])


def assigner(spec: Spec, planned: Sequence[Planned], machines: Sequence[Machines]) -> Assigner:
    """An assigner for the trials of a plan. Raises SpecError for one that can never fit, or divide."""
    found = options(spec, planned, machines)
    end = horizon(found.values(), sum(m.total for m in machines))
    picked = {key: within(each, end) for key, each in found.items()}
    return Assigner(spec=spec, machines=tuple(machines), horizon=end, picked=picked)


def options(spec: Spec, planned: Sequence[Planned], machines: Sequence[Machines]) -> dict[str, tuple[Choice, ...]]:
    """By trial, every way to run it on the kind of machine that is its own. Raises SpecError where there is none."""
    found = {p.trial.trial_id: ways(spec, p.trial, machines) for p in planned}
    if len(machines) == 1:
        return found
    kinds = shared_out(found.items(), machines)
    return {key: tuple(c for c in each if c.machines == kinds[key]) for key, each in found.items()}


def ways(spec: Spec, trial: Trial, machines: Sequence[Machines], smaller: int = 0) -> tuple[Choice, ...]:
    """Every way to run a trial, the least work first. Raises SpecError, saying why, where there is none."""
    found = [choice for kind in machines for choice in choices(trial, spec.cluster, kind, smaller)]
    if not found:
        raise SpecError(refusal(spec, trial, machines))
    return tuple(sorted(found, key=lambda choice: (choice.work, choice.seconds)))


def within(found: Sequence[Choice], horizon: float) -> Choice:
    """The first, of least work, that ends in time; the quickest where none does."""
    return next((c for c in found if c.seconds <= horizon), min(found, key=lambda c: (c.seconds, c.work)))


def horizon(found: Collection[Sequence[Choice]], devices: int) -> float:
    """The shortest time T such that the work of all trials, each ending within T if it can, fits on the devices.

    Found by halving between the longest trial at its quickest and all trials one after the other.
    """
    if not found:
        return float("inf")
    low = max(min(c.seconds for c in each) for each in found)
    high = max(low, sum(each[0].work for each in found) / devices, max(each[0].seconds for each in found))

    def fits(end: float) -> bool:
        return sum(within(each, end).work for each in found) <= end * devices

    if fits(low):
        return low
    while high - low > 1e-3 * high:
        middle = (low + high) / 2
        low, high = (low, middle) if fits(middle) else (middle, high)
    return high


def shared_out(found: Iterable[tuple[str, Sequence[Choice]]], machines: Sequence[Machines]) -> dict[str, Machines]:
    """A kind of machine for each trial: the longest first, each where it would end soonest after what is there."""
    load = dict.fromkeys(machines, 0.0)
    kinds: dict[str, Machines] = {}
    for key, each in sorted(found, key=lambda item: -item[1][0].work):
        least = {m: min((c.work for c in each if c.machines == m), default=None) for m in machines}
        there = {m: (load[m] + work) / m.total for m, work in least.items() if work is not None}
        kind = min(there, key=lambda m: there[m])
        load[kind] += least[kind] or 0.0
        kinds[key] = kind
    return kinds


def machines_of(nodes: Iterable[Node], devices: Devices) -> list[Machines]:
    """The kinds of machine among a cluster's nodes; its cores count only where no node has a GPU.

    Raises SpecError for a kind of GPU that the file of devices does not know, ClusterError where there is no node: one
    that has died between joining and being asked is nobody's fault, and the run may be tried again.
    """
    nodes = list(nodes)
    if not nodes:
        raise ClusterError("the cluster has no living node that may take work")
    with_gpus = [node for node in nodes if node.gpus]
    made = []
    for kind in sorted({node.device or "" for node in with_gpus}):
        if not kind:
            raise SpecError(
                "the cluster has GPUs and does not say of what kind (no accelerator_type in `ray status`); start its "
                "nodes with `ray start --resources='{\"accelerator_type:H100\": 1}'`"
            )
        same = [node for node in with_gpus if (node.device or "") == kind]
        made.append(
            Machines(
                device=devices.named(kind),
                each=max(node.gpus for node in same),
                total=sum(node.gpus for node in same),
                cpus=min(node.cpus for node in same),
            )
        )
    if made:
        return made
    known = [node.memory for node in nodes]
    memory = None if None in known else min((m for m in known if m is not None), default=None)
    cpus = [int(node.cpus) for node in nodes if node.cpus >= 1]
    if not cpus:
        raise SpecError("the cluster has neither a GPU nor a whole CPU")
    return [Machines(device=devices.named(CPU), each=max(cpus), total=sum(cpus), cpus=max(cpus), memory=memory)]


def devices_for(spec: Spec) -> Devices:
    """The file of devices that a spec names, or the one shipped."""
    return load_devices(Path(spec.cluster.devices)) if spec.cluster.devices else load_devices(SHIPPED)


def refusal(spec: Spec, trial: Trial, machines: Sequence[Machines]) -> str:
    """Why nothing fits, and what would."""
    wanted, sequences = spec.cluster, trial.recipe.batch_sequences
    workers, micro_batch = wanted.workers or 1, wanted.micro_batch or 1
    most = max(most_workers(wanted, m) for m in machines)
    if workers > most:
        there = ", ".join(f"{m.total} {m.device.name}" for m in machines)
        return (
            f"{spec.name}: cluster.workers is {workers}, and the cluster can have {most} at a time ({there}"
            f"{'' if machines[0].device.gpu else f', {wanted.cpus_per_worker} a worker'}); use fewer, or bring more"
        )
    if sequences % (workers * micro_batch):
        return (
            f"{spec.name}: a batch of {sequences} sequences (training.batch_tokens / model.context) does not divide "
            f"among cluster.workers {workers} with micro-batches of {micro_batch}; use a divisor of {sequences}"
        )
    kinds = ", ".join(f"{m.total} {m.device.name} of {limit(wanted, m) / GIB:.3g} GiB" for m in machines)
    stages = [stage for m in machines if (stage := stage_needed(trial, wanted, m)) is not None]
    cure = (
        f"training.zero: {min(stages)} would fit (it is {trial.recipe.zero})"
        if stages
        else "no ZeRO stage would fit: use more or larger devices, or leave the shape out with grid.largest"
    )
    return f"{spec.name}: trial {trial.trial_id}, {trial.shape.label}, does not fit on {kinds} (usable): {cure}"


Assign = Callable[[Planned, int], tuple[Job, Assigned]]


def assign(spec: Spec, planned: Planned, smaller: int = 0, *, nodes: Iterable[Node] = ()) -> tuple[Job, Assigned]:
    """One trial by itself on a cluster's nodes (this machine's cores if none are given), as quick as they allow.

    smaller   how often it has run out of memory. Raises SpecError where it can never fit, or divide.
    """
    there = list(nodes) or [Node(name="local", cpus=float(spec.cluster.cpus_per_worker * (spec.cluster.workers or 1)))]
    return assigner(spec, [planned], machines_of(there, devices_for(spec)))(planned, smaller)
