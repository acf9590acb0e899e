"""Causal attention by whichever kernel is quicker on the device at hand.

Dimensions in names: B sequences, H heads, T positions, S positions attended to, K head width.
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
    from torch.nn import functional as fn

    heads, kv_heads, T = q_BHTK.shape[1], k_BHTK.shape[1], q_BHTK.shape[2]
    if q_BHTK.device.type != "cpu" or T > PLAIN_CONTEXT:
        return fn.scaled_dot_product_attention(
            q_BHTK, k_BHTK, v_BHTK, is_causal=True, scale=scale, enable_gqa=heads != kv_heads
        )
    if heads != kv_heads:
        k_BHTK, v_BHTK = (x.repeat_interleave(heads // kv_heads, dim=1) for x in (k_BHTK, v_BHTK))
    scores_BHTS = (q_BHTK * scale) @ k_BHTK.transpose(-1, -2) + causal_mask(T, q_BHTK.dtype)
    return scores_BHTS.softmax(-1) @ v_BHTK


@cache
def causal_mask(T: int, dtype: torch.dtype) -> Tensor:
    """(T, T) on the CPU: 0 on and below the diagonal, −∞ above it."""
    import torch

    return torch.full((T, T), float("-inf"), dtype=dtype).triu(1)
