"""For each pair of depths, the size at which the deeper network overtakes the shallower one, and how sure that is."""

from dataclasses import dataclass
from enum import StrEnum

import numpy as np

from analysis.arrays import Array
from analysis.cells import Cells
from analysis.curves import curves_of
from analysis.leads import Lead, lead_of, threshold
from analysis.noise import Noise
from analysis.status import FitError


class Verdict(StrEnum):
    """What the data says about one pair of depths."""

    CROSSES = "crosses"  # the shallower one is better at a smaller size, the deeper one at a larger: both beyond noise
    LIKELY = "likely"  # the same, beyond the noise of this pair alone, but not of the best of so many pairs
    NOT_YET = "not yet"  # the shallower one leads, and is not seen to lose the lead: the crossing lies above a bound
    ALREADY = "already"  # the deeper one leads, and is not seen to have gained the lead: it lies below a bound
    UNDECIDED = "undecided"  # the noise hides who leads, or whether a change of the lead is real
    NO_OVERLAP = "no overlap"  # no size at which both were trained


@dataclass(frozen=True, slots=True, kw_only=True)
class Crossing:
    """One pair of depths. Sizes are N, parameters; losses nats per token.

    params          where the deeper one overtakes, as measured; None where it does not
    interval        of that size; None on a side the data leaves open. Of a censored pair, the bound and None
    overlap         sizes at which both were trained; None without any
    lead            of the shallower one at either end of the overlap (its loss is lower by so much)
    lead_error      standard errors of these
    slope           fall of the lead per unit of ln N, by a straight line through the points near the crossing
    log_error       standard error of ln params that noise and slope make, or would make at a censored pair's bound
    flags           what is odd about it
    """

    shallow: float
    deep: float
    verdict: Verdict
    params: float | None = None
    interval: tuple[float | None, float | None] = (None, None)
    overlap: tuple[float, float] | None = None
    lead: tuple[float, float] | None = None
    lead_error: tuple[float, float] | None = None
    slope: float | None = None
    log_error: float | None = None
    flags: tuple[str, ...] = ()

    @property
    def depth(self) -> float:
        """The depth that is best at the crossing, if the valley is quadratic in ln L: the geometric mean."""
        return float(np.sqrt(self.shallow * self.deep))


def crossings(cells: Cells, noise: Noise, *, confidence: float = 0.95, seed: int = 0) -> tuple[Crossing, ...]:
    """Every pair of depths, in order of the shallower one, then of the deeper.

    A pair is said to cross only where the sign changes from one significant lead to the other. The threshold is that
    of the largest of all such statistics over all pairs under noise alone (max-t, simulated from `seed`), so that in
    a table without any transition the chance of finding even one is 1 − confidence at the most.

    Raises FitError where no two depths were trained at a common range of sizes.
    """
    curves = curves_of(cells)
    pairs = [(shallow, deep) for i, shallow in enumerate(curves) for deep in curves[i + 1 :]]
    leads = [lead_of(shallow, deep, cells, noise) for shallow, deep in pairs]
    overlapping = [lead for lead in leads if lead]
    if not overlapping:
        ranges = [f"{c.depth:g} layers {np.exp(c.log_params[0]):.3g} to {np.exp(c.log_params[-1]):.3g}" for c in curves]
        raise FitError(
            "no overlap in N: no two depths were trained over a common range of sizes "
            f"({'; '.join(ranges) or 'no depth has three sizes'}); train the depths at the same sizes"
        )
    sure = threshold(overlapping, noise, confidence, np.random.default_rng(seed))
    reach = noise.quantile(confidence)
    return tuple(
        _judge(lead, sure, reach) if lead else Crossing(shallow=a.depth, deep=b.depth, verdict=Verdict.NO_OVERLAP)
        for (a, b), lead in zip(pairs, leads, strict=True)
    )


def adjacent(found: tuple[Crossing, ...]) -> tuple[Crossing, ...]:
    """Of each depth with the next deeper one it overlaps with."""
    nearest: dict[float, Crossing] = {}
    for crossing in found:
        if crossing.verdict != Verdict.NO_OVERLAP:
            kept = nearest.get(crossing.shallow)
            if kept is None or crossing.deep < kept.deep:
                nearest[crossing.shallow] = crossing
    return tuple(nearest.values())


def summary(found: tuple[Crossing, ...]) -> str:
    """One sentence: what the data says about a transition."""
    crossing = [c for c in found if c.verdict == Verdict.CROSSES]
    if crossing:
        places = [f"{c.shallow:g} to {c.deep:g} layers near N = {c.params:.2g}" for c in adjacent(tuple(crossing))]
        return f"found: {'; '.join(places)}"
    known = [c for c in adjacent(found) if c.verdict in (Verdict.NOT_YET, Verdict.ALREADY)]
    bounds = []
    for c in known:
        low, high = c.interval
        bound = f"above N = {low:.2g}" if low else f"below N = {high:.2g}"
        bounds.append(f"{c.shallow:g} to {c.deep:g} layers {bound}")
    if bounds:
        return "none found in this range, only bounded from one side: " + "; ".join(bounds)
    return "none found in this range: the differences between depths are within the noise"


def _judge(lead: Lead, sure: float, reach: float) -> Crossing:
    x, z = lead.log_params, lead.lead / lead.error
    # The integral of the lead is largest where it turns from plus to minus once small wiggles are averaged over.
    area = np.concatenate([[0.0], np.cumsum((lead.lead[1:] + lead.lead[:-1]) / 2)])
    turn = int(np.argmax(area))
    inside = 0 < turn < len(x) - 1
    at = _zero(x, lead.lead, turn) if inside else float(x[turn])
    below = int(np.searchsorted(lead.nodes, at, side="right"))
    beyond = len(lead.nodes) - below
    crosses = inside and lead.first[: max(below, 1)].max() > sure and lead.last[: max(beyond, 1)].min() < -sure
    slope, slope_error = lead.slope_near(at)
    steepness = max(abs(slope), slope_error)
    params = float(np.exp(at)) if inside else None
    low, high = _margin(x, z, at, reach)
    if crosses:
        verdict = Verdict.CROSSES
    elif low and high:
        verdict = Verdict.LIKELY
    elif low and not high:
        verdict, params = Verdict.NOT_YET, None
    elif high and not low:
        verdict, params = Verdict.ALREADY, None
    else:
        verdict = Verdict.UNDECIDED
    return Crossing(
        shallow=lead.shallow,
        deep=lead.deep,
        verdict=verdict,
        params=params,
        interval=(low, high),
        overlap=(float(np.exp(x[0])), float(np.exp(x[-1]))),
        lead=(float(lead.lead[0]), float(lead.lead[-1])),
        lead_error=(float(lead.error[0]), float(lead.error[-1])),
        slope=-slope,
        log_error=float(np.interp(at, x, lead.error)) / steepness if steepness > 0 else None,
        flags=_oddities(z, sure),
    )


def _zero(x: Array, lead: Array, turn: int) -> float:
    """Where the lead, falling, is zero: between `turn` and its neighbour on the other side of zero."""
    other = turn + 1 if lead[turn] > 0 else turn - 1
    (x0, y0), (x1, y1) = (x[turn], lead[turn]), (x[other], lead[other])
    return float(x0 if y0 == y1 else x0 - y0 * (x1 - x0) / (y1 - y0))


def _margin(x: Array, z: Array, at: float, reach: float) -> tuple[float | None, float | None]:
    """Sizes around `at` at which the lead is not told from zero (Fieller's interval); None where it has no end."""
    below, above = x[(x <= at) & (z > reach)], x[(x >= at) & (z < -reach)]
    return (float(np.exp(below[-1])) if below.size else None, float(np.exp(above[0])) if above.size else None)


def _oddities(z: Array, sure: float) -> tuple[str, ...]:
    signs = np.sign(z[np.abs(z) > sure])
    turns = np.diff(signs)[np.diff(signs) != 0]
    if len(turns) > 1:
        return (
            f"the lead changes hands {len(turns)} times, each beyond noise: one crossing does not describe this pair",
        )
    if len(turns) == 1 and turns[0] > 0:
        return ("the deeper network leads at the smaller sizes and loses at the larger: the opposite of a transition",)
    return ()
