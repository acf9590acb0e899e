"""What a guideline is asked for: parameters, or FLOPs, with or without tokens; and what a training step costs."""

from dataclasses import dataclass

import numpy as np

from analysis.arrays import Array


class BudgetError(ValueError):
    """A budget that cannot be answered. The message says what to give."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Budget:
    """params (N, the blocks' matrices), or flops (of the whole training), and tokens, each or not.

    Raises BudgetError where neither params nor flops is given, both are, or one is not a positive number.
    """

    params: float | None = None
    flops: float | None = None
    tokens: float | None = None

    def __post_init__(self) -> None:
        for name in ("params", "flops", "tokens"):
            value = getattr(self, name)
            if value is not None and not (np.isfinite(value) and value > 0):
                raise BudgetError(f"{name} is {value}; it must be a positive number")
        if self.params is None and self.flops is None:
            raise BudgetError("a guideline needs a size: give --params, or --flops (with --tokens to fix the split)")
        if self.params is not None and self.flops is not None:
            raise BudgetError("give --params or --flops, not both: either fixes the size; --tokens goes with both")


@dataclass(frozen=True, slots=True, kw_only=True)
class Workload:
    """What else a training FLOP count needs: context length T and vocabulary V; 0 leaves attention or head out."""

    context: int = 0
    vocabulary: int = 0

    def flops_per_token(self, params: float | Array, depth: float | Array, width: float | Array) -> Array:
        """Forward and backward: 6N, and 12·T·d·L for attention and 6·V·d for the head where they are known."""
        attention = 12.0 * self.context * np.asarray(width, float) * np.asarray(depth, float)
        return np.asarray(
            6.0 * np.asarray(params, float) + attention + 6.0 * self.vocabulary * np.asarray(width, float)
        )

    @property
    def basis(self) -> str:
        """How FLOPs are counted, for whoever reads them."""
        parts = ["6·N a token"]
        parts += ["attention"] if self.context else []
        parts += ["the head"] if self.vocabulary else []
        left_out = [name for name, known in (("attention", self.context), ("the head", self.vocabulary)) if not known]
        return (
            " with ".join(parts[:2])
            + (" and the head" if len(parts) > 2 else "")
            + (f"; {' and '.join(left_out)} left out" if left_out else "")
        )
