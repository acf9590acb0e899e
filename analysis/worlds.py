"""Worlds in which the truth is known: loss tables drawn from a law, a valley and noise.

For tests of the whole chain, for the study of its intervals (benchmarks/coverage.py), and for asking, before anything
is trained, what a planned grid could show.
"""

from dataclasses import dataclass

import numpy as np
import pandas as pd

from analysis.arrays import Array
from analysis.laws.levine2020 import Levine2020
from analysis.transition_law import TransitionLaw
from analysis.valley import ValleyShape

PAPER_DEPTHS = (6, 12, 18, 24, 30, 36, 48)
PAPER_LAW = Levine2020(a=5.039, b=0.0555)


@dataclass(frozen=True, slots=True, kw_only=True)
class World:
    """loss = floor + size_gain·(N/1e8)^(−size_exponent) + the valley's rise about the law's best depth + noise.

    Without a valley, depth does nothing. Losses are nats per token.
    """

    law: TransitionLaw = PAPER_LAW
    valley: ValleyShape | None
    floor: float = 1.5
    size_gain: float = 1.2
    size_exponent: float = 0.12
    noise_sd: float = 1e-3

    def loss(self, depth: Array, params: Array) -> Array:
        """Without noise, nats per token."""
        size = self.floor + self.size_gain * (params / 1e8) ** -self.size_exponent
        if self.valley is None:
            return np.asarray(size)
        return np.asarray(size + self.valley.penalty(params, np.log(depth / self.law.depth(params))))

    def table(self, shapes: list[tuple[int, int]], seeds: list[int], rng: np.random.Generator) -> pd.DataFrame:
        """Rows for analysis.losses.checked: each (depth, width) trained with so many seeds, at one token budget."""
        depth, width = (np.repeat(np.array(part), seeds) for part in zip(*shapes, strict=True))
        params = 12 * depth * width**2
        loss = self.loss(depth.astype(float), params.astype(float)) + self.noise_sd * rng.standard_normal(len(depth))
        seed = np.concatenate([np.arange(count) for count in seeds])
        run = [f"{d}x{w}-seed{s}" for d, w, s in zip(depth, width, seed, strict=True)]
        columns = {"depth": depth, "width": width, "params": params, "loss": loss, "seed": seed}
        return pd.DataFrame({"trial_id": run, "run": run, **columns, "tokens": 1e10})


def valley_like(rise: float, fall: float, *, curvature: float = 0.05, trend: float = 0.0) -> ValleyShape:
    """A valley of given exponents, its curvature (nats per (ln L)²) that at 1e8 parameters."""
    return ValleyShape(curvature=curvature, trend=trend, rise=rise, fall=fall, log_params=float(np.log(1e8)))


# As flat as the data allows to tell from a parabola; as in the Gemstones four-variable law; as in inverse-depth2026.
VALLEYS = {
    "even": valley_like(0.02, 0.02),
    "gemstones": valley_like(0.11, 0.476, trend=0.09),
    "inverse-depth": valley_like(0.49, 1.2, trend=0.3),
}


def grid(
    depths: tuple[int, ...],
    smallest: float,
    largest: float,
    count: int,
    *,
    law: TransitionLaw = PAPER_LAW,
    within: float = 40.0,
) -> list[tuple[int, int]]:
    """(depth, width) at sizes even in ln N, `count` over the whole range, at least three a depth.

    A depth is trained only at sizes within a factor `within` of the one at which it is best, as the paper's are: 48
    layers at 1e6 parameters are no use to anyone. Widths are even, for two heads.
    """
    shapes = []
    for depth in depths:
        best = float(law.params(depth))
        low, high = max(smallest, best / within), min(largest, best * within)
        if low >= high:
            continue
        number = max(3, round(count * np.log(high / low) / np.log(largest / smallest)))
        widths = 2 * np.round(np.sqrt(np.geomspace(low, high, number) / (12 * depth)) / 2).astype(int)
        shapes += [(depth, int(width)) for width in np.unique(np.maximum(widths, 2))]
    return shapes


def some_repeats(shapes: list[tuple[int, int]], every: int = 4, seeds: int = 3) -> list[int]:
    """Seeds for each shape: `seeds` for each `every`-th, one for the others."""
    return [seeds if place % every == 0 else 1 for place in range(len(shapes))]
