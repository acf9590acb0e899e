"""Parameters by group and FLOPs per token in closed form. No torch, so that planning is quick."""

from collections import Counter

from models.family import find
from models.layout import Role
from models.shape import Shape


def parameters_by_group(shape: Shape) -> dict[str, int]:
    """Number of parameters under each heading of the family's layout; their sum is the module's real total."""
    layout = find(shape.family).layout(shape)
    groups: Counter[str] = Counter()
    for parameter in layout.stem + layout.tail + layout.head:
        groups[parameter.group] += parameter.size
    for parameter in layout.block:
        groups[parameter.group] += parameter.size * layout.depth
    return dict(groups)


def parameters_total(shape: Shape) -> int:
    """Every parameter of the network, embeddings, head, norms and biases included."""
    return sum(parameters_by_group(shape).values())


def parameters(shape: Shape) -> int:
    """N: the blocks' weight matrices alone, 12·L·d² for the paper's block (Levine et al. 2020, section 5.1)."""
    layout = find(shape.family).layout(shape)
    return layout.depth * sum(p.size for p in layout.block if p.role is Role.MATRIX)


def forward_flops_per_token(shape: Shape) -> int:
    """FLOPs of all matrix products of one forward pass, per token; a multiply-add is two.

    Two per element of every block matrix and of the head, and 4·T·d a block for the two products of
    attention (scores and mixing, over the whole context: the causal half is not subtracted, as in
    Kaplan et al. 2020 and torch's own counter). Norms, activations and embedding look-ups are left out.
    """
    attention = 4 * shape.context * shape.heads * shape.head_width * shape.depth
    return 2 * parameters(shape) + attention + 2 * shape.vocabulary * shape.width


def flops_per_token(shape: Shape) -> int:
    """FLOPs of training on one token: the backward pass costs twice the forward one."""
    return 3 * forward_flops_per_token(shape)
