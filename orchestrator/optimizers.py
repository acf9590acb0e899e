"""The optimizer of a recipe: its parameter groups, and its state as before the first step.

AdamW is torch's own, fused. Muon is DeepSpeed's for the matrices of blocks, with the same AdamW for the rest; its
Newton–Schulz iteration runs in bf16 everywhere ("standard"), because "gram" runs in whatever the device offers, and
eagerly, because DeepSpeed would compile it in every process for every shape of a matrix.
"""

from __future__ import annotations

import inspect
from collections import defaultdict
from typing import Any

import torch
from torch import Tensor

from models.decoder import Decoder
from models.layout import Role
from sweeps.trial import Trial

ADAM_MOMENTS = ("exp_avg", "exp_avg_sq")
MUON_MOMENTS = ("momentum_buffer",)


def optimizer_of(decoder: Decoder, trial: Trial) -> torch.optim.Optimizer:
    """At rate 0; orchestrator.engine sets the rate before each step."""
    recipe = trial.recipe
    groups = parameter_groups(decoder, trial)
    adam: dict[str, Any] = {"lr": 0.0, "betas": recipe.optimizer.betas, "fused": True}
    if recipe.optimizer.name == "adamw":
        return torch.optim.AdamW(groups, **adam)
    muon = eager_muon()
    optimizer: torch.optim.Optimizer = muon.MuonWithAuxAdam(
        groups, adam_optimizer=torch.optim.AdamW, adam_optimizer_kwargs=adam
    )
    return optimizer


def eager_muon() -> Any:
    """DeepSpeed's module with Muon, its functions as they were before torch.compile."""
    from deepspeed.runtime.zero.muon import muon_optimizer, original_muon

    for name in ("zeropower_via_newtonschulz5", "zeropower_via_gram_newtonschulz", "muon_update"):
        setattr(original_muon, name, inspect.unwrap(getattr(original_muon, name)))
    muon_optimizer.muon_update = original_muon.muon_update
    return muon_optimizer


def parameter_groups(decoder: Decoder, trial: Trial) -> list[dict[str, Any]]:
    """Parameters that are treated alike, each group with the factor on the scheduled rate it keeps (`factor`)."""
    optimizer, rule = trial.recipe.optimizer, trial.recipe.parametrization
    alike: dict[tuple[bool, float, float, float], list[torch.nn.Parameter]] = defaultdict(list)
    for name, tensor in decoder.named_parameters():
        role = decoder.roles[name]
        t = rule.treatment(name, role, trial.shape, optimizer.name)
        muon = optimizer.name == "muon" and role.role is Role.MATRIX
        if optimizer.name == "muon":
            tensor.use_muon = muon  # type: ignore[attr-defined]  # DeepSpeed looks for it at every stage
        rate = t.learning_rate * (1.0 if muon else optimizer.adam_rate or 1.0)
        alike[muon, rate, t.weight_decay, t.epsilon].append(tensor)
    groups: list[dict[str, Any]] = []
    for (muon, rate, decay, epsilon), tensors in alike.items():
        group = {"params": tensors, "lr": 0.0, "factor": rate, "weight_decay": optimizer.weight_decay * decay}
        if muon:
            group |= {"use_muon": True, "momentum": optimizer.momentum, "ns_method": "standard"}
        else:
            group |= {"betas": optimizer.betas, "eps": optimizer.epsilon * epsilon}
            group |= {"use_muon": False} if optimizer.name == "muon" else {}
        groups.append(group)
    return groups


def moments_of(parameter: Any) -> tuple[str, ...]:
    """Names of what the optimizer remembers of a parameter."""
    return MUON_MOMENTS if getattr(parameter, "use_muon", False) else ADAM_MOMENTS


def make_optimizer_state(engine: Any) -> None:
    """The state as before the first step, for every parameter group at every stage.

    DeepSpeed 0.19 makes Adam's late or early by a step of its own, as the stage may be, and at stages 1 and 2 links
    parameters to the state of the first group only; so it is made here, and linked when it is complete. Muon's
    momentum it makes itself at stage 3.
    """
    stage, wrapped, optimizer = engine.zero_optimization_stage(), engine.optimizer, engine.basic_optimizer
    if stage == 3:
        muon = (
            wrapped.sub_groups_using_muon if wrapped.use_muon else [False] * len(wrapped.fp32_partitioned_groups_flat)
        )
        for master, makes_its_own in zip(wrapped.fp32_partitioned_groups_flat, muon, strict=True):
            if not makes_its_own:
                optimizer.state[master] = adam_state(master)
        return
    for index, group in enumerate(optimizer.param_groups):
        for master in group["params"]:
            if not group.get("use_muon"):
                optimizer.state[master] = adam_state(master)
            elif stage == 0:
                optimizer.state[master] = {"momentum_buffer": torch.zeros_like(master)}
            else:
                size = sum(parameter.numel() for parameter in wrapped.params_in_partition[index])
                optimizer.state[master] = {
                    "momentum_buffer": torch.zeros(size, dtype=torch.float32, device=master.device)
                }
    if stage in (1, 2):
        wrapped._lazy_init_hp_params_optimizer_state()


def adam_state(master: Tensor) -> dict[str, Tensor]:
    return {
        "step": torch.zeros((), dtype=torch.float32, device=master.device),
        "exp_avg": torch.zeros_like(master),
        "exp_avg_sq": torch.zeros_like(master),
    }


def muon_momentum(engine: Any, parameter: Any) -> Tensor | None:
    """At stages 1 and 2: the momentum of a whole matrix, a view of this worker's state; None where it has none.

    There a worker keeps the momentum of every matrix of which a part is in its partition, so that a matrix on the
    border between two workers has it twice, the same in both.
    """
    wrapped, optimizer = engine.optimizer, engine.basic_optimizer
    for index, parameters in enumerate(wrapped.params_in_partition):
        start = 0
        for other in parameters:
            if other is parameter:
                flat: Tensor = optimizer.state[optimizer.param_groups[index]["params"][0]]["momentum_buffer"]
                return flat.narrow(0, start, parameter.numel()).view(parameter.shape)
            start += other.numel()
    return None
