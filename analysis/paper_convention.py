"""The paper's own reading of its crossings, beside ours.

Levine et al. 2020 assign the size at which the next deeper network takes over to the shallower one: N is the largest at
which depth L is still best, d = √(N/(k·L)) its width there, and ln d = a + b·L goes through these points. Ours assigns
it to the geometric mean of the two depths, where a valley that is even in ln L has its bottom; the paper's constants
are therefore smaller depths at the same size.
"""

from dataclasses import dataclass

import numpy as np

from analysis.crossings import Crossing, Verdict, adjacent


@dataclass(frozen=True, slots=True, kw_only=True)
class PaperFit:
    """ln d = a + b·L through the crossings in the paper's convention, by weighted least squares.

    depths, log_widths, log_width_errors   the points; censored pairs are not among them, as in the paper
    a_error, b_error                       standard errors from the points' own
    """

    a: float
    b: float
    a_error: float
    b_error: float
    depths: tuple[float, ...]
    log_widths: tuple[float, ...]
    log_width_errors: tuple[float, ...]


def paper_fit(found: tuple[Crossing, ...], block_coefficient: float = 12.0) -> PaperFit | None:
    """None where fewer than two neighbouring depths cross."""
    points = [c for c in adjacent(found) if c.verdict == Verdict.CROSSES and c.params and c.log_error]
    if len(points) < 2:
        return None
    depths = np.array([c.shallow for c in points])
    sizes = np.array([c.params for c in points], float)
    errors = np.array([c.log_error for c in points], float) / 2
    log_widths = np.log(sizes / (block_coefficient * depths)) / 2
    design = np.stack([np.ones_like(depths), depths], -1) / errors[:, None]
    covariance = np.linalg.inv(design.T @ design)
    a, b = covariance @ design.T @ (log_widths / errors)
    return PaperFit(
        a=float(a),
        b=float(b),
        a_error=float(np.sqrt(covariance[0, 0])),
        b_error=float(np.sqrt(covariance[1, 1])),
        depths=tuple(map(float, depths)),
        log_widths=tuple(map(float, log_widths)),
        log_width_errors=tuple(map(float, errors)),
    )
