"""The laws: constants fitted here with their intervals, beside the published ones; what was refused, and why."""

from __future__ import annotations

from dataclasses import dataclass

from analysis.catalogue import card
from analysis.report.wording import number
from analysis.study import Study


@dataclass(frozen=True, slots=True, kw_only=True)
class LawTable:
    """One law. rows: (constant, fitted, interval, published); status and reason: one of them is None."""

    name: str
    formula: str
    source: str
    cannot: str
    status: str | None
    reason: str | None
    rows: tuple[tuple[str, str, str, str], ...]
    published_from: str | None
    notes: tuple[str, ...]


def law_tables(study: Study) -> tuple[LawTable, ...]:
    """Fitted ones first, in the order of the catalogue."""
    tables = []
    for name in (*study.fits, *study.refused):
        about, fit = card(name), study.fits.get(name)
        known = about.published[0] if about.published else None
        names = list(fit.law.values) if fit else list(known.values) if known else []
        rows = []
        for constant in names:
            pair = fit.intervals.get(constant) if fit else None
            rows.append(
                (
                    constant,
                    number(fit.law.values[constant], 4) if fit else "–",
                    f"{number(pair[0], 4)} to {number(pair[1], 4)}" if pair else "open" if fit else "–",
                    _published(known.values.get(constant), _sd(known.covariance, list(known.values), constant))
                    if known
                    else "–",
                )
            )
        tables.append(
            LawTable(
                name=name,
                formula=about.formula,
                source=about.source,
                cannot=about.cannot_express,
                status=f"{fit.status}, {fit.runs} runs" if fit else None,
                reason=study.refused.get(name),
                rows=tuple(rows),
                published_from=known.label if known else None,
                notes=fit.notes if fit else (),
            )
        )
    return tuple(tables)


def _sd(covariance: tuple[tuple[float, ...], ...] | None, names: list[str], constant: str) -> float | None:
    if covariance is None or constant not in names:
        return None
    place = names.index(constant)
    return float(covariance[place][place] ** 0.5)


def _published(value: float | None, sd: float | None) -> str:
    if value is None:
        return "–"
    return number(value, 4) + (f" ± {number(1.96 * sd, 2)}" if sd else "")
