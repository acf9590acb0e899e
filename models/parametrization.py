"""How initial scales, learning rates and multipliers change with width and depth. No torch.

standard    what GPT-2 and most of the field do: one learning rate for every parameter of every shape.
mup         maximal update parametrisation for Adam (Yang et al. 2022, "Tensor Programs V", table 8): the best
            learning rate stays put as the width grows.
completep   CompleteP (Dey et al. 2025, "Don't be lazy", arXiv 2505.01618, table 1, α = 1): it stays put as the
            depth grows too.

Both transferring rules are the standard one at the base width and depth. With width a factor m wider than the
base's, and depth a factor l deeper (l = 1 under mup):

                        initial variance   rate (Adam)   weight decay   ε         forward
    embeddings          1                  1             1              1/m
    matrices of blocks  1/m                1/m           m              1/(m·l)   what a half adds × 1/l
    gains, biases       –                  1             0              1/(m·l)   those outside blocks: ε/m
    head                1                  1             1              1/m       logits × 1/m

Every gradient is a factor m smaller because the logits are, and inside blocks l smaller because the branch is: ε
follows. Weight decay is decoupled, rate × decay, so that of matrices is held by a factor m. Muon's update has the
spectral norm √(out/in) of a feature-learning step whatever the width (Yang, Simon and Bernstein 2023, "A spectral
condition for feature learning"), so under Muon the rate and weight decay of matrices have factor 1.
"""

from dataclasses import dataclass
from math import sqrt
from typing import Literal

from models.layout import Parameter, Role, in_block
from models.shape import Shape

Rule = Literal["standard", "mup", "completep"]
OptimizerName = Literal["adamw", "muon"]


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

    def treatment(self, name: str, parameter: Parameter, shape: Shape, optimizer: OptimizerName = "adamw") -> Treatment:
        """Initial scale, and factors on learning rate, weight decay and Adam's ε, of the parameter called `name`."""
        wide, deep = self._ratios(shape)
        epsilon = 1 / (wide * deep) if in_block(name) else 1 / wide
        match parameter.role:
            case Role.MATRIX:
                std = self.init_std / sqrt(wide) if self.init_std else 1 / sqrt(parameter.fan_in)
                if parameter.residual:  # completep scales the branch itself by depth, so its start must not change
                    depth = self.base_depth if self.rule == "completep" and self.base_depth else shape.depth
                    std /= sqrt(2 * depth)
                slower = 1.0 if optimizer == "muon" else wide
                return Treatment(std=std, learning_rate=1 / slower, weight_decay=slower, epsilon=epsilon)
            case Role.HEAD:
                std = self.init_std or 1 / sqrt(parameter.fan_in / wide)
                return Treatment(std=std, learning_rate=1.0, weight_decay=1.0, epsilon=epsilon)
            case Role.EMBEDDING:
                return Treatment(std=self.init_std or 0.02, learning_rate=1.0, weight_decay=1.0, epsilon=epsilon)
            case Role.GAIN | Role.BIAS:
                return Treatment(std=0.0, learning_rate=1.0, weight_decay=0.0, epsilon=epsilon)
