"""What the networks of a sweep have in common: the rules that turn a depth and a width into a whole shape."""

from collections.abc import Callable
from dataclasses import dataclass

from models.counts import parameters
from models.family import find
from models.shape import Scalar, Shape, ShapeError


@dataclass(frozen=True, slots=True, kw_only=True)
class Architecture:
    """A family and the choices that do not change from network to network.

    Exactly one of `heads` (so many at every width, as in Levine et al. 2020) and `head_width` (so wide a head,
    as in most later work) is given. `kv_heads` None means as many as heads; `feed_forward` is a multiple of
    the width, None means the family's own rule.
    """

    family: str
    vocabulary: int
    context: int
    heads: int | None = None
    head_width: int | None = None
    kv_heads: int | None = None
    feed_forward: float | None = None
    tied: bool = False
    qk_norm: bool = False
    options: tuple[tuple[str, Scalar], ...] = ()

    def __post_init__(self) -> None:
        if (self.heads is None) == (self.head_width is None):
            raise ShapeError("give either heads or head_width, not both and not neither")

    @property
    def width_step(self) -> int:
        """Widths of this architecture are the multiples of this."""
        multiple = find(self.family).head_width_multiple()
        return self.heads * multiple if self.heads else self.head_width or 1

    def shape(self, depth: int, width: int) -> Shape:
        """The whole shape. Raises ShapeError where the family cannot build it."""
        if self.heads is None and self.head_width and width % self.head_width:
            raise ShapeError(f"width {width} does not divide by head_width {self.head_width}")
        heads = self.heads or width // (self.head_width or 1)
        family = find(self.family)
        hidden = family.feed_forward(width) if self.feed_forward is None else round(self.feed_forward * width)
        shape = Shape(
            family=self.family,
            depth=depth,
            width=width,
            heads=heads,
            kv_heads=self.kv_heads or heads,
            feed_forward=hidden,
            vocabulary=self.vocabulary,
            context=self.context,
            tied=self.tied,
            qk_norm=self.qk_norm,
            options=self.options,
        )
        family.check(shape)
        return shape

    def sized(self, depth: int, size: float) -> Shape:
        """The shape of this depth whose N is nearest to `size`, as a ratio.

        Raises ShapeError where no width of that depth comes within a quarter of it: the steps between widths
        are as coarse as heads and layers make them, and small sizes fall between them.
        """
        step = self.width_step

        def at(multiple: int) -> int:
            return parameters(self.shape(depth, multiple * step))

        best = nearest(at, size)
        reached = at(best)
        if not 0.75 <= reached / size <= 1.25:
            raise ShapeError(
                f"no network of {depth} layers has a size near {size:.3g} parameters: widths go in steps of {step}, "
                f"and the nearest, {best * step}, has {reached:,}; ask for a larger size, fewer layers or fewer heads"
            )
        return self.shape(depth, best * step)


def nearest(size_at: Callable[[int], int], size: float) -> int:
    """The whole number of at least 1 at which the increasing `size_at` is nearest to `size`, as a ratio."""
    low, high = 1, 2
    while size_at(high) < size:
        low, high = high, high * 2
    while high - low > 1:
        middle = (low + high) // 2
        low, high = (middle, high) if size_at(middle) < size else (low, middle)
    return min((low, high), key=lambda value: max(size_at(value) / size, size / size_at(value)))
