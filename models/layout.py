"""A family's parameters as data: name, dimensions, part in the network. No torch.

One table serves everything that must agree about parameters: counting them, building the module,
initialising them, giving each its learning rate, and exporting them.
"""

from collections.abc import Iterator
from dataclasses import dataclass
from enum import Enum
from math import prod


class Role(Enum):
    """What a parameter does, as far as its initialisation, learning rate and weight decay depend on it."""

    EMBEDDING = "embedding"  # a table row a token or a position: input dimension does not grow with width
    MATRIX = "matrix"  # width in, width out: N counts these and these alone
    HEAD = "head"  # width in, vocabulary out
    GAIN = "gain"  # a norm's scale, one at the start
    BIAS = "bias"  # added, zero at the start

    @property
    def is_vector(self) -> bool:
        """Whether it acts on each dimension alone."""
        return self in (Role.GAIN, Role.BIAS)


@dataclass(frozen=True, slots=True, kw_only=True)
class Parameter:
    """One tensor. Matrices are stored (out, in), as torch.nn.functional.linear takes them.

    group      the heading under which it is counted ("attention", "feed_forward", "embedding", …)
    residual   whether its product, or a bias itself, is added to the residual stream (a matrix's initial scale then
               falls with depth)
    """

    name: str
    dims: tuple[int, ...]
    role: Role
    group: str
    residual: bool = False

    @property
    def size(self) -> int:
        return prod(self.dims)

    @property
    def fan_in(self) -> int:
        """Dimension summed over when it is applied; 1 for tables and vectors."""
        return self.dims[1] if self.role in (Role.MATRIX, Role.HEAD) else 1


@dataclass(frozen=True, slots=True, kw_only=True)
class Layout:
    """The parameters of a decoder: before the blocks, in each of its `depth` blocks, after them, and the output
    head, empty where the token embedding (`stem.token`) serves as one."""

    depth: int
    stem: tuple[Parameter, ...]
    block: tuple[Parameter, ...]
    tail: tuple[Parameter, ...]
    head: tuple[Parameter, ...]

    def named(self) -> Iterator[tuple[str, Parameter]]:
        """Every tensor with the name it has in the module's state: "stem.token", "blocks.3.qkv"."""
        for parameter in self.stem:
            yield f"stem.{parameter.name}", parameter
        for index in range(self.depth):
            for parameter in self.block:
                yield f"blocks.{index}.{parameter.name}", parameter
        for parameter in self.tail:
            yield f"tail.{parameter.name}", parameter
        for parameter in self.head:
            yield f"head.{parameter.name}", parameter


def in_block(name: str) -> bool:
    """Whether a parameter of this name belongs to a block."""
    return name.startswith("blocks.")
