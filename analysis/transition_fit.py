"""A law of the transition, fitted to the losses of one token budget through the valley they form.

Every loss takes part. A pair of depths whose crossing lies beyond the data is not dropped: the shallower one's
measured lead says how far off the valley's bottom still is, which is a censored observation used at its full worth.
"""

from dataclasses import dataclass

import numpy as np

from analysis.arrays import Array
from analysis.cells import Cells, size_groups
from analysis.fit import Fit, interval
from analysis.noise import Noise, noise_of_seeds, pooled, resampled
from analysis.status import FitError, Status, worst
from analysis.surface import PRIOR, Surface, fit_surfaces, size_terms
from analysis.transition_law import TransitionLaw
from analysis.valley import ValleyShape

# A network this far from the best depth, in ln L, counts half: so far out the valley's shape is extrapolated.
REACH = 1.5
# A loss further from the surface than so many noises is weighted down, by the fourth power of its distance.
OUTLYING = 3.0
# Most coefficients of the size's own part: the fifth degree follows power laws over a factor of 1e5 in N to 1e-4 nats.
FINEST = 6
# A hill in place of a valley must be better by so much (of −2 ln likelihood) to be believed.
PLAINLY = 15.0
# Where depth is told by size to within this (standard deviation of ln L), no two depths share a size.
LEAST_SPREAD = 0.05
# Below this probability, the residuals are larger than seed noise explains.
MISFIT_LEVEL = 0.01


@dataclass(frozen=True, slots=True, kw_only=True)
class _Weighed:
    """The best of the starts, and the weights and noise that go with it."""

    surface: Surface
    relative: Array
    noise: Noise
    misfit: float


def fit_transition(
    law: type[TransitionLaw],
    cells: Cells,
    *,
    noise: Noise | None = None,
    replicates: int = 1000,
    confidence: float = 0.95,
    rng: np.random.Generator | None = None,
) -> Fit:
    """The law whose L*(N) runs along the bottom of the loss valley, with intervals by bootstrap over runs.

    noise   of one loss; by default measured: from the seeds, and from what the surface leaves over where they are
            few or agree with it
    rng     default_rng(0) where not given, so that a report does not change from one reading to the next

    Raises FitError where no two depths share a size, where there are too few networks for the surface, or where the
    loss has no valley in depth. A fit that came to something doubtful is returned with its status and the reasons.
    """
    problem = _Problem(law, cells)
    best = problem.solve(noise)
    notes: list[tuple[Status, str]] = problem.doubts(best)
    rng = rng or np.random.default_rng(0)
    tables = resampled(cells, best.noise, replicates, rng)
    again = problem.fit(
        tables, best.relative, best.noise, np.concatenate([best.surface.theta[0], best.surface.shapes[0]])
    )
    draws = again.theta[again.linear[:, -1] > 0]
    if len(draws) < 0.9 * replicates:
        lost = 1 - len(draws) / replicates
        notes.append((Status.NOT_IDENTIFIED, f"in {lost:.0%} of the resampled tables the loss has no valley in depth"))
    theta = best.surface.theta[0]
    reach = best.noise.quantile(confidence)
    eta, p, q = best.surface.shapes[0]
    return Fit(
        law=law.of(theta),
        status=worst([status for status, _ in notes]),
        notes=tuple(note for _, note in notes),
        intervals={
            name: interval(draws[:, k], float(theta[k]), confidence, reach) for k, name in enumerate(law.names())
        },
        draws=draws,
        confidence=confidence,
        reach=reach,
        objective=float(best.surface.objective[0]),
        rows=cells.rows,
        runs=cells.runs,
        params_range=(float(cells.params.min()), float(cells.params.max())),
        block_coefficient=cells.block_coefficient,
        counting=cells.counting,
        residuals=best.surface.residuals[0],
        noise=best.noise,
        valley=ValleyShape(
            curvature=float(best.surface.curvature[0]),
            trend=float(eta),
            rise=float(p),
            fall=float(q),
            log_params=float(cells.log_params.mean()),
        ),
    )


class _Problem:
    """One set of cells and one law: what the main fit and its replicates share."""

    def __init__(self, law: type[TransitionLaw], cells: Cells) -> None:
        self.law, self.cells = law, cells
        self.log_size = cells.log_params - np.log(cells.block_coefficient)
        groups = int(size_groups(cells.log_params).max()) + 1
        constants = len(law.names())
        free = len(cells.loss) - constants - 1
        self.terms = min(FINEST, groups, max(3, free // 2 - 1))
        if free < 6:
            raise FitError(
                f"{len(cells.loss)} networks are too few for {law.card.name}: its surface has {constants} constants, a "
                "curvature and at least three for the size; train at least nine networks over three sizes"
            )
        terms = size_terms(cells.log_params, self.terms)
        left = cells.log_depth - terms @ np.linalg.lstsq(terms, cells.log_depth, rcond=None)[0]
        if left.std() < LEAST_SPREAD:
            raise FitError(
                "no two depths share a size: each size was trained at one depth, so depth cannot be told from size; "
                "train the same sizes at several depths"
            )

    def fit(self, losses: Array, relative: Array, noise: Noise, start: Array) -> Surface:
        """Tables of losses (R, N) from starts (K + 3,) or (R, K + 3)."""
        cells = self.cells
        return fit_surfaces(
            cells.log_params,
            cells.log_depth,
            losses,
            relative / np.sqrt(cells.variance(noise.sd)),
            lambda theta: self.law.curve(theta, self.log_size),
            start,
            (np.array(self.law.lower), np.array(self.law.upper)),
            terms=self.terms,
        )

    def starts(self) -> Array:
        """(S, K + 3): the law through the best depth of each size, that moved up and down, and slanted."""
        groups = size_groups(self.cells.log_params)
        places = [int(np.flatnonzero(groups == g)[np.argmin(self.cells.loss[groups == g])]) for g in np.unique(groups)]
        log_size, log_depth = self.log_size[places], self.cells.log_depth[places]
        slant = (log_size - log_size.mean()) / np.ptp(log_size)
        moved = [log_depth + up + lean * slant for up in (-0.7, 0.0, 0.7) for lean in (0.0, 1.5)]
        thetas = np.stack([self.law.start(log_size, points) for points in moved])
        return np.concatenate([thetas, np.tile([mean for mean, *_ in PRIOR], (len(thetas), 1))], -1)

    def solve(self, given: Noise | None) -> _Weighed:
        """The best fit, its weights and its noise found in turn until they agree."""
        cells = self.cells
        seeds = given or noise_of_seeds(cells)
        noise = seeds or Noise(sd=float(np.ptp(cells.loss)) * 0.01, df=1.0, source="residuals")
        relative, starts, misfit = np.ones(len(cells.loss)), self.starts(), 1.0
        for _ in range(6):
            tables = np.broadcast_to(cells.loss, (len(starts), len(cells.loss)))
            surfaces = self.fit(tables, relative, noise, starts)
            rises = surfaces.linear[:, -1] > 0
            objective = np.where(rises, surfaces.objective, np.inf)
            if objective.min() > surfaces.objective.min() + PLAINLY:
                raise FitError(
                    "the loss has no valley in depth: middle depths are no better than the outer ones at any size, so "
                    "there is no best depth to fit; look at the losses by depth"
                )
            chosen = _only(surfaces, int(np.argmin(objective)))
            left = self._residual_noise(chosen, relative, noise)
            noise, misfit = _settled(seeds, left, given is not None)
            relative = self._relative_weights(chosen, noise)
            starts = np.concatenate([chosen.theta, chosen.shapes], -1)
        return _Weighed(surface=chosen, relative=relative, noise=noise, misfit=misfit)

    def _residual_noise(self, surface: Surface, relative: Array, noise: Noise) -> Noise:
        """Of a single run, from the weighted residuals.

        The residuals are (I − H)·ρ·noise, with H the hat matrix and ρ the relative weights: their expected sum of
        squares scales the noise, and Satterthwaite's ratio of its moments is the degrees of freedom.
        """
        columns = surface.columns[0]
        stiff = np.zeros(columns.shape[1])
        stiff[-len(PRIOR) :] = [1 / sd**2 for _, sd, *_ in PRIOR]
        hat = columns @ np.linalg.pinv(columns.T @ columns + np.diag(stiff)) @ columns.T
        left = (np.eye(len(hat)) - hat) * relative
        moments = left.T @ left
        expected = float(np.trace(moments))
        df = expected**2 / float((moments**2).sum())
        if df < 1:
            return Noise(sd=noise.sd, df=0.0, source="residuals")
        standard = relative * surface.residuals[0] / np.sqrt(self.cells.variance(noise.sd))
        return Noise(sd=noise.sd * float(np.sqrt((standard**2).sum() / expected)), df=df, source="residuals")

    def _relative_weights(self, surface: Surface, noise: Noise) -> Array:
        """Less than one for networks far from the valley's bottom, and for losses far from the surface."""
        bottom = self.law.curve(surface.theta, self.log_size)[0][0]
        near = 1 / np.sqrt(1 + np.abs((self.cells.log_depth - bottom) / REACH) ** 8)
        off = np.abs(surface.residuals[0]) / np.sqrt(self.cells.variance(noise.sd))
        return np.asarray(near * np.minimum(1, OUTLYING / np.maximum(off, 1e-300)) ** 2)

    def doubts(self, best: _Weighed) -> list[tuple[Status, str]]:
        """What is suspicious about a fit, each with a sentence."""
        surface, noise, cells = best.surface, best.noise, self.cells
        found: list[tuple[Status, str]] = []
        if not surface.converged[0]:
            found.append((Status.NOT_CONVERGED, "the optimiser stopped before the last digit settled"))
        if noise.df < 8:
            found.append((Status.FEW_DATA, f"the noise was measured with {noise.df:.0f} degrees of freedom only"))
        for name, value, low, high in zip(
            self.law.names(), surface.theta[0], self.law.lower, self.law.upper, strict=True
        ):
            if value <= low or value >= high:
                found.append((Status.AT_BOUND, f"{name} stopped at its bound, {value:g}"))
        if best.misfit > 1:
            found.append(
                (
                    Status.MISFIT,
                    f"the surface misses the losses by {best.misfit:.1f} times the noise between seeds; the intervals "
                    "are widened by that",
                )
            )
        off = np.abs(surface.residuals[0]) / np.sqrt(cells.variance(noise.sd))
        for place in np.flatnonzero(off > OUTLYING):
            found.append(
                (Status.CONVERGED, f"{cells.labels[place]} is {off[place]:.1f} noises from the surface and counts less")
            )
        bottom = np.exp(self.law.curve(surface.theta, self.log_size)[0][0])
        if bottom.min() > cells.depth.max() or bottom.max() < cells.depth.min():
            side = "above" if bottom.min() > cells.depth.max() else "below"
            found.append(
                (Status.NOT_IDENTIFIED, f"at every size trained the best depth lies {side} all depths trained")
            )
        return found


def _only(surface: Surface, place: int) -> Surface:
    return Surface(
        theta=surface.theta[[place]],
        shapes=surface.shapes[[place]],
        linear=surface.linear[[place]],
        residuals=surface.residuals[[place]],
        objective=surface.objective[[place]],
        columns=surface.columns[[place]],
        converged=surface.converged[[place]],
    )


def _settled(seeds: Noise | None, left: Noise, given: bool) -> tuple[Noise, float]:
    """The noise to go by, and by how much the residuals exceed that of the seeds (1 where they agree).

    Seeds and residuals are pooled unless an F-test tells them apart, when the larger, the residuals', is taken.
    """
    from scipy.special import fdtrc

    if seeds is None:
        if left.df < 1:
            raise FitError(
                "the noise cannot be measured: no network was trained with a second seed, and there are too few "
                "networks for what a smooth surface leaves over; train one network with two more seeds"
            )
        return left, 1.0
    if left.df < 1:
        return seeds, 1.0
    ratio = (left.sd / seeds.sd) ** 2
    if ratio > 1 and fdtrc(left.df, min(seeds.df, 1e6), ratio) < MISFIT_LEVEL:
        return left, float(np.sqrt(ratio))
    return (seeds if given else pooled(seeds, left)), 1.0
