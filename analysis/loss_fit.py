"""An additive law of the loss, fitted to every usable row of a loss table, intervals by bootstrap over runs."""

import numpy as np
import pandas as pd

from analysis.additive import AdditiveLaw
from analysis.arrays import Array
from analysis.fit import Fit, interval
from analysis.losses import used
from analysis.robust import HUBER_DELTA, Problem, minimise, polish
from analysis.status import FitError, Status, worst

STARTS = 12
LARGEST_EXPONENT = 5.0
SMALLEST_EXPONENT = 1e-3
# ln of a term at the middle of the data: from nothing at all to far more than any loss.
TERM_BOUNDS = (-20.0, 3.0)
# Below this share of the smallest loss, the irreducible loss is as good as zero.
NO_IRREDUCIBLE = 1e-3
LOG_OF_ZERO = -30.0  # stands for ln 0 in the constants, so that they stay numbers


def fit_losses(
    law: type[AdditiveLaw],
    table: pd.DataFrame,
    *,
    delta: float = HUBER_DELTA,
    irreducible: float | None = None,
    replicates: int = 1000,
    confidence: float = 0.95,
    rng: np.random.Generator | None = None,
) -> Fit:
    """The law of least Σ Huber_δ(ln loss − ln law) over the rows without a flag.

    irreducible   E held at this value, nats; by default it is fitted
    replicates    resampled tables: runs drawn with replacement, all rows of a run together

    Raises FitError where a variable of the law does not vary or is missing, or where there are fewer runs than the
    constants of shape and size, or fewer rows than constants.
    """
    rng = rng or np.random.default_rng(0)
    rows = used(table)
    features = law.features(law_columns(rows))
    log_losses = np.log(rows["loss"].to_numpy(float))
    runs, run_of_row = np.unique(rows["run"].to_numpy(str), return_inverse=True)
    _refuse(law, features, runs, rows)
    middle = features.mean(0)
    problem = _problem(features - middle, log_losses, np.ones(len(rows)), delta, irreducible)
    found = [minimise(problem, start) for start in _starts(problem, rng)]
    best, value = polish(problem, min(found, key=lambda pair: pair[1])[0])
    points = np.empty((replicates, len(best)))
    for number in range(replicates):
        times = np.bincount(rng.integers(len(runs), size=len(runs)), minlength=len(runs)).astype(float)
        kept = times[run_of_row] > 0
        again = _problem((features - middle)[kept], log_losses[kept], times[run_of_row][kept], delta, irreducible)
        points[number] = minimise(again, best)[0]
    theta, draws = _theta(best[None], middle)[0], _theta(points, middle)
    reach = _reach(len(runs), len(best), confidence)
    notes = _doubts(law, problem, best, points, irreducible, len(runs), found)
    open_constants = {"log_irreducible"} if any("irreducible" in note for _, note in notes) else set()
    return Fit(
        law=law.of(theta),
        status=worst([status for status, _ in notes]),
        notes=tuple(note for _, note in notes),
        intervals={
            name: None if name in open_constants else interval(draws[:, k], float(theta[k]), confidence, reach)
            for k, name in enumerate(law.names())
        },
        draws=draws,
        confidence=confidence,
        reach=reach,
        objective=value,
        rows=len(rows),
        runs=len(runs),
        params_range=(float(rows["params"].min()), float(rows["params"].max())),
        block_coefficient=float((rows["params"] / (rows["depth"] * rows["width"] ** 2)).median()),
        counting=str(rows["counting"].iloc[0]),
        residuals=problem.at(best)[3],
    )


def objective(law: AdditiveLaw, table: pd.DataFrame, delta: float = HUBER_DELTA) -> float:
    """Σ Huber_δ(ln loss − ln law) over the rows without a flag, at the law's own constants."""
    from analysis.additive import log_loss

    rows = used(table)
    residuals = np.abs(np.log(rows["loss"].to_numpy(float)) - log_loss(law.theta, law.features(law_columns(rows))))
    return float(np.where(residuals <= delta, residuals**2 / 2, delta * (residuals - delta / 2)).sum())


def irreducible_profile(
    law: type[AdditiveLaw], table: pd.DataFrame, values: Array, params: float = 1e12
) -> list[dict[str, float | None]]:
    """How much the fit and the guideline at N = params hang on the irreducible loss: one refit for each value held.

    Each entry: irreducible (nats), objective, depth (None where the law has none).
    """
    entries: list[dict[str, float | None]] = []
    for value in values:
        fit = fit_losses(law, table, irreducible=float(value), replicates=0)
        has_depth = "depth" in law.variables and "width" in law.variables
        depth = float(fit.law.depth(params, fit.block_coefficient)) if has_depth else None
        entries.append({"irreducible": float(value), "objective": fit.objective, "depth": depth})
    return entries


def law_columns(rows: pd.DataFrame) -> dict[str, Array]:
    """Width, depth, params and tokens of a loss table's rows, as additive laws take them."""
    columns = {name: rows[name].to_numpy(float) for name in ("width", "depth", "tokens")}
    # Authors of such laws count all parameters; the blocks' alone where a table does not have the total.
    total = rows["params_total"]
    columns["params"] = (rows["params"] if total.isna().any() else total).to_numpy(float)
    return columns


def _refuse(law: type[AdditiveLaw], features: Array, runs: Array, rows: pd.DataFrame) -> None:
    constants = 2 * len(law.variables) + 1
    for column, name in enumerate(law.variables):
        if np.ptp(features[:, column]) < 0.1:
            raise FitError(
                f"{law.card.name} has {name} in it, and every usable row has the same {name} "
                f"({rows[name].iloc[0]:g}); it needs several"
            )
    if len(rows) <= constants:
        raise FitError(f"{len(rows)} usable rows are too few for the {constants} constants of {law.card.name}")
    least = constants - 2 if "tokens" in law.variables else constants
    if len(runs) < least:
        raise FitError(
            f"{len(runs)} runs are too few for {law.card.name}: rows of one run are not independent, and its constants "
            f"of shape and size need {least} runs"
        )


def _problem(centred: Array, log_losses: Array, weights: Array, delta: float, irreducible: float | None) -> Problem:
    count = centred.shape[1]
    lowest = np.exp(log_losses.min())
    low, high = (0.0, 0.999 * lowest) if irreducible is None else (irreducible, irreducible)
    return Problem(
        centred=centred,
        log_losses=log_losses,
        weights=weights,
        lower=np.concatenate([np.full(count, SMALLEST_EXPONENT), np.full(count, TERM_BOUNDS[0]), [low]]),
        upper=np.concatenate([np.full(count, LARGEST_EXPONENT), np.full(count, TERM_BOUNDS[1]), [high]]),
        delta=delta,
    )


def _starts(problem: Problem, rng: np.random.Generator) -> Array:
    """(STARTS, P): exponents as published laws have them, terms and E that share the middle loss at random."""
    count = problem.centred.shape[1]
    middle = float(np.exp(np.median(problem.log_losses)))
    exponents = rng.uniform(0.05, 1.0, (STARTS, count))
    shares = rng.dirichlet(np.ones(count + 1), STARTS) * middle
    return np.concatenate([exponents, np.log(shares[:, :-1]), shares[:, -1:]], 1)


def _theta(points: Array, middle: Array) -> Array:
    """The law's constants (R, 2V + 1) of points in centred variables: ln f is the same function."""
    count = len(middle)
    exponents = points[:, :count]
    coefficients = points[:, count:-1] + exponents * middle
    irreducible = np.maximum(np.log(np.maximum(points[:, -1:], 1e-300)), LOG_OF_ZERO)
    return np.concatenate([exponents, coefficients, irreducible], 1)


def _reach(runs: int, constants: int, confidence: float) -> float:
    """Student's t with as many degrees of freedom as runs exceed constants, three at the least."""
    from scipy.special import stdtrit

    return float(stdtrit(max(runs - constants, 3), (1 + confidence) / 2))


def _doubts(
    law: type[AdditiveLaw],
    problem: Problem,
    best: Array,
    points: Array,
    irreducible: float | None,
    runs: int,
    found: list[tuple[Array, float]],
) -> list[tuple[Status, str]]:
    notes: list[tuple[Status, str]] = []
    values = np.sort([value for _, value in found])
    if (values < values[0] * (1 + 1e-3)).sum() < 2:
        notes.append(
            (Status.NOT_CONVERGED, f"only one of {len(values)} starts found the optimum: there may be a better")
        )
    lowest = float(np.exp(problem.log_losses.min()))
    if irreducible is None:
        none = float((points[:, -1] < NO_IRREDUCIBLE * lowest).mean()) if len(points) else 0.0
        if best[-1] < NO_IRREDUCIBLE * lowest or none > 0.025:
            where = "ended at zero" if best[-1] < NO_IRREDUCIBLE * lowest else f"is {best[-1]:.3g}"
            often = f", and is zero in {none:.0%} of the resampled tables" if len(points) else ""
            note = (
                f"the irreducible loss {where}{often}: the data does not identify it, and guidelines far out hang on it"
            )
            notes.append((Status.NOT_IDENTIFIED, note))
    for name, value, low, high in zip(law.names()[:-1], best[:-1], problem.lower, problem.upper, strict=False):
        if value <= low or value >= high:
            notes.append((Status.AT_BOUND, f"{name} stopped at its bound: its term is not told from a constant"))
    if runs < 2 * len(law.names()):
        notes.append((Status.FEW_DATA, f"{runs} runs for {len(law.names())} constants"))
    return notes
