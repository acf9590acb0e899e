"""Networks of nearly one size, side by side: is the deepest the best of them, and how sure is that?"""

from dataclasses import dataclass

import numpy as np

from analysis.arrays import Array
from analysis.cells import Cells
from analysis.noise import Noise

# A network is compared with those that it has at least this many times the layers of.
DEEPER = 1.5


@dataclass(frozen=True, slots=True, kw_only=True)
class Group:
    """Cells of one size, deepest first.

    size               mean N, by the counting that the sizes were given in
    labels, depths, losses
    lead               of the deepest network over the best clearly shallower one, nats: positive where deep wins
    lead_error         its standard error, from the noise of one run
    probability        that the deepest is truly better than that other, if losses are normal about their means
    """

    size: float
    labels: tuple[str, ...]
    depths: tuple[float, ...]
    losses: tuple[float, ...]
    lead: float
    lead_error: float
    probability: float

    def sentence(self) -> str:
        """What a report says of it."""
        verb = "wins" if self.lead > 0 else "loses"
        sure = self.probability if self.lead > 0 else 1 - self.probability
        return (
            f"near {self.size:.3g} parameters the deepest, {self.labels[0]}, {verb} by {abs(self.lead):.3f} nats "
            f"(± {self.lead_error:.3f}, {sure:.0%} sure)"
        )


def groups_of(cells: Cells, noise: Noise, *, sizes: Array | None = None, ratio: float = 1.08) -> tuple[Group, ...]:
    """Groups whose sizes are within `ratio` of the smallest and whose depths are DEEPER apart at the least, by size.

    sizes   (N,) another count than N, for tables whose authors compare by it
    """
    from scipy.special import stdtr

    sizes = cells.params if sizes is None else sizes
    variance = cells.variance(noise.sd)
    groups = []
    for members in _clusters(sizes, ratio):
        order = members[np.argsort(-cells.depth[members], kind="stable")]
        deepest, others = order[0], order[cells.depth[order] * DEEPER <= cells.depth[order[0]]]
        if not others.size:
            continue
        rival = others[np.argmin(cells.loss[others])]
        lead = float(cells.loss[rival] - cells.loss[deepest])
        error = float(np.sqrt(variance[deepest] + variance[rival]))
        groups.append(
            Group(
                size=float(np.exp(np.log(sizes[members]).mean())),
                labels=tuple(cells.labels[i] for i in order),
                depths=tuple(map(float, cells.depth[order])),
                losses=tuple(map(float, cells.loss[order])),
                lead=lead,
                lead_error=error,
                probability=float(stdtr(min(noise.df, 1e6), lead / error)),
            )
        )
    return tuple(groups)


def _clusters(sizes: Array, ratio: float) -> list[Array]:
    clusters: list[list[int]] = []
    for place in np.argsort(sizes):
        if clusters and sizes[place] <= sizes[clusters[-1][0]] * ratio:
            clusters[-1].append(int(place))
        else:
            clusters.append([int(place)])
    return [np.array(cluster) for cluster in clusters]
