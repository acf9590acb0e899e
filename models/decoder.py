"""A family's layout and functions as one torch module, and its loss.

Parameters sit directly on the part whose forward uses them (stem, each block, tail), because that is the unit
in which ZeRO 3 gathers them and in which activations are checkpointed and blocks compiled.
"""

from __future__ import annotations

import hashlib
from collections.abc import Callable
from typing import Any

import torch
from torch import Tensor, nn
from torch.utils.checkpoint import checkpoint

from models.family import Family, find
from models.layout import Parameter, Role
from models.losses import cross_entropy
from models.parametrization import Multipliers, Parametrization
from models.shape import Shape


class Part(nn.Module):
    """Parameters under their layout's names, and the function that uses them."""

    def __init__(self, parameters: tuple[Parameter, ...], forward: Callable[..., Tensor], *facts: Any) -> None:
        super().__init__()
        for parameter in parameters:
            self.register_parameter(parameter.name, nn.Parameter(torch.empty(parameter.dims)))
        self._forward, self._facts = forward, facts

    def forward(self, x: Tensor) -> Tensor:
        return self._forward(self, x, *self._facts)


class Decoder(nn.Module):
    """A decoder-only language model of any family.

    `forward(tokens_BT, targets_BT)` gives the mean next-token loss in nats per token, computed in fp32;
    without targets, the logits (B, T, V).

    checkpoint_activations   recompute each block in the backward pass instead of keeping its activations:
                             the same numbers for less memory and about a third more compute
    """

    def __init__(
        self,
        shape: Shape,
        parametrization: Parametrization | None = None,
        *,
        seed: int = 0,
        checkpoint_activations: bool = False,
    ) -> None:
        super().__init__()
        self.shape = shape
        self.parametrization = parametrization or Parametrization()
        self.multipliers: Multipliers = self.parametrization.multipliers(shape)
        self.checkpoint_activations = checkpoint_activations
        family: Family = find(shape.family)
        layout = family.layout(shape)
        facts = (shape, self.multipliers)
        self.stem = Part(layout.stem, family.stem, *facts)
        self.blocks = nn.ModuleList(Part(layout.block, family.block, *facts) for _ in range(shape.depth))
        self.tail = Part(layout.tail, family.tail, *facts)
        self.head = None if shape.tied else Part(layout.head, lambda w, x_BTD: project(w.weight, x_BTD))
        self.roles: dict[str, Parameter] = dict(layout.named())
        initialise(self, seed)

    def forward(self, tokens_BT: Tensor, targets_BT: Tensor | None = None) -> Tensor:
        x_BTD: Tensor = self.stem(tokens_BT)
        for block in self.blocks:
            x_BTD = checkpoint(block, x_BTD, use_reentrant=False) if self.checkpoint_activations else block(x_BTD)
        x_BTD = self.tail(x_BTD)
        logits_BTV: Tensor = project(self.stem.token, x_BTD) if self.head is None else self.head(x_BTD)
        if self.multipliers.output != 1:
            logits_BTV = logits_BTV * self.multipliers.output
        if targets_BT is None:
            return logits_BTV
        return cross_entropy(logits_BTV, targets_BT)


def project(head_VD: Any, x_BTD: Tensor) -> Tensor:
    """Logits, (B, T, V)."""
    return nn.functional.linear(x_BTD, head_VD)


@torch.no_grad()
def initialise(decoder: Decoder, seed: int) -> None:
    """Fill every parameter from a generator of its own, keyed by seed and name.

    So a parameter's start depends on nothing else: not on the order of construction, the number of workers,
    or what other parameters a later version of a family may have.
    """
    for name, tensor in decoder.named_parameters():
        parameter = decoder.roles[name]
        match parameter.role:
            case Role.GAIN:
                tensor.fill_(1.0)
            case Role.BIAS:
                tensor.zero_()
            case Role.MATRIX | Role.HEAD | Role.EMBEDDING:
                key = hashlib.sha256(f"{seed}/{name}".encode()).digest()
                generator = torch.Generator().manual_seed(int.from_bytes(key[:8], "little") >> 1)
                treatment = decoder.parametrization.treatment(name, parameter, decoder.shape)
                tensor.normal_(0.0, treatment.std, generator=generator)
