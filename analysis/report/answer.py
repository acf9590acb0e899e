"""The answer first: what shape for what size, how sure that is, and what was not seen."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np

from analysis.crossings import Verdict, adjacent
from analysis.report.doubts import gaps, how_sure, not_seen
from analysis.report.measured import measured
from analysis.report.reading import Reading
from analysis.report.wording import between, count, layers, listed, sentence, shape, size
from analysis.source import Source
from analysis.study import Study

BEYOND = (1e9, 1e11, 1e12)


@dataclass(frozen=True, slots=True, kw_only=True)
class Row:
    """One size: what was measured there, by this sweep's law, and by the published one; text, "–" where missing."""

    params: str
    measured: str
    lead: str
    own: str
    own_interval: str
    published: str
    beyond: str


@dataclass(frozen=True, slots=True, kw_only=True)
class Answer:
    """headline: one sentence; lead: what it rests on; provisional: what is still to come; rows; sure; unseen."""

    headline: str
    lead: str
    provisional: str | None
    rows: tuple[Row, ...]
    sure: tuple[str, ...]
    unseen: tuple[str, ...]


def answer(reading: Reading, study: Study | None, refusal: str | None, own: Source | None, published: Source) -> Answer:
    """In words, from a study, or, where there is none, from the reason for which there is none."""
    provisional = _provisional(reading)
    if study is None:
        return Answer(
            headline="No answer yet" if reading.running else "This sweep gives no answer",
            lead=sentence(refusal or "nothing has been trained"),
            provisional=provisional,
            rows=(),
            sure=(),
            unseen=tuple(gaps(reading)),
        )
    return Answer(
        headline=headline(study, own),
        lead=_lead(study),
        provisional=provisional,
        rows=_rows(study, own, published),
        sure=tuple(how_sure(study, own)),
        unseen=(*not_seen(study), *gaps(reading)),
    )


def headline(study: Study, own: Source | None) -> str:
    """One sentence for the top of the page."""
    found = sorted((c for c in adjacent(study.crossings) if c.verdict == Verdict.CROSSES), key=lambda c: c.shallow)
    low, high = float(study.cells.params.min()), float(study.cells.params.max())
    if len(found) == 1:
        one = found[0]
        return (
            f"{count(int(one.deep), 'layer').capitalize()} overtake{'s' if one.deep == 1 else ''} {one.shallow:g} "
            f"at about {size(one.params)} parameters"
        )
    if found:
        return (
            f"The best depth grows from {found[0].shallow:g} to {found[-1].deep:g} layers "
            f"between {size(found[0].params)} and {size(found[-1].params)} parameters"
        )
    if own is not None:
        middle = float(np.sqrt(low * high))
        return f"At {size(middle)} parameters the best depth is about {layers(float(own.depth(middle)))} layers"
    bounded = [c for c in adjacent(study.crossings) if c.verdict in (Verdict.NOT_YET, Verdict.ALREADY)]
    if bounded:
        return "No change of the best depth inside the sizes trained, only bounds on where it lies"
    return "This sweep cannot tell its depths apart"


def _lead(study: Study) -> str:
    cells = study.cells
    depths = [f"{depth:g}" for depth in np.unique(cells.depth)]
    spread = f"{listed(depths)} layers" if len(depths) <= 7 else f"{depths[0]} to {depths[-1]} layers"
    return (
        f"From {count(len(cells.loss), 'network')} of {spread} and {size(float(cells.params.min()))} to "
        f"{size(float(cells.params.max()))} parameters, each trained on {size(cells.tokens, 3)} tokens. "
        f"{transition_sentence(study)}"
    )


def transition_sentence(study: Study) -> str:
    """Which depths overtake which, and where; or why that is not known."""
    found = [c for c in adjacent(study.crossings) if c.verdict == Verdict.CROSSES]
    if not found:
        return f"Transition: {study.transition}."
    each = [
        f"{c.deep:g} layers overtake {c.shallow:g} near {size(c.params)} ({between(c.interval, size)})" for c in found
    ]
    return f"{'; '.join(each)}."


def _provisional(reading: Reading) -> str | None:
    if not reading.running:
        return None
    ended = len(reading.trials) - sum(
        reading.states[state] for state in ("planned", "unfinished", "interrupted", "lost")
    )
    wait = f" {count(len(reading.waiting), 'group')} of trials wait for others." if reading.waiting else ""
    return (
        f"Provisional: {ended} of {count(len(reading.trials), 'trial')} {'has' if ended == 1 else 'have'} ended."
        f"{wait} Everything below will change as more do."
    )


def _rows(study: Study, own: Source | None, published: Source) -> tuple[Row, ...]:
    table = measured(study)
    chosen = [table[int(i)] for i in np.unique(np.linspace(0, len(table) - 1, 8).astype(int))]
    rows = [
        Row(
            params=size(row.params),
            measured=row.label,
            lead=row.sentence(),
            own=_shape(own, row.params),
            own_interval=between(own.depth_interval(row.params)) if own else "–",
            published=_shape(published, row.params),
            beyond="",
        )
        for row in chosen
    ]
    largest = float(study.cells.params.max())
    for params in BEYOND:
        if params > largest:
            rows.append(
                Row(
                    params=size(params),
                    measured="not trained",
                    lead="–",
                    own=_shape(own, params),
                    own_interval=between(own.depth_interval(params)) if own else "–",
                    published=_shape(published, params),
                    beyond=f"{size(params / largest, 1)}× beyond",
                )
            )
    return tuple(rows)


def _shape(source: Source | None, params: float) -> str:
    if source is None:
        return "–"
    depth = float(source.depth(params))
    return shape(depth, float(source.width(params, depth)))
