"""Learning rates by rule, and the best of several as measured."""

from collections.abc import Mapping
from dataclasses import dataclass
from math import exp, log

from models.shape import Shape
from sweeps.safe_yaml import SpecError
from sweeps.spec import RateRule


@dataclass(frozen=True, slots=True, kw_only=True)
class TunedRate:
    """The best rate as far as the proxies tell.

    log_error   standard error of its natural logarithm, half a step of the sweep where the optimum is an edge;
                None where one rate was given and nothing measured
    flag        what is doubtful about it, None if nothing is
    """

    rate: float
    log_error: float | None
    flag: str | None = None


def rate_of(rule: RateRule, shape: Shape) -> float:
    """value · (width / rule.width)^width_power · (depth / rule.depth)^depth_power."""
    wide = (shape.width / rule.width) ** rule.width_power
    deep = (shape.depth / rule.depth) ** rule.depth_power
    return float(f"{rule.value * wide * deep:.6g}")


def best_rate(losses: Mapping[float, float | None]) -> TunedRate:
    """Vertex of the parabola through the best rate and its neighbours in ln rate, three significant digits.

    A parabola is what a smooth loss is near its least; the error is the vertex's distance from the best rate that
    was tried, at least a tenth of a step. Where the next higher rate has no loss, because it diverged, the best one
    is bracketed all the same, within half a step. Raises SpecError where no proxy has a usable loss.
    """
    known = sorted((rate, loss) for rate, loss in losses.items() if loss is not None)
    if not known:
        raise SpecError(
            "every proxy of the learning-rate sweep ended without a usable loss; lower training.learning_rate.sweep"
        )
    best = min(range(len(known)), key=lambda index: known[index][1])
    logs = [log(rate) for rate, _ in known]
    if best in (0, len(known) - 1):
        beyond = [rate for rate in losses if rate > known[best][0]]
        if best > 0 and beyond:
            return TunedRate(rate=known[best][0], log_error=(log(min(beyond)) - logs[best]) / 2)
        beside = 1 if best == 0 else best - 1
        step = abs(logs[best] - logs[beside]) if len(known) > 1 else log(2)
        where = "lowest" if best == 0 else "highest"
        flag = f"the best proxy has the {where} rate tried, {known[best][0]:g}; try rates beyond it"
        return TunedRate(rate=known[best][0], log_error=step / 2, flag=flag)
    import numpy as np  # a plan without proxies starts without it

    near = slice(best - 1, best + 2)
    curve, slope, _ = np.polyfit(np.array(logs[near]) - logs[best], [loss for _, loss in known[near]], 2)
    shift = -slope / (2 * curve)
    step = (logs[best + 1] - logs[best - 1]) / 2
    return TunedRate(rate=float(f"{exp(logs[best] + shift):.3g}"), log_error=max(abs(shift), step / 10))
