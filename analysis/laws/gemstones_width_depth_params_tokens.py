"""loss = A/w^α + B/d^β + P/N^π + C/T^γ + E: the Gemstones law in width, depth, parameters and tokens.

McLeish et al. 2025, "Gemstones: A Model Suite for Multi-Faceted Scaling Laws" (arXiv 2502.06857), repository
mcleish7/gemstone-scaling-laws, fitted to 22 shapes at 10B to 350B tokens by the sum of Huber losses (δ = 1e-4)
of ln loss. N counts all parameters, with the token table and the head (two tables of 50304·width).
"""

from typing import ClassVar, final

from analysis.additive import AdditiveLaw
from analysis.law import Card, Mark, Published

CARD = Card(
    name="gemstones-width-depth-params-tokens",
    formula="loss = A/w^α + B/d^β + P/N^π + C/T^γ + E",
    source="McLeish et al. 2025, arXiv 2502.06857, approach 3",
    expresses="gains from width and depth beside those of size itself, and so a best depth that grows as a power of N",
    cannot_express="an interaction of shape and tokens: its best depth at a size is the same for every token budget",
    published=(
        Published(
            label="McLeish et al. 2025 (Gemstones)",
            values={
                "width_exponent": 0.2195783536,
                "depth_exponent": 0.4758917337,
                "params_exponent": 0.3636454068,
                "tokens_exponent": 0.4935127042,
                "log_width_coefficient": 1.082043835,
                "log_depth_coefficient": -0.2186969889,
                "log_params_coefficient": 6.0902355695,
                "log_tokens_coefficient": 10.4720427681,
                "log_irreducible": 0.4282048563,
            },
            source="mcleish7/gemstone-scaling-laws, parameters_delta-4/"
            "approach_3_width_depth_parameters_grid_search_0_hot_100b+.json",
            mark=Mark.READ,
            params_range=(2.2e7, 1.8e9),
            params_range_mark=Mark.DERIVED,
            counting="all parameters, token table and head included",
        ),
    ),
)


@final
class GemstonesWidthDepthParamsTokens(AdditiveLaw):
    """width, depth, params, tokens."""

    __slots__ = ()

    card: ClassVar[Card] = CARD
    variables: ClassVar[tuple[str, ...]] = ("width", "depth", "params", "tokens")


LAW = GemstonesWidthDepthParamsTokens
