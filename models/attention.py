"""Causal attention by whichever kernel is quicker on the device at hand.

Dimensions in names: B sequences, H heads, N = B·H, T positions, S positions attended to, K head width.
"""

from __future__ import annotations

from functools import cache
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    import torch
    from torch import Tensor

# Measured on two x86 processors (docs/log.md): up to this context the plain products beat torch's fused CPU
# kernel, whose start-up cost a head outweighs what it saves in memory traffic.
PLAIN_CONTEXT = 512


def attend(q_BHTK: Tensor, k_BHTK: Tensor, v_BHTK: Tensor, scale: float) -> Tensor:
    """Causal softmax(q·kᵀ·scale)·v, (B, H, T, K). Keys and values may have fewer heads, a divisor of H."""
    import torch
    from torch.nn import functional as fn

    B, H, T, K = q_BHTK.shape
    kv_heads = k_BHTK.shape[1]
    if q_BHTK.device.type != "cpu" or T > PLAIN_CONTEXT:
        return fn.scaled_dot_product_attention(
            q_BHTK, k_BHTK, v_BHTK, is_causal=True, scale=scale, enable_gqa=kv_heads != H
        )
    if kv_heads != H:
        k_BHTK, v_BHTK = (x.repeat_interleave(H // kv_heads, dim=1) for x in (k_BHTK, v_BHTK))
    q_NTK, k_NTK, v_NTK = (x.reshape(B * H, T, K) for x in (q_BHTK, k_BHTK, v_BHTK))
    scores_NTS = torch.baddbmm(causal_mask(T, q_NTK.dtype), q_NTK, k_NTK.transpose(1, 2), alpha=scale)
    return (scores_NTS.softmax(-1) @ v_NTK).view(B, H, T, K)


@cache
def causal_mask(T: int, dtype: torch.dtype) -> Tensor:
    """(T, T) on the CPU: 0 on and below the diagonal, −∞ above it."""
    import torch

    return torch.full((T, T), float("-inf"), dtype=dtype).triu(1)
