"""loss = E + A/N^α + B/D^β: parameters and tokens, no shape.

Hoffmann et al. 2022, "Training Compute-Optimal Large Language Models" (arXiv 2203.15556), approach 3, and the
re-analysis of the same data by Besiroglu et al. 2024 of Epoch AI (arXiv 2404.10102).
"""

from math import log
from typing import ClassVar, final

from analysis.additive import AdditiveLaw
from analysis.law import Card, Mark, Published


def constants(e: float, a: float, b: float, alpha: float, beta: float) -> dict[str, float]:
    """The constants as the papers print them, under this project's names."""
    return {
        "params_exponent": alpha,
        "tokens_exponent": beta,
        "log_params_coefficient": log(a),
        "log_tokens_coefficient": log(b),
        "log_irreducible": log(e),
    }


CARD = Card(
    name="chinchilla",
    formula="loss = E + A/N^α + B/D^β",
    source="Hoffmann et al. 2022, arXiv 2203.15556, approach 3",
    expresses="how loss falls with size and tokens, and so how to split FLOPs between them",
    cannot_express="depth and width: all shapes of one size have the same loss",
    published=(
        Published(
            label="Besiroglu et al. 2024 (Epoch AI)",
            values=constants(1.8172, 482.01, 2085.43, 0.3478, 0.3658),
            source="arXiv 2404.10102, a re-analysis of the published figure's data, from memory; "
            "coefficients and exponents agree with those in mcleish7/gemstone-scaling-laws, plotters/plotting_utils.py",
            mark=Mark.MEMORY,
            counting="all parameters",
        ),
        Published(
            label="Hoffmann et al. 2022",
            values=constants(1.69, 406.4, 410.7, 0.34, 0.28),
            source="arXiv 2203.15556, as printed, from memory",
            mark=Mark.MEMORY,
            counting="all parameters",
        ),
    ),
)


@final
class Chinchilla(AdditiveLaw):
    """params, tokens."""

    __slots__ = ()

    card: ClassVar[Card] = CARD
    variables: ClassVar[tuple[str, ...]] = ("params", "tokens")


LAW = Chinchilla
