"""Next-token cross-entropy in nats, in fp32 whatever the logits are in, a few rows at a time.

Computed from bf16 logits in bf16, the logged loss would be quantised to 1/64 nat near 2.8; computed from a copy of all
logits in fp32, it took two thirds of a small network's step (docs/log.md). So the forward pass goes through the logits
in chunks that stay in cache, and leaves their gradient where they stood: nobody else sees them.

Dimensions in names: N tokens, V vocabulary, R rows of a chunk.
"""

from __future__ import annotations

from typing import Any

import torch
from torch import Tensor
from torch.nn import functional as fn

from models.memory import LOSS_CHUNK


def cross_entropy(logits_BTV: Tensor, targets_BT: Tensor) -> Tensor:
    """Mean over all tokens of −log p(target), a scalar in fp32. Logits that need a gradient are overwritten by it."""
    V = logits_BTV.shape[-1]
    loss: Tensor = CrossEntropy.apply(logits_BTV.reshape(-1, V), targets_BT.reshape(-1))  # type: ignore[no-untyped-call]
    return loss


class CrossEntropy(torch.autograd.Function):
    """The loss and, in the same pass, its gradient: (p − one-hot) / N, rounded once to the logits' precision."""

    @staticmethod
    def forward(ctx: Any, logits_NV: Tensor, targets_N: Tensor) -> Tensor:
        N, V = logits_NV.shape
        rows = max(1, LOSS_CHUNK["cpu" if logits_NV.device.type == "cpu" else "cuda"] // V)
        losses_N = torch.empty(N, dtype=torch.float32, device=logits_NV.device)
        for chunk_RV, targets_R, losses_R in zip(
            *(torch.split(x, rows) for x in (logits_NV, targets_N, losses_N)), strict=True
        ):
            log_p_RV = fn.log_softmax(chunk_RV.float(), dim=-1)
            picked_R1 = targets_R[:, None]
            losses_R.copy_(log_p_RV.gather(1, picked_R1)[:, 0])
            if ctx.needs_input_grad[0]:
                p_RV = log_p_RV.exp_()
                p_RV.scatter_add_(1, picked_R1, p_RV.new_full(picked_R1.shape, -1.0))
                chunk_RV.copy_(p_RV.mul_(1 / N))
        ctx.save_for_backward(logits_NV)
        return -losses_N.mean()

    @staticmethod
    def backward(ctx: Any, slope: Tensor) -> tuple[Tensor, None]:
        (gradient_NV,) = ctx.saved_tensors
        if slope.device.type == "cpu" and slope.item() == 1:  # on a GPU looking would cost more than multiplying
            return gradient_NV, None
        return gradient_NV.mul_(slope), None
