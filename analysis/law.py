"""What every law says of itself: its formula, its sources, its published constants, its limits."""

from dataclasses import dataclass
from enum import StrEnum
from typing import ClassVar, Protocol

from analysis.arrays import Array

BLOCKS_ALONE = "the blocks' weight matrices alone"  # what N counts, unless somebody says otherwise


class LawError(ValueError):
    """A law was asked for something it cannot express. The message says which law can."""


class Mark(StrEnum):
    """How a published number came here."""

    READ = "S"  # read in a stored source
    MEMORY = "M"  # from memory of the source: say "as reported"
    DERIVED = "D"  # computed here


@dataclass(frozen=True, slots=True, kw_only=True)
class Published:
    """One published set of a law's constants: data, to be edited when a better reading is at hand.

    values         by the law's parameter names
    covariance     of `values` in that order, or None where the source gives none
    params_range   smallest and largest N of the data behind it, or None where not known
    counting       what its authors count as N
    """

    label: str
    values: dict[str, float]
    source: str
    mark: Mark
    covariance: tuple[tuple[float, ...], ...] | None = None
    covariance_mark: Mark | None = None
    params_range: tuple[float, float] | None = None
    params_range_mark: Mark | None = None
    counting: str = BLOCKS_ALONE


@dataclass(frozen=True, slots=True, kw_only=True)
class Card:
    """A law's description."""

    name: str
    formula: str
    source: str
    expresses: str
    cannot_express: str
    published: tuple[Published, ...] = ()


class Law(Protocol):
    """Either kind of law (analysis.transition_law, analysis.additive): a frozen value with a card.

    `block_coefficient` is k in N = k·L·d², the parameters of the blocks: 12 in the paper's block.
    """

    card: ClassVar[Card]

    @property
    def values(self) -> dict[str, float]:
        """The constants by name."""

    @property
    def theta(self) -> Array:
        """The constants, (K,)."""

    def depth(self, params: float | Array, block_coefficient: float = 12.0) -> Array:
        """L*, the depth of least loss at N = params. Raises LawError where the law has no depth."""

    def depth_gradient(self, params: float | Array, block_coefficient: float = 12.0) -> Array:
        """Derivatives of ln L* by the constants, in their order; shape params.shape + (K,)."""
