"""The lead of one depth over another: the difference of their loss curves over the sizes both were trained at."""

from dataclasses import dataclass

import numpy as np

from analysis.arrays import Array
from analysis.cells import Cells
from analysis.curves import Curve, loadings, losses_at
from analysis.noise import Noise

GRID = 241  # sizes at which a lead is looked at, evenly in ln N
NEAR = 1.5  # points within a factor e^1.5 of a crossing say how steeply the lead falls there


@dataclass(frozen=True, slots=True, kw_only=True)
class Lead:
    """By how much the shallower network's loss is lower, nats, over sizes log_params (G,).

    error            its standard error, (G,)
    nodes            ln N of the points of either curve within the overlap, (M,)
    node_lead        lead at them, (M,)
    node_noise       its loadings on standard normal noise of the cells, (M, N); points share cells
    first, last      mean lead over the first (last) 1, 2, … M points, in its standard errors, (M,)
    standard         loadings of `first`, then `last`, on standard normal noise, (2M, N)
    """

    shallow: float
    deep: float
    log_params: Array
    lead: Array
    error: Array
    nodes: Array
    node_lead: Array
    node_noise: Array
    first: Array
    last: Array
    standard: Array

    def slope_near(self, log_params: float) -> tuple[float, float]:
        """Change of the lead per unit of ln N and its standard error, by a straight line through the points nearby."""
        distance = np.abs(self.nodes - log_params)
        near = distance <= max(NEAR, float(np.sort(distance)[1]))
        x = self.nodes[near] - self.nodes[near].mean()
        line = x / (x**2).sum()
        return float(line @ self.node_lead[near]), float(np.linalg.norm(line @ self.node_noise[near]))


def lead_of(shallow: Curve, deep: Curve, cells: Cells, noise: Noise) -> Lead | None:
    """None where the two depths share no range of sizes."""
    low = max(shallow.log_params[0], deep.log_params[0])
    high = min(shallow.log_params[-1], deep.log_params[-1])
    if high - low < 1e-9:
        return None
    x = np.linspace(low, high, GRID)
    nodes = np.unique(np.concatenate([shallow.log_params, deep.log_params, x[[0, -1]]]))
    nodes = nodes[(nodes >= low) & (nodes <= high)]
    count, sds = len(cells.loss), np.sqrt(cells.variance(noise.sd))

    def difference(at: Array) -> tuple[Array, Array]:
        lead = losses_at(deep, cells.loss[None], at) - losses_at(shallow, cells.loss[None], at)
        return lead[0], loadings(deep, at, count) - loadings(shallow, at, count)

    lead, weights = difference(x)
    node_lead, node_loadings = difference(nodes)
    node_noise = node_loadings * sds
    steps = np.arange(1, len(nodes) + 1)
    means = [np.cumsum(part, 0) / steps for part in (node_lead, node_lead[::-1])]
    runs = [np.cumsum(part, 0) / steps[:, None] for part in (node_noise, node_noise[::-1])]
    sizes = [np.linalg.norm(run, axis=1) for run in runs]
    return Lead(
        shallow=shallow.depth,
        deep=deep.depth,
        log_params=x,
        lead=lead,
        error=np.linalg.norm(weights * sds, axis=1),
        nodes=nodes,
        node_lead=node_lead,
        node_noise=node_noise,
        first=means[0] / sizes[0],
        last=means[1] / sizes[1],
        standard=np.concatenate([run / size[:, None] for run, size in zip(runs, sizes, strict=True)]),
    )


def threshold(leads: list[Lead], noise: Noise, confidence: float, rng: np.random.Generator, draws: int = 2000) -> float:
    """How many standard errors the largest mean lead of all pairs reaches by noise alone with chance 1 − confidence."""
    standard = np.concatenate([lead.standard for lead in leads])
    largest = (standard @ rng.standard_normal((standard.shape[1], draws))).max(0)
    if np.isfinite(noise.df):
        largest /= np.sqrt(rng.chisquare(noise.df, draws) / noise.df)
    return float(np.quantile(largest, confidence))
