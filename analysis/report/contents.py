"""What stands in a report, from a reading and its study; nothing here reads or writes."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any

import pandas as pd

from analysis.catalogue import find
from analysis.guideline import published_sources
from analysis.report.answer import Answer, answer
from analysis.report.ask import ask_data
from analysis.report.charts.best_depth import best_depth_chart
from analysis.report.charts.chart import Chart
from analysis.report.charts.guideline import guideline_chart
from analysis.report.charts.losses import losses_chart
from analysis.report.charts.residuals import residuals_chart
from analysis.report.charts.training import training_chart
from analysis.report.charts.transition import transition_chart
from analysis.report.charts.valleys import valleys_chart
from analysis.report.laws import LawTable, law_tables
from analysis.report.reading import Reading
from analysis.report.theory import theory_rows, theory_sentences
from analysis.report.trials import Flagged, TrialRow, flagged_rows, flags_of, trial_rows
from analysis.source import Source, source_of_fit, source_of_published
from analysis.status import FitError
from analysis.study import Study, best_law, study


@dataclass(frozen=True, slots=True, kw_only=True)
class Conclusions:
    """What the losses say, or `refusal`, why they say nothing; with the sweep's own law where there is one.

    charts, ask   made once for a study, since bands resample a law many times
    """

    study: Study | None
    refusal: str | None
    own: Source | None
    charts: tuple[Chart, ...]
    ask: dict[str, Any]


@dataclass(frozen=True, slots=True, kw_only=True)
class Contents:
    """Everything the templates print."""

    reading: Reading
    conclusions: Conclusions
    answer: Answer
    charts: tuple[Chart, ...]
    laws: tuple[LawTable, ...]
    theory: tuple[str, ...]
    theory_rows: tuple[tuple[str, str, str, str], ...]
    trials: tuple[TrialRow, ...]
    flagged: tuple[Flagged, ...]


def conclude(
    losses: pd.DataFrame, *, tokens: float | None = None, law: str | None = None, replicates: int = 1000
) -> Conclusions:
    """Study a loss table for a report. Nothing is raised for data that refuse: the reason is the result.

    law          the sweep's own law is this one; by default the best ranked
    replicates   resampled tables behind every interval

    Raises FitError where `law` or `tokens` is named and the data refuses it, LawError where there is no such law.
    """
    made, refusal, own = None, None, None
    try:
        made = study(losses, tokens=tokens, replicates=replicates)
    except FitError as error:
        if tokens is not None:
            raise
        refusal = str(error)
    if law is not None:
        find(law)
    published = published_sources()
    charts: list[Chart | None] = []
    if made is not None:
        try:
            name = law or best_law(made)
            own = source_of_fit(f"fit:{name}", made.fit(name))
        except FitError as error:
            if law is not None:
                raise
            refusal = str(error)
        fit = made.fits[own.law.card.name] if own else None
        levine = source_of_published("levine2020")
        charts = [
            losses_chart(made),
            best_depth_chart(made, own, levine),
            valleys_chart(made, fit),
            transition_chart(made, fit, levine),
            residuals_chart(made, fit),
        ]
    charts.append(guideline_chart(own, published))
    return Conclusions(
        study=made,
        refusal=refusal,
        own=own,
        charts=tuple(chart for chart in charts if chart),
        ask=ask_data(own, published),
    )


def nothing_yet(reason: str) -> Conclusions:
    """Stands in for conclusions that are still being drawn."""
    published = published_sources()
    return Conclusions(
        study=None, refusal=reason, own=None, charts=(guideline_chart(None, published),), ask=ask_data(None, published)
    )


def contents(reading: Reading, conclusions: Conclusions) -> Contents:
    """Everything a page says."""
    made = conclusions.study
    flags = flags_of(reading, made)
    training = training_chart(reading)
    return Contents(
        reading=reading,
        conclusions=conclusions,
        answer=answer(reading, made, conclusions.refusal, conclusions.own, source_of_published("levine2020")),
        charts=(*conclusions.charts, *([training] if training else [])),
        laws=law_tables(made) if made else (),
        theory=theory_sentences(made) if made else (),
        theory_rows=theory_rows(made) if made else (),
        trials=trial_rows(reading, flags),
        flagged=flagged_rows(reading, flags),
    )
