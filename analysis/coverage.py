"""The method tried on worlds whose truth is known: one function draws a world, analyses it, and says what came out.

benchmarks/coverage.py runs thousands of them; tests/analysis/test_coverage.py a sample.
"""

import math
from typing import Any

import numpy as np

from analysis.cells import Cells, cells_of
from analysis.crossing_fit import fit_crossings
from analysis.crossings import crossings, summary
from analysis.fit import Fit
from analysis.laws.levine2020 import Levine2020
from analysis.losses import checked
from analysis.noise import noise_of_seeds
from analysis.status import FitError
from analysis.transition_fit import fit_transition
from analysis.valley import ValleyShape
from analysis.worlds import PAPER_DEPTHS, PAPER_LAW, VALLEYS, World, grid, some_repeats

Outcome = dict[str, Any]  # one world, ready to be written as JSON

PAPER = grid(PAPER_DEPTHS, 1e6, 6e8, 10)
TENTH = grid(PAPER_DEPTHS, 1e5, 6e7, 10)
FEW = grid((3, 6, 12, 24), 3e5, 2e8, 4)
# name: shapes, seeds a shape, what it is
FITTED = {
    "paper": (PAPER, some_repeats(PAPER), "the paper's grid; every fourth shape with three seeds"),
    "paper-one-seed": (PAPER, [1] * len(PAPER), "the paper's grid, one seed: noise from what the surface leaves over"),
    "tenth": (TENTH, some_repeats(TENTH), "sizes a tenth of the paper's: most crossings lie beyond the data"),
    "tenth-one-seed": (TENTH, [1] * len(TENTH), "the same with one seed"),
    "few": (FEW, some_repeats(FEW), "a quarter of the networks, four depths"),
}
# Worlds in which no depth overtakes another inside the data. The width at which the first one would, times this:
EMPTY: dict[str, float | None] = {
    "flat": None,  # depth does nothing at all
    "shallow": 10.0,  # the shallowest is best at every size trained, by far
    "beyond": 1.4,  # the first change comes at twice the largest size trained
    "level": 10.0,  # the shallowest leads at the small sizes, and at the large ones there is nothing between depths
    "deep": 0.002,  # the deepest is best at every size trained
}


def empty_world_of(kind: str, shapes: list[tuple[int, int]]) -> World:
    """A world in which no depth overtakes another at the sizes of these shapes."""
    factor = EMPTY[kind]
    if factor is None:
        return World(valley=None)
    largest = max(12 * depth * width**2 for depth, width in shapes)
    shallow, deeper = sorted({depth for depth, _ in shapes})[:2]
    first = math.sqrt(shallow * deeper)
    law = Levine2020(a=math.log(factor * math.sqrt(largest / (12 * first))) - PAPER_LAW.b * first, b=PAPER_LAW.b)
    if kind != "level":
        return World(law=law, valley=VALLEYS["gemstones"])
    vanishing = ValleyShape(curvature=1e-4, trend=1.5, rise=0.11, fall=0.476, log_params=math.log(largest))
    return World(law=law, valley=vanishing)


def drawn_cells(
    number: int, *, design: str = "paper", valley: str = "gemstones", rng: np.random.Generator | None = None
) -> Cells:
    """The cells of one numbered world; from a generator already at work, where one is given."""
    shapes, seeds, _ = FITTED[design]
    rng = rng or np.random.default_rng(number)
    return cells_of(checked(World(valley=VALLEYS[valley]).table(shapes, seeds, rng)))


def fitted_world(design: str, number: int, *, replicates: int = 1000) -> Outcome:
    """One world analysed: "a", "b" and "depth" (at 1T) each with error, covers and length; every fourth world also
    under "crossings_only", by the fit to crossings alone, or with the reason why that refused.
    """
    valley = list(VALLEYS)[number % len(VALLEYS)]
    rng = np.random.default_rng([2006, 12467, number, list(FITTED).index(design)])
    cells = drawn_cells(number, design=design, valley=valley, rng=rng)
    fit = fit_transition(Levine2020, cells, replicates=replicates, rng=rng)
    noise = noise_of_seeds(cells) or fit.noise
    assert noise is not None
    outcome: Outcome = {"world": number, "valley": valley, "status": str(fit.status), "noise": noise.sd}
    outcome |= against_truth(fit)
    if number % 4 == 0:
        try:
            alone = fit_crossings(Levine2020, cells, noise, replicates=replicates // 3, rng=rng)
            outcome["crossings_only"] = against_truth(alone)
        except FitError as error:
            outcome["crossings_only"] = {"refused": str(error)}
    return outcome


def against_truth(fit: Fit) -> Outcome:
    """Error, whether the interval covers, and its length, of a, b and the depth at 1T (its error in ln L)."""
    values = fit.law.values
    best, truth = float(fit.law.depth(1e12)), float(PAPER_LAW.depth(1e12))
    found = {
        "a": (values["a"] - PAPER_LAW.a, fit.intervals["a"], PAPER_LAW.a),
        "b": (values["b"] - PAPER_LAW.b, fit.intervals["b"], PAPER_LAW.b),
        "depth": (math.log(best / truth), fit.depth_interval(1e12), truth),
    }
    return {
        name: {"error": error, "covers": pair[0] <= true <= pair[1], "length": pair[1] - pair[0]}
        for name, (error, pair, true) in found.items()
        if pair
    }


def empty_world(design: str, number: int) -> Outcome:
    """One world without a transition inside its data: is one "found" all the same?"""
    kind = list(EMPTY)[number % len(EMPTY)]
    shapes, seeds, _ = FITTED[design]
    rng = np.random.default_rng([2006, 12467, number, 100 + list(FITTED).index(design)])
    world = empty_world_of(kind, shapes)
    cells = cells_of(checked(world.table(shapes, seeds, rng)))
    noise = noise_of_seeds(cells)
    assert noise is not None
    return {"world": number, "kind": kind, "found": summary(crossings(cells, noise)).startswith("found")}


def summarise(outcomes: list[Outcome], part: str | None = None) -> Outcome:
    """Over worlds: cover with its standard error, bias over standard deviation, that, and the median length."""
    rows = [outcome[part] for outcome in outcomes if part in outcome] if part else outcomes
    rows = [row for row in rows if "a" in row]
    total: Outcome = {"worlds": len(rows)}
    for name in ("a", "b", "depth"):
        errors = np.array([row[name]["error"] for row in rows])
        covers = np.array([row[name]["covers"] for row in rows], float)
        total[name] = {
            "cover": float(covers.mean()),
            "cover_se": float(np.sqrt(covers.mean() * (1 - covers.mean()) / len(covers))),
            "bias_over_sd": float(errors.mean() / errors.std()),
            "sd": float(errors.std()),
            "median_length": float(np.median([row[name]["length"] for row in rows])),
        }
    return total
