"""How initial scales, learning rates and multipliers change with width and depth. No torch.

standard    what GPT-2 and most of the field do: one learning rate for every parameter of every shape.
mup         maximal update parametrisation for Adam (Yang et al. 2022, "Tensor Programs V", table 8): the best
            learning rate stays put as the width grows.
completep   CompleteP (Dey et al. 2025, "Don't be lazy", table 1, α = 1): it stays put as the depth grows too.

Both transferring rules are the standard one at the base width and depth.
"""

from dataclasses import dataclass
from math import sqrt
from typing import Literal

from models.layout import Parameter, Role
from models.shape import Shape

Rule = Literal["standard", "mup", "completep"]


@dataclass(frozen=True, slots=True, kw_only=True)
class Multipliers:
    """Constant factors of the forward pass. All 1 (and 1/√head width) under the standard rule.

    residual    on what each half of a block adds to the residual stream
    output      on the logits
    attention   on the products of queries and keys
    """

    residual: float
    output: float
    attention: float


@dataclass(frozen=True, slots=True, kw_only=True)
class Treatment:
    """How one parameter is initialised and optimised; the last three are factors on the recipe's values."""

    std: float
    learning_rate: float
    weight_decay: float
    epsilon: float


@dataclass(frozen=True, slots=True, kw_only=True)
class Parametrization:
    """A rule and the shape at which it is the standard one.

    base_head_width  where given, attention is scaled by 1/head width, and by the usual 1/√ at this one
    init_std    standard deviation of every matrix at the base width; None is 1/√fan_in (GPT-2's 0.02 is that
                of a width of 2500, and far too small for the widths of a small sweep)
    """

    rule: Rule = "standard"
    base_width: int | None = None
    base_depth: int | None = None
    base_head_width: int | None = None
    init_std: float | None = None

    def __post_init__(self) -> None:
        if self.rule != "standard" and self.base_width is None:
            raise ValueError(f"parametrization {self.rule} needs base_width, the width at which its rate was tuned")
        if self.rule == "completep" and self.base_depth is None:
            raise ValueError("parametrization completep needs base_depth, the depth at which its rate was tuned")

    def _ratios(self, shape: Shape) -> tuple[float, float]:
        """(width, depth) over the base's; 1 where the rule does not look at it."""
        wide = shape.width / self.base_width if self.rule != "standard" and self.base_width else 1.0
        deep = shape.depth / self.base_depth if self.rule == "completep" and self.base_depth else 1.0
        return wide, deep

    def multipliers(self, shape: Shape) -> Multipliers:
        """Factors of the forward pass for a shape."""
        wide, deep = self._ratios(shape)
        attention = 1 / sqrt(shape.head_width)
        if self.rule != "standard" and self.base_head_width:
            attention = sqrt(self.base_head_width) / shape.head_width
        return Multipliers(residual=1 / deep, output=1 / wide, attention=attention)

    def treatment(self, parameter: Parameter, shape: Shape) -> Treatment:
        """Initial scale, and factors on learning rate, weight decay and Adam's ε, of one parameter."""
        wide, deep = self._ratios(shape)
        decays = 1.0 if parameter.role in (Role.MATRIX, Role.HEAD, Role.EMBEDDING) else 0.0
        match parameter.role:
            case Role.MATRIX:
                std = self.init_std / sqrt(wide) if self.init_std else 1 / sqrt(parameter.fan_in)
                if parameter.residual:  # completep scales the branch itself by depth, so its start must not change
                    depth = self.base_depth if self.rule == "completep" and self.base_depth else shape.depth
                    std /= sqrt(2 * depth)
                return Treatment(std=std, learning_rate=1 / wide, weight_decay=wide * decays, epsilon=1 / (wide * deep))
            case Role.HEAD:
                fan_in = parameter.fan_in / wide
                std = self.init_std or 1 / sqrt(fan_in)
                return Treatment(std=std, learning_rate=1.0, weight_decay=decays, epsilon=1.0)
            case Role.EMBEDDING:
                return Treatment(std=self.init_std or 0.02, learning_rate=1.0, weight_decay=decays, epsilon=1.0)
            case Role.GAIN | Role.BIAS:
                return Treatment(std=0.0, learning_rate=1.0, weight_decay=0.0, epsilon=1 / deep)
