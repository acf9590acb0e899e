"""Shapes that hardware likes: whole layers, widths in steps, near a law's best shape."""

from dataclasses import dataclass
from math import lcm

import numpy as np

from analysis.arrays import Array
from analysis.source import Source

# Sizes off the asked-for N by more than the first of these are looked at only where none is nearer.
SIZE_STEPS = (0.02, 0.05, 0.1, 0.2, 0.5, 1.0)
DEPTH_REACH = 2.0  # depths within this factor of the best are looked at


@dataclass(frozen=True, slots=True, kw_only=True)
class Hardware:
    """What a width must divide by.

    multiple_of       None means 128 from a width of 1024 on and 16 below, which tensor cores like
    head_dim          dimension of a head: the width is a whole number of heads
    tensor_parallel   devices that split the heads among them
    """

    multiple_of: int | None = None
    head_dim: int = 1
    tensor_parallel: int = 1

    def __post_init__(self) -> None:
        for name in ("multiple_of", "head_dim", "tensor_parallel"):
            value = getattr(self, name)
            if value is not None and (not isinstance(value, int) or value < 1):
                raise ValueError(f"{name} is {value!r}; it must be a whole number of at least 1")

    def step(self, width: float) -> int:
        """Widths near `width` are multiples of this."""
        multiple = self.multiple_of or (128 if width >= 1024 else 16)
        return lcm(multiple, self.head_dim * self.tensor_parallel)


@dataclass(frozen=True, slots=True, kw_only=True)
class PracticalShape:
    """Whole layers and a width in steps; what it costs above the best shape of its own size, nats."""

    depth: int
    width: int
    params: float
    penalty_nats: float


def practical_shape(source: Source, params: float, hardware: Hardware) -> PracticalShape:
    """The shape within 2 % of N (or of the nearest size that the steps allow) that costs least in depth."""
    best = float(source.depth(params))
    step = hardware.step(float(source.width(params, best)))
    depths = np.unique(np.arange(max(1, np.floor(best / DEPTH_REACH)), np.ceil(best * DEPTH_REACH) + 1))
    ideal = source.width(params, depths) / step
    widths = np.stack([np.maximum(np.floor(ideal), 1), np.ceil(ideal)], -1) * step
    grid = np.broadcast_to(depths[:, None], widths.shape).ravel()
    sizes = source.block_coefficient * grid * widths.ravel() ** 2
    off = np.abs(np.log(sizes / params))
    reach = next((limit for limit in SIZE_STEPS if (off <= limit).any()), float(off.min()))
    near = np.flatnonzero(off <= reach)
    penalties = np.array([_penalty(source, sizes[i], grid[i]) for i in near])
    chosen = near[np.lexsort((off[near], np.round(penalties, 6)))[0]]
    return PracticalShape(
        depth=int(grid[chosen]),
        width=int(widths.ravel()[chosen]),
        params=float(sizes[chosen]),
        penalty_nats=float(_penalty(source, sizes[chosen], grid[chosen])),
    )


def _penalty(source: Source, params: float, depth: float) -> Array:
    return source.penalty(float(params), float(depth))[0]
