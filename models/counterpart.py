"""A network as the Hugging Face model it corresponds to: its config, and its weights under their names.

Hugging Face's decoders have none of the multipliers of muP and CompleteP, so these are folded into weights, exactly:
what a half of a block adds is a product with a matrix (and its bias) that takes the factor; the head, or where it is
the token embedding the last norm's gain and bias, takes that of the logits; and queries, or their norm's gain, take
what attention's scale differs by from 1/√head width. No torch at import.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from math import isclose, sqrt
from typing import TYPE_CHECKING, Any

from models.family import find
from models.parametrization import Multipliers, Parametrization
from models.shape import Shape, ShapeError

if TYPE_CHECKING:
    from torch import Tensor


@dataclass(frozen=True, slots=True, kw_only=True)
class Counterpart:
    """What a family's `export` says of one shape.

    config    Hugging Face's config.json, without the ids of special tokens
    names     for each of our tensors theirs, and whether theirs is transposed
    queries   parameters of a block whose first so many rows scale the queries, and with them attention's scores
    """

    config: dict[str, Any]
    names: dict[str, tuple[str, bool]]
    queries: dict[str, int]


def counterpart(shape: Shape) -> Counterpart:
    """Raises ShapeError where the family has none."""
    family = find(shape.family)
    if not hasattr(family, "export"):
        raise ShapeError(
            f"family {shape.family} cannot be exported: it does not say which of Hugging Face's models it is; "
            f"give its module the function `export` (models/family.py)"
        )
    return family.export(shape)


def converted(shape: Shape, parametrization: Parametrization, weights: Mapping[str, Tensor]) -> dict[str, Tensor]:
    """Weights by our names as those of the counterpart, every multiplier folded in.

    Raises ShapeError where the counterpart cannot express a multiplier, KeyError for a weight that is missing.
    """
    other = counterpart(shape)
    factors = folded(shape, parametrization.multipliers(shape), other)
    theirs: dict[str, Tensor] = {}
    for ours, (name, transposed) in other.names.items():
        tensor = weights[ours].clone()
        for rows, factor in factors.get(ours, ()):
            tensor[:rows] *= factor
        theirs[name] = (tensor.t() if transposed else tensor).contiguous()
    return theirs


def folded(shape: Shape, m: Multipliers, other: Counterpart) -> dict[str, list[tuple[int, float]]]:
    """By our names: factors on a tensor's first so many rows. Raises ShapeError where there is nothing to fold into."""
    family = find(shape.family)
    layout = family.layout(shape)
    factors: dict[str, list[tuple[int, float]]] = {name: [] for name, _ in layout.named()}
    scale = m.attention * sqrt(shape.head_width)
    scaled = not isclose(scale, 1, rel_tol=1e-12)
    if scaled and not other.queries:
        raise ShapeError(
            f"family {shape.family} cannot be exported with attention scaled by {m.attention:g} in place of "
            f"1/√{shape.head_width}: its counterpart has no parameter that scales queries alone; train it without "
            f"transfer, or at the base's head width"
        )
    last = [p for p in layout.tail if p.role.is_vector]
    if m.output != 1 and shape.tied and not last:
        raise ShapeError(
            f"family {shape.family} cannot be exported with logits scaled by {m.output:g}: its head is the token "
            f"embedding and its last part has no gain to take the factor; train it with tied: false"
        )
    for name, parameter in layout.named():
        own = name.rsplit(".", 1)[1]
        rows = parameter.dims[0]
        if parameter.residual and m.residual != 1:
            factors[name].append((rows, m.residual))
        if m.output != 1 and (parameter in last if shape.tied else parameter in layout.head):
            factors[name].append((rows, m.output))
        if scaled and name.startswith("blocks.") and own in other.queries:
            factors[name].append((other.queries[own], scale))
    return factors
