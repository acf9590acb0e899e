"""How far the loss of one network moves when nothing but the seed changes."""

from dataclasses import dataclass
from typing import Literal

import numpy as np

from analysis.arrays import Array
from analysis.cells import Cells

# Fewer degrees of freedom than this make a t-interval so wide that it says nothing; residuals then join the seeds.
FEWEST_DF = 4
# Fewer deviations than this do not show the shape of the noise.
ENOUGH_DEVIATIONS = 20


@dataclass(frozen=True, slots=True, kw_only=True)
class Noise:
    """Standard deviation of one loss, nats, and the degrees of freedom it was measured with.

    source   "seeds": repeats of one network; "residuals": what a smooth surface through all networks leaves over,
             its own misfit included; "both"; "given": the caller says so, df infinite
    """

    sd: float
    df: float
    source: Literal["seeds", "residuals", "both", "given"]

    def quantile(self, confidence: float) -> float:
        """How many standard errors a two-sided interval of this confidence reaches: Student's t."""
        from scipy.special import ndtri, stdtrit

        level = (1 + confidence) / 2
        return float(ndtri(level) if np.isinf(self.df) else stdtrit(self.df, level))


def noise_of_seeds(cells: Cells) -> Noise | None:
    """Pooled over all cells with repeats: √(Σ deviations² / Σ (repeats − 1)). None where no cell has two."""
    df = float((cells.repeats - 1).sum())
    if df < 1:
        return None
    squares = sum(float((deviations**2).sum()) for deviations in cells.deviations)
    return Noise(sd=float(np.sqrt(squares / df)), df=df, source="seeds")


def pooled(first: Noise, second: Noise) -> Noise:
    """Both estimates of one variance, weighted by their degrees of freedom."""
    df = first.df + second.df
    variance = (first.sd**2 * first.df + second.sd**2 * second.df) / df
    return Noise(sd=float(np.sqrt(variance)), df=df, source="both")


def stretched_deviations(cells: Cells) -> Array:
    """Of every seed of every repeated cell, nats, stretched by √(k/(k − 1)).

    A deviation from the mean of k seeds is smaller than one from the cell's true loss by that factor.
    """
    repeated = [deviations for deviations in cells.deviations if len(deviations) > 1]
    return np.concatenate([d * np.sqrt(len(d) / (len(d) - 1)) for d in repeated] or [np.zeros(0)])


def resampled(cells: Cells, noise: Noise, replicates: int, rng: np.random.Generator) -> Array:
    """Losses as they might have come out, (R, N): the bootstrap over runs.

    Every run of every cell is drawn anew, so that no cell vanishes: its deviation from the cell's true loss comes from
    the deviations of all seeds of all repeated cells, where there are enough of them, else from a normal law, in both
    cases of the pooled measured standard deviation. A cell's two or three own seeds are not drawn from by themselves:
    so few give a noise that is right on average and wrong in every cell, which costs the interval some of its cover
    (docs/log.md). The error of the learning rate is drawn too.
    """
    pool = stretched_deviations(cells)
    losses = np.tile(cells.loss, (replicates, 1))
    if len(pool) < ENOUGH_DEVIATIONS:
        losses += noise.sd / np.sqrt(cells.repeats) * rng.standard_normal(losses.shape)
    else:
        pool = noise.sd * pool / np.sqrt((pool**2).mean())
        for place, count in enumerate(cells.repeats.astype(int)):
            losses[:, place] += pool[rng.integers(len(pool), size=(replicates, count))].mean(1)
    return losses + cells.rate_error * rng.standard_normal(losses.shape)
