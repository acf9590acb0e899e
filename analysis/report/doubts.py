"""How sure the answer is, and what it does not rest on."""

from __future__ import annotations

from itertools import pairwise

import numpy as np

from analysis.crossings import adjacent
from analysis.fit import Fit
from analysis.law import LawError
from analysis.ranking import NO_SHAPE
from analysis.report.measured import measured
from analysis.report.reading import Reading
from analysis.report.wording import count, layers, listed, number, sentence, size
from analysis.source import Source
from analysis.status import Status
from analysis.study import Study


def how_sure(study: Study, own: Source | None) -> list[str]:
    """Noise, verdicts, the fit and its rivals, the ranking."""
    cells, noise = study.cells, study.noise
    repeated = int((cells.repeats > 1).sum())
    how = f"from repeats of {count(repeated, 'network')}" if noise.source == "seeds" else f"from the {noise.source}"
    said = [
        f"One training's loss is uncertain by {number(noise.sd, 2)} nats ({how}); two networks must differ by about "
        f"{number(noise.quantile(0.95) * noise.sd * 2**0.5, 2)} nats before their order means anything."
    ]
    verdicts = [f"{c.shallow:g} and {c.deep:g} layers: {c.verdict}" for c in adjacent(study.crossings)]
    if verdicts:
        said.append(f"Pairs of neighbouring depths: {'; '.join(verdicts)}.")
    if own is not None:
        name = own.law.card.name
        fit = study.fits[name]
        doubt = "" if fit.status == Status.CONVERGED else f", and is to be doubted: {fit.status}"
        said.append(f"This sweep's law is {name}, fitted to {count(fit.runs, 'run')}{doubt}.")
        said += [sentence(note) for note in fit.notes]
        if others := [one for one in study.fits.values() if one is not fit and _has_depth(one)]:
            large = float(cells.params.max())
            said.append(
                f"The other laws that could be fitted ({listed([one.law.card.name for one in others])}) want "
                f"{_depths_of(others, large)} at {size(large)}, where it wants {layers(float(own.depth(large)))}, and "
                f"{_depths_of(others, 1e12)} at 1T, where it wants {layers(float(own.depth(1e12)))}: that spread is "
                "no part of any interval."
            )
    else:
        said.append("No law could be fitted to these losses; the reasons stand under “The laws”.")
    said += [_ranked(study)] if study.ranking else []
    said += [sentence(line) for line in study.disagreements]
    if study.ranking_refused:
        said.append(f"Laws could not be ranked on larger sizes: {study.ranking_refused}.")
    return said


def _has_depth(fit: Fit) -> bool:
    try:
        fit.law.depth(1e9, fit.block_coefficient)
    except LawError:
        return False
    return True


def _depths_of(fits: list[Fit], params: float) -> str:
    depths = [float(fit.law.depth(params, fit.block_coefficient)) for fit in fits]
    low, high = layers(min(depths)), layers(max(depths))
    return f"{low} layers" if low == high else f"{low} to {high} layers"


def _ranked(study: Study) -> str:
    first, nothing = study.ranking[0], next(r for r in study.ranking if r.law == NO_SHAPE)
    if first.law == NO_SHAPE:
        return (
            "Fitted to the smaller sizes, no law foretold the larger ones better than “depth does nothing”: on this "
            "evidence none has learnt anything about depth."
        )
    return (
        f"Fitted to the smaller sizes, {first.law} foretold what depth does at the larger ones best: off by "
        f"{number(first.shape_error, 2)} nats, against {number(nothing.shape_error, 2)} for “depth does nothing”."
    )


def not_seen(study: Study) -> list[str]:
    """Sizes, budgets, depths and repeats that are not in the data."""
    cells = study.cells
    low, high = float(cells.params.min()), float(cells.params.max())
    said = [
        f"Sizes below {size(low)} and above {size(high)} parameters: a guideline for 1B is {size(1e9 / high, 1)} times "
        "beyond the data and rests on the law's form alone."
        if high < 1e9
        else f"Sizes below {size(low)} and above {size(high)} parameters."
    ]
    others = study.table["tokens"][study.table["flag"].fillna("").str.startswith("trained on another budget")].nunique()
    said.append(
        f"Budgets other than {size(cells.tokens, 3)} tokens"
        + (f" ({count(others, 'other budget')} in the record, not used here)" if others > 0 else "")
        + ": the best depth rises with the tokens seen."
    )
    table, depths = measured(study), np.unique(cells.depth)
    edges = [row for row in table if row.runner_up is not None and row.depth == max(depths)]
    if edges:
        said.append(
            f"Depths beyond {max(depths):g} layers, though the deepest trained is the best at N = "
            f"{listed([size(row.params) for row in edges])}."
        )
    if not (cells.repeats > 1).any():
        said.append("Repeats: no network was trained with a second seed, so the noise is what a smooth surface leaves.")
    gaps = [(a.params, b.params) for a, b in pairwise(table) if b.params / a.params > 5]
    said += [f"Sizes between {size(a)} and {size(b)}: a gap of more than a factor of five." for a, b in gaps]
    return said


def gaps(reading: Reading) -> list[str]:
    """What the plan left out, and what ended without a usable loss."""
    said = [f"Noted in the plan: {note}" + ("" if note.endswith(".") else ".") for note in reading.notes]
    bad = {state: n for state, n in reading.states.items() if state not in ("completed", "planned", "unfinished")}
    if bad:
        kinds = listed([f"{n} {state.replace('_', ' ')}" for state, n in bad.items()])
        said.append(f"{count(sum(bad.values()), 'trial')} without a usable loss: {kinds}. They are named below.")
    return said
