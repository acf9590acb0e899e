"""The whole state of a training by parameter name, in fp32 on the CPU: free of worker count and ZeRO stage.

For each parameter its master weight and what the optimizer remembers of it: "weight/<name>", and Adam's
"exp_avg/<name>" and "exp_avg_sq/<name>" or Muon's "momentum_buffer/<name>". Reading and restoring are collective:
every worker of the gang takes part.
"""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from typing import Any

import deepspeed
import torch
import torch.distributed as dist
from deepspeed.utils import (
    safe_get_full_fp32_param,
    safe_get_full_optimizer_state,
    safe_get_local_fp32_param,
    safe_get_local_optimizer_state,
    safe_set_full_fp32_param,
    safe_set_full_optimizer_state,
    safe_set_local_fp32_param,
    safe_set_local_optimizer_state,
)
from torch import Tensor

from orchestrator.optimizers import moments_of, muon_momentum


def read(engine: Any, *, moments: bool) -> Iterator[tuple[str, Tensor]]:
    """Every tensor with its name, one at a time; without `moments` the weights alone."""
    masters = None if engine.zero_optimization() else own_masters(engine)
    for name, parameter in engine.module.named_parameters():
        for key in ("weight", *moments_of(parameter)) if moments else ("weight",):
            if key == "momentum_buffer" and engine.zero_optimization_stage() in (1, 2):
                full = shared_momentum(engine, parameter)
            elif masters is not None:
                master = masters[parameter]
                full = master if key == "weight" else engine.basic_optimizer.state[master][key]
            elif key == "weight":
                full = safe_get_full_fp32_param(parameter)
            else:
                full = safe_get_full_optimizer_state(parameter, key)
            yield f"{key}/{name}", full.detach().float().cpu().clone()


@torch.no_grad()
def restore(engine: Any, state: Mapping[str, Tensor], *, steps: int) -> None:
    """Put a state that `read` gave into a fresh engine, and the optimizer's count to `steps`.

    Raises KeyError for a tensor that the state lacks and RuntimeError for one of other dimensions.
    """
    stage = engine.zero_optimization_stage()
    masters = own_masters(engine) if stage == 0 else {}
    for name, parameter in engine.module.named_parameters():
        for key in ("weight", *moments_of(parameter)):
            value = state[f"{key}/{name}"].to(parameter.device)
            match stage:
                case 0:
                    master = masters[parameter]
                    (master if key == "weight" else engine.basic_optimizer.state[master][key]).copy_(value)
                case 3:
                    set_partition(parameter, key, value)
                case _ if key == "momentum_buffer":
                    mine = muon_momentum(engine, parameter)
                    if mine is not None:
                        mine.copy_(value)
                case _ if key == "weight":
                    safe_set_full_fp32_param(parameter, value)
                case _:
                    safe_set_full_optimizer_state(parameter, value, key)
        # without this the first forward pass would use the weights the engine was built with
        with deepspeed.zero.GatheredParameters([parameter], modifier_rank=0, enabled=stage == 3):
            parameter.data.copy_(state[f"weight/{name}"])
    for kept in engine.basic_optimizer.state.values():
        if "step" in kept:
            kept["step"].fill_(float(steps))


def shared_momentum(engine: Any, parameter: Any) -> Tensor:
    """At stages 1 and 2: Muon's momentum of one matrix, from the first worker that has it."""
    mine = muon_momentum(engine, parameter)
    workers = dist.get_world_size()
    owner = torch.tensor([dist.get_rank() if mine is not None else workers], device=parameter.device)
    dist.all_reduce(owner, op=dist.ReduceOp.MIN)
    full = torch.empty(parameter.shape, device=parameter.device) if mine is None else mine.float().clone()
    dist.broadcast(full, int(owner))
    return full


def set_partition(parameter: Any, key: str, value: Tensor) -> None:
    """At stage 3: this worker's equal share of a flattened tensor, the last one padded with zeros."""
    weight = key == "weight"
    mine = safe_get_local_fp32_param(parameter) if weight else safe_get_local_optimizer_state(parameter, key)
    flat = torch.nn.functional.pad(value.flatten(), (0, mine.numel() * dist.get_world_size() - value.numel()))
    share = flat.narrow(0, mine.numel() * dist.get_rank(), mine.numel())
    if weight:
        safe_set_local_fp32_param(parameter, share)
    else:
        safe_set_local_optimizer_state(parameter, share, key)


def own_masters(engine: Any) -> dict[torch.nn.Parameter, Tensor]:
    """At stage 0: each parameter's fp32 master, which in fp32 is itself."""
    wrapped = engine.optimizer
    if wrapped is engine.basic_optimizer:
        return {parameter: parameter for parameter in engine.module.parameters()}
    pairs = zip(wrapped.fp16_groups, wrapped.fp32_groups, strict=True)
    return {low: high for lows, highs in pairs for low, high in zip(lows, highs, strict=True)}
