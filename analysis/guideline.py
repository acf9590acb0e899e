"""From a budget to a shape: how deep, how wide, how sure, how far beyond the data, and what being off would cost."""

from collections.abc import Callable, Iterable
from dataclasses import dataclass

import numpy as np

from analysis.additive import AdditiveLaw
from analysis.arrays import Array
from analysis.budget import Budget, Workload
from analysis.catalogue import law_names, published
from analysis.law import LawError
from analysis.practical import Hardware, PracticalShape, practical_shape
from analysis.source import Interval, Source, source_of_published
from analysis.theory import Side, side_by_theory

# Depths at which the price of being off is told, as multiples of the best.
PENALTY_RATIOS = (0.25, 0.5, 0.7, 0.85, 1.0, 1.2, 1.4, 2.0, 4.0)
TABLE_SIZES = tuple(10.0**power for power in range(6, 13))
# Who splits FLOPs into size and tokens where the law itself does not.
SPLITTER = "chinchilla"


@dataclass(frozen=True, slots=True, kw_only=True)
class Guideline:
    """One law's answer to one budget.

    params, tokens, flops   the budget, what could be derived filled in; None where it could not
    depth, width            continuous optimum; depth_interval, width_interval at `confidence`, or None
    shape                   practical integers, with their price
    extrapolation           times beyond the sizes behind the law; None inside them or where they are not known
    loss                    predicted there, nats per token, by laws that predict it and know the tokens
    penalties               (depth, width, nats above the best depth) at the same size
    penalty_from            the law whose valley priced them
    theory                  the side of log₃(d) on which it lies
    counting                what N counts
    """

    law: str
    label: str
    params: float
    tokens: float | None
    flops: float | None
    depth: float
    width: float
    confidence: float
    depth_interval: Interval | None
    width_interval: Interval | None
    shape: PracticalShape
    extrapolation: float | None
    loss: float | None
    penalties: tuple[tuple[float, float, float], ...]
    penalty_from: str
    theory: Side
    counting: str
    notes: tuple[str, ...]

    def as_json(self) -> dict[str, object]:
        """What `sweep recommend --json` prints."""
        interval = None
        if self.depth_interval and self.width_interval:
            interval = {"depth": list(self.depth_interval), "width": list(self.width_interval)}
        shape = {"depth": self.shape.depth, "width": self.shape.width, "params": self.shape.params}
        return {
            "law": self.law,
            "label": self.label,
            "params": self.params,
            "tokens": self.tokens,
            "flops": self.flops,
            "depth": self.depth,
            "width": self.width,
            "confidence": self.confidence,
            "interval": interval,
            "shape": {**shape, "penalty_nats": self.shape.penalty_nats},
            "extrapolation": self.extrapolation,
            "loss": self.loss,
            "penalty": [{"depth": d, "width": w, "penalty_nats": nats} for d, w, nats in self.penalties],
            "penalty_from": self.penalty_from,
            "theory": str(self.theory),
            "counting": self.counting,
            "notes": list(self.notes),
        }


def recommend(
    source: Source, budget: Budget, *, hardware: Hardware | None = None, workload: Workload | None = None
) -> Guideline:
    """The law's shape for a budget. Raises LawError where the law has no depth."""
    workload = workload or Workload()
    notes = list(source.notes)
    params, tokens = _resolve(source, budget, workload, notes)
    depth = float(source.depth(params))
    width = float(source.width(params, depth))
    depths = source.depth_interval(params)
    widths = (float(source.width(params, depths[1])), float(source.width(params, depths[0]))) if depths else None
    if depths is None:
        notes.append("no interval: the source gives no covariance of its constants")
    at = depth * np.array(PENALTY_RATIOS)
    prices, lender = source.penalty(params, at)
    if lender != source.name:
        notes.append(f"the price of another depth is that of {lender}: {source.name} does not say")
    flops = None if tokens is None else tokens * float(workload.flops_per_token(params, depth, width))
    loss = None
    if isinstance(source.law, AdditiveLaw) and ("tokens" not in source.law.variables or tokens is not None):
        loss = float(source.law.loss(width=width, depth=depth, params=params, tokens=tokens or 1.0))
    return Guideline(
        law=source.name,
        label=source.label,
        params=params,
        tokens=tokens,
        flops=flops if budget.flops is None else budget.flops,
        depth=depth,
        width=width,
        confidence=source.confidence,
        depth_interval=depths,
        width_interval=widths,
        shape=practical_shape(source, params, hardware or Hardware()),
        extrapolation=source.extrapolation(params),
        loss=loss,
        penalties=tuple(zip(map(float, at), map(float, source.width(params, at)), map(float, prices), strict=True)),
        penalty_from=lender,
        theory=side_by_theory(depth, width),
        counting=source.counting,
        notes=tuple(notes),
    )


def published_sources(*, confidence: float = 0.95) -> tuple[Source, ...]:
    """Every law with published constants that can recommend a depth; those with an interval first, then by name."""
    sources = []
    for name in law_names():
        try:
            source = source_of_published(name, confidence=confidence)
            source.depth(1e9)
        except LawError:
            continue
        sources.append(source)
    return tuple(sorted(sources, key=lambda source: source.depth_interval(1e9) is None))


def table(
    sources: Iterable[Source], *, sizes: tuple[float, ...] = TABLE_SIZES, hardware: Hardware | None = None
) -> tuple[tuple[Guideline, ...], ...]:
    """One row for each size (N), one guideline in it for each source."""
    sources = tuple(sources)
    return tuple(tuple(recommend(s, Budget(params=size), hardware=hardware) for s in sources) for size in sizes)


def spread(guidelines: Iterable[Guideline]) -> tuple[float, float]:
    """Smallest and largest best depth among laws asked the same."""
    depths = [guideline.depth for guideline in guidelines]
    return min(depths), max(depths)


def _resolve(source: Source, budget: Budget, workload: Workload, notes: list[str]) -> tuple[float, float | None]:
    """(N, tokens) of a budget."""
    if budget.params is not None:
        return budget.params, budget.tokens
    flops = budget.flops
    assert flops is not None

    def per_token(log_params: Array) -> Array:
        params = np.exp(log_params)
        depth = source.depth(params)
        return workload.flops_per_token(params, depth, source.width(params, depth))

    notes.append(f"FLOPs counted as {workload.basis}")
    tokens = budget.tokens
    if tokens is not None:
        return float(np.exp(_least(lambda x: np.abs(np.log(per_token(x) * tokens / flops))))), tokens
    law, name = source.law, source.name
    if not isinstance(law, AdditiveLaw) or "tokens" not in law.variables:
        law, constants = published(SPLITTER)
        name = f"{SPLITTER} ({constants.label})"
    splitter = law
    assert isinstance(splitter, AdditiveLaw)

    def loss(log_params: Array) -> Array:
        params = np.exp(log_params)
        depth = source.depth(params)
        seen = flops / per_token(log_params)
        return splitter.loss(params=params, tokens=seen, depth=depth, width=source.width(params, depth))

    log_params = _least(loss)
    notes.append(f"FLOPs split between size and tokens by {name}; give --tokens to fix the split")
    return float(np.exp(log_params)), flops / float(per_token(np.asarray(log_params)))


def _least(function: Callable[[Array], Array], low: float = np.log(1e3), high: float = np.log(1e16)) -> float:
    """Where a function of ln N with one minimum is least, to nine digits: a grid, narrowed about its least point."""
    for _ in range(6):
        grid = np.linspace(low, high, 201)
        place = int(np.argmin(function(grid)))
        low, high = float(grid[max(place - 1, 0)]), float(grid[min(place + 1, 200)])
    return (low + high) / 2
