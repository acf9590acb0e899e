"""The shape of one network: every integer that decides its parameters, and nothing about its training."""

from dataclasses import dataclass, fields

Scalar = bool | int | float | str


class ShapeError(ValueError):
    """A shape that cannot be built. The message names the field, its value and what is allowed."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Shape:
    """A decoder's dimensions, all literal. `families.find(shape.family)` knows how to build and count it.

    depth           L, number of blocks
    width           d, model dimension (of the residual stream)
    heads           attention heads a block; `width` divides by it
    kv_heads        key and value heads; `heads` divides by it (equal to `heads` without grouped queries)
    feed_forward    hidden width of a block's feed-forward part
    vocabulary      V, number of distinct tokens
    context         T, tokens a sequence
    tied            whether the output head is the token embedding
    qk_norm         whether queries and keys are normalised before the product
    options         further scalars of a family defined outside this repository, sorted by name
    """

    family: str
    depth: int
    width: int
    heads: int
    kv_heads: int
    feed_forward: int
    vocabulary: int
    context: int
    tied: bool = False
    qk_norm: bool = False
    options: tuple[tuple[str, Scalar], ...] = ()

    def __post_init__(self) -> None:
        for name in ("depth", "width", "heads", "kv_heads", "feed_forward", "vocabulary", "context"):
            value = getattr(self, name)
            if not isinstance(value, int) or isinstance(value, bool) or value < 1:
                raise ShapeError(f"{name} is {value!r}; it must be a whole number of at least 1")
        if self.width % self.heads:
            raise ShapeError(
                f"width {self.width} does not divide by heads {self.heads}; "
                f"the nearest widths that do are {neighbours(self.width, self.heads)}"
            )
        if self.heads % self.kv_heads:
            raise ShapeError(
                f"heads {self.heads} does not divide by kv_heads {self.kv_heads}; each key-value head "
                f"serves the same number of query heads, so use a divisor of {self.heads}"
            )

    @property
    def head_width(self) -> int:
        """Dimension of one head, width / heads."""
        return self.width // self.heads

    @property
    def label(self) -> str:
        """Depth × width, as people write it."""
        return f"{self.depth}×{self.width}"

    def option(self, name: str, default: Scalar) -> Scalar:
        """A scalar of a family defined elsewhere."""
        return dict(self.options).get(name, default)

    def as_dict(self) -> dict[str, object]:
        """Field by field, for identities and records; `options` becomes a plain mapping."""
        values: dict[str, object] = {f.name: getattr(self, f.name) for f in fields(self)}
        values["options"] = dict(self.options)
        return values


def neighbours(value: int, step: int) -> str:
    """The multiples of `step` just below and above `value`, for a message."""
    below = value // step * step
    return f"{below} and {below + step}" if below else f"{step}"
