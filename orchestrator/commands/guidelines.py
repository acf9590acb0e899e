"""Guidelines on paper: which laws are asked, and their answers as tables."""

from __future__ import annotations

from typing import TYPE_CHECKING

from orchestrator.commands.printing import print_table

if TYPE_CHECKING:
    from analysis.guideline import Guideline
    from analysis.source import Source


def sources_for(names: list[str], results: str) -> list[Source]:
    """Published laws by name, sweeps' own as fit:SWEEP or fit:SWEEP:LAW, `all` for every published one with a depth.

    Raises LawError, FitError, NoSuchSweep.
    """
    from analysis.guideline import published_sources
    from analysis.source import source_of_published

    found: list[Source] = []
    for name in names:
        if name == "all":
            found += published_sources()
        elif name.startswith("fit:"):
            found.append(fitted_source(name, results))
        else:
            found.append(source_of_published(name))
    return found


def fitted_source(name: str, results: str) -> Source:
    """A sweep's own law: the best ranked of those that converged, unless one is named."""
    from analysis.source import source_of_fit
    from orchestrator.studies import best_law, sweep_study
    from sweeps.store import open_store

    _, sweep, *law = name.split(":", 2)
    study = sweep_study(open_store(results), sweep, laws=tuple(law) or None)
    return source_of_fit(name, study.fit(law[0] if law else best_law(study)))


def print_guidelines(guidelines: list[Guideline]) -> None:
    """One row a law; then what a person should know before using it."""
    rows = []
    for one in guidelines:
        low, high = one.depth_interval or (None, None)
        interval = None if low is None else f"{low:.0f}–{high:.0f}"
        shape = f"{one.shape.depth} × {one.shape.width:,}"
        beyond = None if one.extrapolation is None else f"{one.extrapolation:.3g}×"
        rows.append([one.law, f"{one.params:.3g}", round(one.depth, 1), interval, round(one.width), shape, beyond])
    confidence = round(100 * guidelines[0].confidence)
    columns = ["law", "N", "depth", f"{confidence} % interval", "width", "practical shape", "beyond the data"]
    print_table(columns, rows)
    for one in guidelines:
        for note in one.notes:
            print(f"{one.law}: {note}")


def guideline_table(sources: list[Source]) -> tuple[list[str], list[list[object]]]:
    """The guideline from 1e6 to 1e12 parameters: for each size the depth and width of each law."""
    from analysis.guideline import table

    columns = ["N", *(source.name for source in sources)]
    rows: list[list[object]] = []
    for row in table(sources):
        cells = [f"{one.depth:.0f} × {one.width:,.0f}" for one in row]
        rows.append([f"{row[0].params:.0e}".replace("e+", "e"), *cells])
    return columns, rows
