"""A law with what is known of its uncertainty: where a guideline comes from, published or fitted here."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass
from statistics import NormalDist
from typing import TYPE_CHECKING

import numpy as np

from analysis.additive import AdditiveLaw
from analysis.arrays import Array
from analysis.catalogue import AnyLaw, published
from analysis.law import BLOCKS_ALONE, Mark
from analysis.valley import ValleyShape

if TYPE_CHECKING:
    from analysis.fit import Fit

Interval = tuple[float, float]
# Whose valley stands in where a law says nothing about the price of another depth.
LENDER = "gemstones-width-depth-params-tokens"


@dataclass(frozen=True, slots=True, kw_only=True)
class Source:
    """name as asked for ("levine2020", "fit:quickstart"); label for people; depth_interval of L* at N, or None.

    counting   what N counts in what is asked and answered; a law's own authors may count more
    """

    name: str
    label: str
    law: AnyLaw
    confidence: float
    depth_interval: Callable[[float], Interval | None]
    params_range: Interval | None
    block_coefficient: float = 12.0
    valley: ValleyShape | None = None
    notes: tuple[str, ...] = ()
    counting: str = BLOCKS_ALONE

    def depth(self, params: float | Array) -> Array:
        """L*. Raises LawError where the law has no depth."""
        return self.law.depth(params, self.block_coefficient)

    def width(self, params: float | Array, depth: float | Array) -> Array:
        """Of a network of `params` and `depth`."""
        return np.asarray(np.sqrt(np.asarray(params, float) / (self.block_coefficient * np.asarray(depth, float))))

    def penalty(self, params: float, depth: float | Array) -> tuple[Array, str]:
        """Loss above that of the best depth at the same N, nats, and whose valley says so."""
        ratio = np.log(np.asarray(depth, float) / self.depth(params))
        if self.valley is not None:
            return self.valley.penalty(params, ratio), self.name
        if isinstance(self.law, AdditiveLaw):
            return _additive_penalty(self.law, params, ratio, self.block_coefficient), self.name
        lender, _ = published(LENDER)
        assert isinstance(lender, AdditiveLaw)
        return _additive_penalty(lender, params, ratio, self.block_coefficient), LENDER

    def extrapolation(self, params: float) -> float | None:
        """How many times beyond the data's sizes; None inside them, or where they are not known."""
        if self.params_range is None:
            return None
        low, high = self.params_range
        return params / high if params > high else low / params if params < low else None


def source_of_published(name: str, label: str | None = None, *, confidence: float = 0.95) -> Source:
    """A law at its published constants, with the interval of their covariance where there is one. Raises LawError."""
    law, constants = published(name, label)
    notes = []
    if constants.mark == Mark.MEMORY or constants.covariance_mark == Mark.MEMORY:
        what = "constants" if constants.mark == Mark.MEMORY else "errors of the constants"
        notes.append(f"{what} as reported, from memory of the source")
    if constants.params_range is None:
        notes.append("the sizes behind it are not known here")
    covariance = None if constants.covariance is None else np.array(constants.covariance)

    def interval(params: float) -> Interval | None:
        if covariance is None:
            return None
        gradient = law.depth_gradient(params)
        spread = NormalDist().inv_cdf((1 + confidence) / 2) * float(np.sqrt(gradient @ covariance @ gradient))
        depth = float(law.depth(params))
        return depth * float(np.exp(-spread)), depth * float(np.exp(spread))

    return Source(
        name=name,
        label=constants.label,
        law=law,
        confidence=confidence,
        depth_interval=interval,
        params_range=constants.params_range,
        notes=tuple(notes),
    )


def source_of_fit(name: str, fit: Fit) -> Source:
    """A sweep's own law."""
    return Source(
        name=name,
        label=f"{fit.law.card.name} fitted to {fit.runs} runs",
        law=fit.law,
        confidence=fit.confidence,
        depth_interval=fit.depth_interval,
        params_range=fit.params_range,
        block_coefficient=fit.block_coefficient,
        valley=fit.valley,
        counting=fit.counting,
        notes=(f"the fit is {fit.status}", *fit.notes) if fit.status != "converged" else fit.notes,
    )


def _additive_penalty(law: AdditiveLaw, params: float, ratio: Array, block_coefficient: float) -> Array:
    """At u = ln(L/L*) from the law's own best depth: only its width and depth terms move."""
    best = float(law.depth(params, block_coefficient))
    depth = best * np.exp(ratio)

    def moving(at: Array) -> Array:
        width = np.sqrt(params / (block_coefficient * at))
        return law.loss(width=width, depth=at, params=params, tokens=1e11)

    return np.asarray(moving(depth) - moving(np.asarray(best)))
