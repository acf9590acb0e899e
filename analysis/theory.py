"""The theory behind the transition: when does another layer add expressiveness that width could not?

Levine et al. 2020 (arXiv 2006.12467 v3) measure what a self-attention network can express by the separation rank of
the functions it realises. For L < log₃(d) it grows double-exponentially with depth: depth-efficient. For L > log₃(d)
it grows only exponentially in L·d: depth and width are interchangeable, and depth costs what width costs. The form
agrees with the measured transitions, ln d linear in L; the constant does not: ln d = ln 3·L rises about twenty times
more steeply than the measured ln d = a + b·L, so the theory's threshold is no guideline by itself.
"""

from collections.abc import Iterable
from enum import StrEnum
from math import log

import numpy as np

from analysis.arrays import Array
from analysis.catalogue import AnyLaw
from analysis.law import LawError

THEORY_SLOPE = log(3)  # of ln d over L at the threshold


class Side(StrEnum):
    """Where a network lies."""

    SHALLOW = "shallow"  # of the threshold or the best depth: another layer is worth more than its width
    DEEP = "deep"  # past it: width would be worth more


def threshold_depth(width: float | Array) -> Array:
    """log₃(d): the depth up to which expressiveness grows double-exponentially with depth."""
    return np.asarray(np.log(np.asarray(width, float)) / THEORY_SLOPE)


def threshold_width(depth: float | Array) -> Array:
    """3^L: the width from which on depth L is within the depth-efficient regime."""
    return np.asarray(np.exp(THEORY_SLOPE * np.asarray(depth, float)))


def side_by_theory(depth: float, width: float) -> Side:
    """SHALLOW is the depth-efficient regime, L < log₃(d); DEEP the one where depth and width are interchangeable."""
    return Side.SHALLOW if depth < float(threshold_depth(width)) else Side.DEEP


def side_by_law(law: AnyLaw, depth: float, width: float, block_coefficient: float = 12.0) -> Side:
    """Whether a network is shallower or deeper than the law's best depth at its size. Raises LawError without one."""
    return side_of(depth, float(law.depth(block_coefficient * depth * width**2, block_coefficient)))


def side_of(depth: float, best: float) -> Side:
    """On which side of the best depth a network lies."""
    return Side.SHALLOW if depth < best else Side.DEEP


def sides(depth: float, width: float, laws: Iterable[AnyLaw], block_coefficient: float = 12.0) -> dict[str, Side]:
    """On which side a network lies: by the theory, under "theory", and by each law that has a depth, under its name."""
    found = {"theory": side_by_theory(depth, width)}
    for law in laws:
        try:
            found[law.card.name] = side_by_law(law, depth, width, block_coefficient)
        except LawError:
            continue
    return found


def slope_ratio(measured_slope: float) -> float:
    """How many times steeper the theory's threshold is than a measured ln d = a + b·L."""
    return THEORY_SLOPE / measured_slope
