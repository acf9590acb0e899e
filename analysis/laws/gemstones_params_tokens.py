"""loss = A/N^α + B/T^β + E: the Gemstones law without shape.

McLeish et al. 2025, "Gemstones: A Model Suite for Multi-Faceted Scaling Laws" (arXiv 2502.06857), repository
mcleish7/gemstone-scaling-laws, fitted to 22 shapes at 10B to 350B tokens by the sum of Huber losses (δ = 1e-4)
of ln loss. N counts all parameters, with the token table and the head (two tables of 50304·width).
"""

from typing import ClassVar, final

from analysis.additive import AdditiveLaw
from analysis.law import Card, Mark, Published

CARD = Card(
    name="gemstones-params-tokens",
    formula="loss = A/N^α + B/T^β + E",
    source="McLeish et al. 2025, arXiv 2502.06857, approach 3",
    expresses="how loss falls with size and tokens, on data whose shapes vary widely",
    cannot_express="depth and width: all shapes of one size have the same loss",
    published=(
        Published(
            label="McLeish et al. 2025 (Gemstones)",
            values={
                "params_exponent": 0.2575546364,
                "tokens_exponent": 0.5909317455,
                "log_params_coefficient": 4.8761769847,
                "log_tokens_coefficient": 12.6984060933,
                "log_irreducible": 0.6655226816,
            },
            source="mcleish7/gemstone-scaling-laws, parameters_delta-4/"
            "approach_3_parameters_grid_search_0_hot_100b+.json",
            mark=Mark.READ,
            params_range=(4.8e7, 2.0e9),
            params_range_mark=Mark.DERIVED,
            counting="all parameters, token table and head included",
        ),
    ),
)


@final
class GemstonesParamsTokens(AdditiveLaw):
    """params, tokens."""

    __slots__ = ()

    card: ClassVar[Card] = CARD
    variables: ClassVar[tuple[str, ...]] = ("params", "tokens")


LAW = GemstonesParamsTokens
