"""What a sweep will take: each trial's shape, memory, devices, hours and price, and the totals."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any

from models.counts import flops_per_token, parameters, parameters_total
from orchestrator.assign import Assigner
from orchestrator.budget import Cost
from orchestrator.choices import Choice, devices_of
from orchestrator.nodes import Node
from sweeps.planning import Plan, Planned
from sweeps.safe_yaml import SpecError
from sweeps.spec import Cluster

GIB = 2**30


@dataclass(frozen=True, slots=True, kw_only=True)
class Stated:
    """The cluster that a plan is made for: so many nodes alike."""

    nodes: int
    gpus: int
    device: str


def stated(cluster: Cluster, simulate: str | None) -> Stated | None:
    """What `--simulate nodes=16,gpus=8,device=h100` says, over what the spec's cluster says; None: neither says any.

    Raises SpecError for a key, a number or a combination that is not one.
    """
    values: dict[str, Any] = {"nodes": cluster.nodes, "gpus": cluster.gpus, "device": cluster.device}
    for part in simulate.split(",") if simulate else []:
        key, _, value = part.strip().partition("=")
        if key not in values:
            raise SpecError(f"--simulate: there is no key {key!r}; say it as nodes=16,gpus=8,device=h100")
        if key == "device":
            values[key] = value
        elif value.isdigit() and int(value) > 0:
            values[key] = int(value)
        else:
            raise SpecError(f"--simulate: {key} is {value!r}; it is a whole number of at least 1")
    if all(value is None for value in values.values()):
        return None
    if values["device"] is None:
        raise SpecError("the cluster's kind of device is missing; say device=h100, or cluster.device in the spec")
    return Stated(nodes=values["nodes"] or 1, gpus=values["gpus"] or 1, device=values["device"])


def nodes_of(cluster: Stated, gpu: str | None, cpus_per_worker: int) -> list[Node]:
    """The nodes; `gpus` counts cores where the device is the machine's own cores. CPUs beside GPUs are never short."""
    width = len(str(cluster.nodes))
    cpus = float(cluster.gpus if gpu is None else max(8, cpus_per_worker) * cluster.gpus)
    return [
        Node(name=f"node-{index:0{width}d}", cpus=cpus, gpus=cluster.gpus if gpu else 0, device=gpu)
        for index in range(cluster.nodes)
    ]


def cost(choice: Choice) -> Cost:
    """Device-hours of a trial, and their price."""
    hours = choice.seconds * devices_of(choice) / 3600
    return Cost(hours=hours, price=hours * choice.machines.device.price_hour)


def rows(plan: Plan, assigner: Assigner) -> list[dict[str, Any]]:
    """A row a trial, in the plan's order; the keys are those of `sweep plan --json`."""
    return [row(planned, assigner.choose(planned)) for planned in plan.trials]


def row(planned: Planned, choice: Choice) -> dict[str, Any]:
    trial, memory, spent = planned.trial, choice.memory, cost(choice)
    shape = trial.shape
    return {
        "trial_id": trial.trial_id,
        "purpose": planned.purpose,
        "depth": shape.depth,
        "width": shape.width,
        "heads": shape.heads,
        "params": parameters(shape),
        "params_total": parameters_total(shape),
        "learning_rate": trial.recipe.learning_rate,
        "seed": trial.seed,
        "tokens": trial.tokens,
        "flops": float(flops_per_token(shape)) * (trial.last - trial.first) * trial.batch_tokens,
        "device": choice.machines.device.name,
        "devices": devices_of(choice),
        "workers": choice.workers,
        "micro_batch": choice.micro_batch,
        "accumulation": choice.accumulation,
        "checkpoint_activations": choice.recomputed,
        "zero": trial.recipe.zero,
        "memory_gib": memory.total / GIB,
        "memory": {
            "weights": memory.weights,
            "gradients": memory.gradients,
            "optimizer": memory.optimizer,
            "activations": memory.activations,
            "logits": memory.logits,
            "workspace": memory.workspace,
            "overhead": memory.overhead,
            "peak": memory.peak,
        },
        "hours": choice.seconds / 3600,
        "device_hours": spent.hours,
        "price": spent.price,
    }


def totals(made: Sequence[dict[str, Any]], plan: Plan, currency: str) -> dict[str, Any]:
    """Sums over the trials, and what is still to become literal."""
    return {
        "trials": len(made),
        "waiting": sum(waiting.trials for waiting in plan.waiting),
        "tokens": sum(r["tokens"] for r in made),
        "flops": sum(r["flops"] for r in made),
        "device_hours": sum(r["device_hours"] for r in made),
        "price": sum(r["price"] for r in made),
        "currency": currency,
        "provisional": plan.provisional,
    }
