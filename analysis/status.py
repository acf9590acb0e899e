"""What an analysis can come to: a result, a result to be doubted, or none.

A wrong call by the programmer raises ValueError or TypeError. Data from which nothing can be concluded raises
FitError with the reason. Everything else is returned, with a Status and notes that say what to doubt.
"""

from enum import StrEnum


class FitError(Exception):
    """The data refuses: no usable result. The message says where, what, what is needed, and what to do next."""


class Status(StrEnum):
    """How far a fit can be trusted. In order from good to bad; a fit has the worst that applies."""

    CONVERGED = "converged"
    FEW_DATA = "few data"  # fewer observations than make its interval independent of its assumptions
    AT_BOUND = "at a bound"  # a parameter stopped at the edge of what the law allows
    MISFIT = "misfit"  # the form misses the data by more than the noise explains; the interval is widened
    NOT_IDENTIFIED = "not identified"  # the data leaves a parameter, or a direction of several, open
    NOT_CONVERGED = "not converged"  # the optimiser stopped early


def worst(statuses: list[Status]) -> Status:
    """The last in the enumeration's order; CONVERGED where the list is empty."""
    order = list(Status)
    return max(statuses, key=order.index, default=Status.CONVERGED)
