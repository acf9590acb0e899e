"""What a family of decoders must say, and where families are found.

A family is one module in `models/families/`, or one named by an entry point of the group `interplay.families`
in any installed distribution. It describes its parameters as data and its forward pass as functions of them;
counting, building, initialising, learning rates and export are the same for all.
"""

from __future__ import annotations

import difflib
import importlib
import pkgutil
from functools import cache
from importlib.metadata import entry_points
from typing import TYPE_CHECKING, Any, Protocol, cast

import models.families
from models.layout import Layout
from models.shape import Shape, ShapeError

if TYPE_CHECKING:
    from torch import Tensor

    from models.counterpart import Counterpart
    from models.parametrization import Multipliers


class Family(Protocol):
    """The functions of a family's module. Only stem, block and tail may import torch, inside themselves.

    Dimensions in names: B sequences, T positions, D width, V vocabulary. `w` holds the part's parameters
    as attributes, under the names the layout gives them.
    """

    def feed_forward(self, width: int) -> int:
        """The hidden width this family's authors use at a width."""

    def check(self, shape: Shape) -> None:
        """Raise ShapeError where the family cannot build a shape."""

    def head_width_multiple(self) -> int:
        """What a head's dimension must divide by (2 where positions rotate pairs)."""

    def layout(self, shape: Shape) -> Layout:
        """Every parameter; dimensions of matrices are (out, in)."""

    def kept(self, shape: Shape) -> tuple[int, int]:
        """Elements a token that one block keeps for its backward pass: at the training's precision, and in fp32.

        Attention's scores are left out: whether they are kept is the kernel's affair (models/memory.py).
        """

    def stem(self, w: Any, tokens_BT: Tensor, shape: Shape, m: Multipliers) -> Tensor:
        """Token ids to the residual stream, (B, T, D)."""

    def block(self, w: Any, x_BTD: Tensor, shape: Shape, m: Multipliers) -> Tensor:
        """One block, (B, T, D) to (B, T, D)."""

    def tail(self, w: Any, x_BTD: Tensor, shape: Shape, m: Multipliers) -> Tensor:
        """The residual stream after the last norm, ready for the product with the head, (B, T, D)."""

    def export(self, shape: Shape) -> Counterpart:
        """The Hugging Face model this one is; a family without one leaves the function out and cannot be exported."""


@cache
def find(name: str) -> Family:
    """The family called `name`. Raises ShapeError, naming those there are."""
    ours = [module.name for module in pkgutil.iter_modules(models.families.__path__)]
    if name in ours:
        return cast(Family, importlib.import_module(f"models.families.{name}"))
    theirs = entry_points(group="interplay.families")
    if name in theirs.names:
        return cast(Family, theirs[name].load())
    known = sorted({*ours, *theirs.names})
    close = difflib.get_close_matches(name, known, 1)
    hint = f"; did you mean {close[0]!r}?" if close else "."
    raise ShapeError(f"there is no family {name!r}{hint} The families here are {', '.join(known)}")
