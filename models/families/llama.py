"""The decoder most of the field trains now: RMSNorm, SwiGLU, rotary positions, grouped queries, no biases.

Touvron et al. 2023 ("LLaMA", section 2.2); rotary positions from Su et al. 2021, in the half-split layout of
Hugging Face's LlamaForCausalLM, so that exported weights need no permutation; QK-norm as in Qwen 3.

Dimensions in names: B sequences, T positions, D width, H heads, G key-value heads, K head width,
F feed-forward width.
"""

from __future__ import annotations

from functools import cache
from typing import TYPE_CHECKING, Any

from models.attention import attend
from models.counterpart import Counterpart
from models.layout import Layout, Parameter, Role
from models.parametrization import Multipliers
from models.shape import Shape, ShapeError

if TYPE_CHECKING:
    from torch import Tensor

ROTARY_BASE = 10_000.0
NORM_EPSILON = 1e-5


def feed_forward(width: int) -> int:
    """SwiGLU has three matrices where GELU has two, so 8·d/3 keeps the count; rounded up to a multiple of 8."""
    return -(-8 * width // 3 // 8) * 8


def head_width_multiple() -> int:
    return 2


def check(shape: Shape) -> None:
    if shape.head_width % 2:
        raise ShapeError(
            f"family llama rotates pairs of dimensions, so a head's width must be even; width {shape.width} over "
            f"{shape.heads} heads is {shape.head_width}"
        )


def layout(shape: Shape) -> Layout:
    D, F, K = shape.width, shape.feed_forward, shape.head_width

    def gain(name: str, width: int = D) -> Parameter:
        return Parameter(name=name, dims=(width,), role=Role.GAIN, group="norm")

    def matrix(name: str, out: int, into: int, group: str, residual: bool = False) -> Parameter:
        return Parameter(name=name, dims=(out, into), role=Role.MATRIX, group=group, residual=residual)

    head = Parameter(name="weight", dims=(shape.vocabulary, D), role=Role.HEAD, group="head")
    return Layout(
        depth=shape.depth,
        stem=(Parameter(name="token", dims=(shape.vocabulary, D), role=Role.EMBEDDING, group="embedding"),),
        block=(
            gain("norm1"),
            matrix("query", shape.heads * K, D, "attention"),
            matrix("key", shape.kv_heads * K, D, "attention"),
            matrix("value", shape.kv_heads * K, D, "attention"),
            *((gain("query_norm", K), gain("key_norm", K)) if shape.qk_norm else ()),
            matrix("out", D, shape.heads * K, "attention", residual=True),
            gain("norm2"),
            matrix("gate", F, D, "feed_forward"),
            matrix("up", F, D, "feed_forward"),
            matrix("down", D, F, "feed_forward", residual=True),
        ),
        tail=(gain("norm"),),
        head=() if shape.tied else (head,),
    )


def kept(shape: Shape) -> tuple[int, int]:
    """Norms keep their input in fp32, and the normed values before and after the gain; attention q, k, v (keys and
    values for every head where they are shared) and the mixed values; SwiGLU the gate before and after SiLU, the
    other factor and the product."""
    D, shared = shape.width, shape.kv_heads * shape.head_width
    normed_heads = D + shared if shape.qk_norm else 0
    return 8 * D + 4 * shape.feed_forward + normed_heads, 2 * D + 2 + normed_heads


def stem(w: Any, tokens_BT: Tensor, shape: Shape, m: Multipliers) -> Tensor:
    from torch.nn import functional as fn

    return fn.embedding(tokens_BT, w.token)


def block(w: Any, x_BTD: Tensor, shape: Shape, m: Multipliers) -> Tensor:
    from torch.nn import functional as fn

    B, T, D = x_BTD.shape
    h_BTD = fn.rms_norm(x_BTD, (D,), w.norm1, NORM_EPSILON)
    q_BTHK = fn.linear(h_BTD, w.query).view(B, T, shape.heads, shape.head_width)
    k_BTGK = fn.linear(h_BTD, w.key).view(B, T, shape.kv_heads, shape.head_width)
    v_BTGK = fn.linear(h_BTD, w.value).view(B, T, shape.kv_heads, shape.head_width)
    if shape.qk_norm:
        q_BTHK = fn.rms_norm(q_BTHK, (shape.head_width,), w.query_norm, NORM_EPSILON)
        k_BTGK = fn.rms_norm(k_BTGK, (shape.head_width,), w.key_norm, NORM_EPSILON)
    cos_TK, sin_TK = rotation(T, shape.head_width, x_BTD.dtype, x_BTD.device)
    q_BHTK, k_BGTK, v_BGTK = (x.transpose(1, 2) for x in (q_BTHK, k_BTGK, v_BTGK))
    q_BHTK, k_BGTK = rotate(q_BHTK, cos_TK, sin_TK), rotate(k_BGTK, cos_TK, sin_TK)
    mixed_BTD = attend(q_BHTK, k_BGTK, v_BGTK, m.attention).transpose(1, 2).reshape(B, T, D)
    x_BTD = x_BTD.add(fn.linear(mixed_BTD, w.out), alpha=m.residual)

    h_BTD = fn.rms_norm(x_BTD, (D,), w.norm2, NORM_EPSILON)
    gated_BTF = fn.silu(fn.linear(h_BTD, w.gate)) * fn.linear(h_BTD, w.up)
    return x_BTD.add(fn.linear(gated_BTF, w.down), alpha=m.residual)


def tail(w: Any, x_BTD: Tensor, shape: Shape, m: Multipliers) -> Tensor:
    from torch.nn import functional as fn

    return fn.rms_norm(x_BTD, (shape.width,), w.norm, NORM_EPSILON)


@cache
def rotation(T: int, K: int, dtype: Any, device: Any) -> tuple[Tensor, Tensor]:
    """Cosines and sines (T, K) of position times frequency, computed in fp32; both halves of K are alike."""
    import torch

    frequencies_k = ROTARY_BASE ** (-torch.arange(0, K, 2, dtype=torch.float32, device=device) / K)
    angles_Tk = torch.arange(T, dtype=torch.float32, device=device)[:, None] * frequencies_k
    angles_TK = torch.cat((angles_Tk, angles_Tk), dim=-1)
    return angles_TK.cos().to(dtype), angles_TK.sin().to(dtype)


def rotate(x_BHTK: Tensor, cos_TK: Tensor, sin_TK: Tensor) -> Tensor:
    """Rotate the pairs (i, i + K/2) of each head by their position's angles."""
    import torch

    first, second = x_BHTK.chunk(2, dim=-1)
    return x_BHTK * cos_TK + torch.cat((-second, first), dim=-1) * sin_TK


def export(shape: Shape) -> Counterpart:
    qwen = shape.qk_norm  # LlamaForCausalLM has no QK-norm; Qwen3ForCausalLM is the same decoder with one
    config = {
        "model_type": "qwen3" if qwen else "llama",
        "architectures": ["Qwen3ForCausalLM" if qwen else "LlamaForCausalLM"],
        "vocab_size": shape.vocabulary,
        "hidden_size": shape.width,
        "intermediate_size": shape.feed_forward,
        "num_hidden_layers": shape.depth,
        "num_attention_heads": shape.heads,
        "num_key_value_heads": shape.kv_heads,
        "head_dim": shape.head_width,
        "hidden_act": "silu",
        "max_position_embeddings": shape.context,
        "rms_norm_eps": NORM_EPSILON,
        "rope_theta": ROTARY_BASE,
        "attention_bias": False,
        "tie_word_embeddings": shape.tied,
    }
    names = {"stem.token": ("model.embed_tokens.weight", False), "tail.norm": ("model.norm.weight", False)}
    if not shape.tied:
        names["head.weight"] = ("lm_head.weight", False)
    parts = {
        "norm1": "input_layernorm",
        "query": "self_attn.q_proj",
        "key": "self_attn.k_proj",
        "value": "self_attn.v_proj",
        "out": "self_attn.o_proj",
        "norm2": "post_attention_layernorm",
        "gate": "mlp.gate_proj",
        "up": "mlp.up_proj",
        "down": "mlp.down_proj",
    }
    if shape.qk_norm:
        parts |= {"query_norm": "self_attn.q_norm", "key_norm": "self_attn.k_norm"}
    for index in range(shape.depth):
        for ours, theirs in parts.items():
            names[f"blocks.{index}.{ours}"] = (f"model.layers.{index}.{theirs}.weight", False)
    # where queries are normalised, their norm's gain is what scales them
    queries = {"query_norm": shape.head_width} if qwen else {"query": shape.heads * shape.head_width}
    return Counterpart(config=config, names=names, queries=queries)
