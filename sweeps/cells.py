"""A spec's grids to the shapes they ask for."""

from collections.abc import Iterable

from models.architecture import Architecture
from models.counts import parameters
from models.shape import Shape, ShapeError
from sweeps import spec as asked
from sweeps.safe_yaml import SpecError


def architecture_of(spec: asked.Spec) -> Architecture:
    """What the networks of a spec have in common. Raises SpecError where the family does not know a choice."""
    model = spec.model
    vocabulary = 256 if model.tokenizer == "bytes" else model.vocabulary
    if vocabulary is None:
        raise SpecError(f"{spec.name}: model.vocabulary is missing; tokenizer {model.tokenizer} needs it")
    return Architecture(
        family=model.family,
        vocabulary=vocabulary,
        context=model.context,
        heads=model.heads,
        head_width=model.head_width,
        kv_heads=model.kv_heads,
        feed_forward=model.feed_forward,
        tied=model.tied,
        qk_norm=model.qk_norm,
        options=tuple(sorted(model.options.items())),
    )


def shapes_of(grid: asked.Grid, architecture: Architecture, place: str) -> tuple[list[Shape], list[str]]:
    """The shapes of one grid, each once, and notes on sizes that some of its depths cannot have.

    Raises SpecError, beginning with `place`, for a shape that cannot be built and a size that no depth reaches.
    """
    shapes: dict[Shape, None] = {}
    notes: list[str] = []
    try:
        for depth, width in [*(grid.shapes or ()), *pairs(grid.widths, grid.depths)]:
            shapes[architecture.shape(depth, int(width))] = None
    except ShapeError as error:
        raise SpecError(f"{place}: {error}") from error
    refused: dict[float, ShapeError] = {}
    reached: set[float] = set()
    for depth, size in pairs(grid.sizes, grid.depths):
        try:
            shapes[architecture.sized(depth, size)] = None
            reached.add(size)
        except ShapeError as error:
            refused[size] = error
            notes.append(f"{place}: depth {depth} has no width for {size:.3g} parameters; left out")
    for size in refused.keys() - reached:
        raise SpecError(f"{place}.sizes: {refused[size]}")
    low, high = grid.smallest or 0, grid.largest or float("inf")
    return [shape for shape in shapes if low <= parameters(shape) <= high], notes


def pairs(
    values: asked.ByDepth[float] | asked.ByDepth[int] | None, depths: list[int] | None
) -> Iterable[tuple[int, float]]:
    """(depth, value) for a list that holds for all depths, or a mapping by depth."""
    if isinstance(values, dict):
        return [(depth, value) for depth, many in values.items() for value in many]
    return [(depth, value) for depth in depths or [] for value in values or []]
