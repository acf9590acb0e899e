"""One sweep, one token budget: everything the data says about depth and width, in the order in which it is concluded.

loss table → cells → noise → crossings and valley bottoms → laws with intervals → ranking. A step that the data refuses
leaves its reason in place of its result, and the steps that do not need it go on.
"""

from dataclasses import dataclass

import numpy as np
import pandas as pd

from analysis.catalogue import find, law_names
from analysis.cells import SAME_SIZE, Cells, at_budget, cells_of, size_groups
from analysis.crossing_fit import fit_crossings
from analysis.crossings import Crossing, Verdict, crossings, summary
from analysis.fit import Fit
from analysis.groups import Group, groups_of
from analysis.law import LawError
from analysis.laws.transition_power import TransitionPower
from analysis.loss_fit import fit_losses
from analysis.losses import checked
from analysis.noise import FEWEST_DF, Noise, noise_of_seeds
from analysis.paper_convention import PaperFit, paper_fit
from analysis.ranking import Ranked, rank_laws
from analysis.status import FitError
from analysis.transition_fit import fit_transition
from analysis.transition_law import TransitionLaw
from analysis.valleys import Bottom, bottoms

# More standard errors than this between the two ways of fitting a law, and a reader is told.
DISAGREEMENT = 2.5


@dataclass(frozen=True, slots=True, kw_only=True)
class Study:
    """What came out.

    table           every row, flagged where it was not used
    crossings       of every pair of depths; empty where depths are too scattered for curves
    transition      one sentence: found, or bounded from one side, or none
    bottoms         best depth near each size
    fits            by law; refused: the reason, by law, where there is none
    second_opinion  the law fitted to crossings alone, by law, where there are enough; disagreements: sentences
    paper           the paper's own convention
    ranking         of the laws by held-out larger sizes, or ranking_refused, why there is none
    """

    table: pd.DataFrame
    cells: Cells
    noise: Noise
    crossings: tuple[Crossing, ...]
    transition: str
    bottoms: tuple[Bottom, ...]
    groups: tuple[Group, ...]
    fits: dict[str, Fit]
    refused: dict[str, str]
    second_opinion: dict[str, Fit]
    disagreements: tuple[str, ...]
    paper: PaperFit | None
    ranking: tuple[Ranked, ...]
    ranking_refused: str | None

    def fit(self, law: str) -> Fit:
        """Of one law. Raises FitError with the reason where the data refused it."""
        if law in self.fits:
            return self.fits[law]
        raise FitError(f"{law}: {self.refused.get(law, 'was not asked for in this study')}")


@dataclass(frozen=True, slots=True, kw_only=True)
class SizeRow:
    """One row of the loss table by size and depth: N, loss by depth, and the depth of least loss."""

    params: float
    losses: dict[int, float]
    best: int


def study(
    rows: pd.DataFrame,
    *,
    tokens: float | None = None,
    laws: tuple[str, ...] | None = None,
    noise_sd: float | None = None,
    replicates: int = 1000,
    confidence: float = 0.95,
    seed: int = 0,
) -> Study:
    """Analyse a loss table (see analysis.losses; checked here) at one token budget.

    tokens     by default the budget of most shapes
    laws       by default all
    noise_sd   of one loss, nats, where the caller knows it; by default measured

    Raises FitError where nothing can be concluded: no usable rows, one depth, two sizes, equal losses, no noise.
    """
    table = checked(rows)
    cells = cells_of(table, tokens)
    noise = Noise(sd=noise_sd, df=np.inf, source="given") if noise_sd else measured_noise(cells)
    given = noise if noise_sd else None
    found: tuple[Crossing, ...] = ()
    try:
        found = crossings(cells, noise, confidence=confidence, seed=seed)
        transition = summary(found)
    except FitError as error:
        transition = f"no curves to compare: {error}"
    nothing = bool(found) and not any(c.verdict == Verdict.CROSSES for c in found)
    fits: dict[str, Fit] = {}
    second: dict[str, Fit] = {}
    refused: dict[str, str] = {}
    for name in law_names() if laws is None else laws:
        law, rng = find(name), np.random.default_rng(seed)
        try:
            if issubclass(law, TransitionLaw):
                if nothing:
                    raise FitError(f"no transition to fit: {transition}")
                fits[name] = fit_transition(
                    law, cells, noise=given, replicates=replicates, confidence=confidence, rng=rng
                )
            else:
                fits[name] = fit_losses(law, table, replicates=replicates, confidence=confidence, rng=rng)
        except (FitError, LawError) as error:
            refused[name] = str(error)
            continue
        if issubclass(law, TransitionLaw) and found:
            try:
                second[name] = fit_crossings(law, cells, noise, replicates=replicates, confidence=confidence, rng=rng)
            except FitError:
                continue
    ranking: tuple[Ranked, ...] = ()
    ranking_refused = None
    try:
        ranking = rank_laws(table, tokens=cells.tokens, laws=laws, noise=given)
    except FitError as error:
        ranking_refused = str(error)
    return Study(
        table=at_budget(table, cells.tokens),
        cells=cells,
        noise=noise,
        crossings=found,
        transition=transition,
        bottoms=bottoms(cells, noise, confidence=confidence),
        groups=groups_of(cells, noise),
        fits=fits,
        refused=refused,
        second_opinion=second,
        disagreements=tuple(
            _disagreement(fits[name], second[name]) for name in second if _apart(fits[name], second[name])
        ),
        paper=paper_fit(found, cells.block_coefficient),
        ranking=ranking,
        ranking_refused=ranking_refused,
    )


def best_law(study: Study) -> str:
    """The law that foretells larger sizes best among those that were fitted. Raises FitError where none was."""
    ranked = [one.law for one in study.ranking if one.law in study.fits] or list(study.fits)
    if not ranked:
        reasons = "; ".join(f"{law}: {reason}" for law, reason in study.refused.items())
        raise FitError(f"no law could be fitted to this sweep: {reasons}")
    return ranked[0]


def measured_noise(cells: Cells) -> Noise:
    """From the seeds, or, where they are few or none, with what a smooth surface leaves over. Raises FitError."""
    seeds = noise_of_seeds(cells)
    if seeds is not None and seeds.df >= FEWEST_DF:
        return seeds
    try:
        noise = fit_transition(TransitionPower, cells, replicates=0).noise
    except FitError as error:
        if seeds is not None:
            return seeds
        raise FitError(
            f"the noise cannot be measured: no network was trained with a second seed, and {len(cells.loss)} networks "
            "leave nothing over from a smooth surface; train one network with two more seeds, or say the noise if you "
            "know it"
        ) from error
    assert noise is not None
    return noise


def by_size(cells: Cells) -> tuple[SizeRow, ...]:
    """The loss table by size and depth, smallest size first; within a size, the network nearest to its mean.

    Where each depth has sizes of its own, rows are made wider until there are about as many as a depth has sizes.
    """
    most = max(int((cells.depth == depth).sum()) for depth in np.unique(cells.depth))
    for ratio in (SAME_SIZE, 1.4, 1.6, 1.8, 2.0):
        groups = size_groups(cells.log_params, ratio)
        if groups.max() + 1 <= 1.25 * most:
            break
    rows = []
    for group in np.unique(groups):
        members = np.flatnonzero(groups == group)
        middle = cells.log_params[members].mean()
        members = members[np.argsort(-np.abs(cells.log_params[members] - middle))]
        losses = {int(cells.depth[i]): float(cells.loss[i]) for i in members}
        losses = dict(sorted(losses.items()))
        rows.append(SizeRow(params=float(np.exp(middle)), losses=losses, best=min(losses, key=lambda d: losses[d])))
    return tuple(rows)


def _middle(fit: Fit) -> float:
    return float(np.sqrt(fit.params_range[0] * fit.params_range[1]))


def _apart(fit: Fit, other: Fit) -> bool:
    """Whether two fits of a law give depths at the middle size that their intervals do not explain."""
    middle = _middle(fit)
    depths = [float(np.log(one.law.depth(middle, one.block_coefficient))) for one in (fit, other)]
    intervals = [one.depth_interval(middle) for one in (fit, other)]
    widths = [
        np.log(pair[1] / pair[0]) / (2 * one.reach) for pair, one in zip(intervals, (fit, other), strict=True) if pair
    ]
    return len(widths) == 2 and abs(depths[0] - depths[1]) > DISAGREEMENT * float(np.hypot(*widths))


def _disagreement(fit: Fit, other: Fit) -> str:
    middle = _middle(fit)
    surface, alone = (float(one.law.depth(middle, one.block_coefficient)) for one in (fit, other))
    return (
        f"{fit.law.card.name}: at N = {middle:.2g} the valley says {surface:.1f} layers and the crossings alone "
        f"{alone:.1f}, further apart than their errors explain: the valley is not of the assumed shape"
    )
