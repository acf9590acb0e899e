"""loss = c_m/m^α_m + c_l/l^α_l + c_D/D^α_D + E: width m, depth l, tokens D, with α_l near 1.

"Inverse Depth Scaling From Most Layers Being Similar" (arXiv 2602.05970): the loss falls about as one over the
depth, which the authors explain by layers that average over one another's errors. The constants are those of
the paper's notebook, which counts l as 100·layers and D in millions of tokens.
"""

from math import log
from typing import ClassVar, final

from analysis.additive import AdditiveLaw
from analysis.law import Card, Mark, Published

CARD = Card(
    name="inverse-depth2026",
    formula="loss = c_m/m^α_m + c_l/l^α_l + c_D/D^α_D + E",
    source="arXiv 2602.05970 (2026), the accompanying notebook",
    expresses="separate gains from width, depth and tokens, and so a best depth that grows as a power of N",
    cannot_express="an interaction of shape and tokens: its best depth at a size is the same for every token budget; "
    "it was fitted to shapes near one line, so that width and depth are weakly told apart",
    published=(
        Published(
            label="arXiv 2602.05970",
            values={
                "width_exponent": 0.9769,
                "depth_exponent": 1.2014,
                "tokens_exponent": 0.2991,
                "log_width_coefficient": log(333.38),
                "log_depth_coefficient": log(1284.37),
                "log_tokens_coefficient": log(8.487),
                "log_irreducible": log(1.7503),
            },
            source="the paper's notebook; errors of the exponents 0.08, 0.3 and 0.01, their covariance not given",
            mark=Mark.READ,
            counting="not used: width and depth enter by themselves",
        ),
    ),
)


@final
class InverseDepth2026(AdditiveLaw):
    """width, depth (in hundredths of a layer), tokens (in millions)."""

    __slots__ = ()

    card: ClassVar[Card] = CARD
    variables: ClassVar[tuple[str, ...]] = ("width", "depth", "tokens")
    units: ClassVar[dict[str, float]] = {"depth": 100.0, "tokens": 1e-6}


LAW = InverseDepth2026
