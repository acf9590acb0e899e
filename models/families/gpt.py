"""The decoder of the paper: learned positions, LayerNorm before each half, GELU, biases, an untied head.

Levine et al. 2020 say decoder-only, two heads a layer, a feed-forward part of 4·d and nothing about where the
norms stand; before each half is the field's standard (GPT-2) and a choice of ours.

Dimensions in names: B sequences, T positions, D width, H heads, K head width, F feed-forward width.
"""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

from models.attention import attend
from models.counterpart import Counterpart
from models.layout import Layout, Parameter, Role
from models.parametrization import Multipliers
from models.shape import Shape, ShapeError

if TYPE_CHECKING:
    from torch import Tensor


def feed_forward(width: int) -> int:
    return 4 * width


def head_width_multiple() -> int:
    return 1


def check(shape: Shape) -> None:
    if shape.kv_heads != shape.heads:
        raise ShapeError(f"family gpt has no grouped queries: kv_heads is {shape.kv_heads}, heads is {shape.heads}")
    if shape.qk_norm:
        raise ShapeError("family gpt has no qk_norm; family llama has")


def layout(shape: Shape) -> Layout:
    D, F = shape.width, shape.feed_forward

    def norm(name: str, group: str) -> tuple[Parameter, Parameter]:
        return (
            Parameter(name=name, dims=(D,), role=Role.GAIN, group=group),
            Parameter(name=f"{name}_bias", dims=(D,), role=Role.BIAS, group=group),
        )

    def linear(name: str, out: int, into: int, group: str, residual: bool = False) -> tuple[Parameter, Parameter]:
        return (
            Parameter(name=name, dims=(out, into), role=Role.MATRIX, group=group, residual=residual),
            Parameter(name=f"{name}_bias", dims=(out,), role=Role.BIAS, group="bias", residual=residual),
        )

    head = Parameter(name="weight", dims=(shape.vocabulary, D), role=Role.HEAD, group="head")
    return Layout(
        depth=shape.depth,
        stem=(
            Parameter(name="token", dims=(shape.vocabulary, D), role=Role.EMBEDDING, group="embedding"),
            Parameter(name="position", dims=(shape.context, D), role=Role.EMBEDDING, group="position"),
        ),
        block=(
            *norm("norm1", "norm"),
            *linear("qkv", 3 * D, D, "attention"),
            *linear("out", D, D, "attention", residual=True),
            *norm("norm2", "norm"),
            *linear("up", F, D, "feed_forward"),
            *linear("down", D, F, "feed_forward", residual=True),
        ),
        tail=norm("norm", "norm"),
        head=() if shape.tied else (head,),
    )


def kept(shape: Shape) -> tuple[int, int]:
    """The block's input and sum, both norms' outputs, q, k, v and the mixed values; the feed-forward part before and
    after GELU; in fp32 both norms' mean and scale."""
    return 8 * shape.width + 2 * shape.feed_forward, 4


def stem(w: Any, tokens_BT: Tensor, shape: Shape, m: Multipliers) -> Tensor:
    from torch.nn import functional as fn

    x_BTD: Tensor = fn.embedding(tokens_BT, w.token) + w.position[: tokens_BT.shape[1]]
    return x_BTD


def block(w: Any, x_BTD: Tensor, shape: Shape, m: Multipliers) -> Tensor:
    from torch.nn import functional as fn

    B, T, D = x_BTD.shape
    h_BTD = fn.layer_norm(x_BTD, (D,), w.norm1, w.norm1_bias)
    qkv_BT3HK = fn.linear(h_BTD, w.qkv, w.qkv_bias).view(B, T, 3, shape.heads, shape.head_width)
    q_BHTK, k_BHTK, v_BHTK = qkv_BT3HK.permute(2, 0, 3, 1, 4).unbind(0)
    mixed_BTD = attend(q_BHTK, k_BHTK, v_BHTK, m.attention).transpose(1, 2).reshape(B, T, D)
    x_BTD = x_BTD.add(fn.linear(mixed_BTD, w.out, w.out_bias), alpha=m.residual)

    h_BTD = fn.layer_norm(x_BTD, (D,), w.norm2, w.norm2_bias)
    up_BTF = fn.gelu(fn.linear(h_BTD, w.up, w.up_bias))
    return x_BTD.add(fn.linear(up_BTF, w.down, w.down_bias), alpha=m.residual)


def tail(w: Any, x_BTD: Tensor, shape: Shape, m: Multipliers) -> Tensor:
    from torch.nn import functional as fn

    return fn.layer_norm(x_BTD, (shape.width,), w.norm, w.norm_bias)


def export(shape: Shape) -> Counterpart:
    config = {
        "model_type": "gpt2",
        "architectures": ["GPT2LMHeadModel"],
        "vocab_size": shape.vocabulary,
        "n_positions": shape.context,
        "n_embd": shape.width,
        "n_layer": shape.depth,
        "n_head": shape.heads,
        "n_inner": shape.feed_forward,
        "activation_function": "gelu",
        "layer_norm_epsilon": 1e-5,
        "tie_word_embeddings": shape.tied,
    }
    names = {
        "stem.token": ("transformer.wte.weight", False),
        "stem.position": ("transformer.wpe.weight", False),
        "tail.norm": ("transformer.ln_f.weight", False),
        "tail.norm_bias": ("transformer.ln_f.bias", False),
    }
    if not shape.tied:
        names["head.weight"] = ("lm_head.weight", False)
    parts = {"norm1": "ln_1", "qkv": "attn.c_attn", "out": "attn.c_proj", "norm2": "ln_2", "up": "mlp.c_fc"}
    parts["down"] = "mlp.c_proj"
    for index in range(shape.depth):
        for ours, theirs in parts.items():
            place = f"transformer.h.{index}.{theirs}"
            names[f"blocks.{index}.{ours}"] = (f"{place}.weight", not ours.startswith("norm"))
            names[f"blocks.{index}.{ours}_bias"] = (f"{place}.bias", False)
    return Counterpart(config=config, names=names, queries={"qkv": shape.width, "qkv_bias": shape.width})
