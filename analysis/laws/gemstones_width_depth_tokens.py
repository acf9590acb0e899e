"""loss = A/w^α + B/d^β + C/T^γ + E: the Gemstones law in width, depth and tokens.

McLeish et al. 2025, "Gemstones: A Model Suite for Multi-Faceted Scaling Laws" (arXiv 2502.06857), repository
mcleish7/gemstone-scaling-laws, fitted to 22 shapes at 10B to 350B tokens by the sum of Huber losses (δ = 1e-4)
of ln loss. N counts all parameters, with the token table and the head (two tables of 50304·width).
"""

from typing import ClassVar, final

from analysis.additive import AdditiveLaw
from analysis.law import Card, Mark, Published

CARD = Card(
    name="gemstones-width-depth-tokens",
    formula="loss = A/w^α + B/d^β + C/T^γ + E",
    source="McLeish et al. 2025, arXiv 2502.06857, approach 3",
    expresses="separate gains from width, depth and tokens, and so a best depth that grows as a power of N",
    cannot_express="an interaction of shape and tokens: its best depth at a size is the same for every token budget; "
    "its irreducible loss is not identified by the data (E = exp(−155))",
    published=(
        Published(
            label="McLeish et al. 2025 (Gemstones)",
            values={
                "width_exponent": 0.2607743843,
                "depth_exponent": 0.1418010881,
                "tokens_exponent": 0.5420589921,
                "log_width_coefficient": 2.1161206619,
                "log_depth_coefficient": 0.7321112501,
                "log_tokens_coefficient": 11.5418232414,
                "log_irreducible": -155.5414963039,
            },
            source="mcleish7/gemstone-scaling-laws, parameters_delta-4/"
            "approach_3_width_depth_grid_search_0_hot_100b+.json",
            mark=Mark.READ,
            params_range=(2.2e7, 1.8e9),
            params_range_mark=Mark.DERIVED,
            counting="not used: width and depth enter by themselves",
        ),
    ),
)


@final
class GemstonesWidthDepthTokens(AdditiveLaw):
    """width, depth, tokens."""

    __slots__ = ()

    card: ClassVar[Card] = CARD
    variables: ClassVar[tuple[str, ...]] = ("width", "depth", "tokens")


LAW = GemstonesWidthDepthTokens
