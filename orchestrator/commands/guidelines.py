"""Guidelines on paper: which laws are asked, and their answers as tables."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import TYPE_CHECKING, Any

from orchestrator.commands.options import opened
from orchestrator.commands.printing import print_json, print_table

if TYPE_CHECKING:
    from analysis.guideline import Guideline
    from analysis.practical import Hardware
    from analysis.source import Source


def sources_for(names: list[str], results: str, allow_partial: bool = False) -> list[Source]:
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
            found.append(fitted_source(name, results, allow_partial))
        else:
            found.append(source_of_published(name))
    return found


def fitted_source(name: str, results: str, allow_partial: bool) -> Source:
    """A sweep's own law: the best ranked of those that converged, unless one is named."""
    from analysis.source import source_of_fit
    from analysis.study import best_law
    from orchestrator.studies import sweep_study

    _, sweep, *law = name.split(":", 2)
    study = sweep_study(opened(results, allow_partial), sweep, laws=tuple(law) or None)
    return source_of_fit(name, study.fit(law[0] if law else best_law(study)))


def spread_of(guidelines: list[Guideline]) -> dict[str, float]:
    """Best depth at the first answer's size by every law that was asked and by every published one."""
    from analysis.guideline import published_sources

    depths = {one.law: one.depth for one in guidelines}
    for source in published_sources():
        depths.setdefault(source.name, float(source.depth(guidelines[0].params)))
    return depths


def print_guidelines(guidelines: list[Guideline], spread: Mapping[str, float]) -> None:
    """One row a law; the price of other depths; the spread; then what a person should know before using it."""
    from analysis.guideline import PENALTY_RATIOS

    rows = []
    for one in guidelines:
        low, high = one.depth_interval or (None, None)
        interval = None if low is None else f"{low:.0f}–{high:.0f}"
        shape = f"{one.shape.depth} × {one.shape.width:,}"
        beyond = None if one.extrapolation is None else f"{one.extrapolation:.3g}×"
        depth, width, price = round(one.depth, 1), round(one.width), f"{one.shape.penalty_nats:.4f}"
        rows.append([one.law, f"{one.params:.3g}", depth, interval, width, shape, price, beyond])
    confidence = round(100 * guidelines[0].confidence)
    columns = ["law", "N", "depth", f"{confidence} % interval", "width", "practical shape", "its price", "beyond data"]
    print_table(columns, rows, title=f"N counts {', '.join(sorted({one.counting for one in guidelines}))}")
    prices = [[one.law, *(f"{nats:.4f}" for _, _, nats in one.penalties)] for one in guidelines]
    ratios = ["1, best" if ratio == 1 else f"{ratio:g}" for ratio in PENALTY_RATIOS]
    print_table(["depth over best", *ratios], prices, title="What another depth of the same N costs, nats per token")
    shallow, deep = (choose(spread, key=lambda law: spread[law]) for choose in (min, max))
    print(
        f"Between laws: {spread[shallow]:.0f} layers ({shallow}) to {spread[deep]:.0f} ({deep}) at "
        f"N = {guidelines[0].params:.3g}, a factor of {spread[deep] / spread[shallow]:.2g}"
    )
    said: dict[str, list[str]] = {}
    for one in guidelines:
        for note in (*one.notes, theory_sentence(one)):
            said.setdefault(note, []).append(one.law)
    for note, laws in said.items():
        print(f"{'all' if len(laws) == len(guidelines) > 1 else ', '.join(laws)}: {note}")


def theory_sentence(one: Guideline) -> str:
    """On which side of the theory's threshold a shape lies."""
    from analysis.theory import Side, threshold_depth

    threshold = f"log₃(d) = {float(threshold_depth(one.width)):.0f} layers"
    if one.theory == Side.SHALLOW:
        return f"below the theory's threshold, {threshold}: depth adds what width cannot"
    return f"past the theory's threshold, {threshold}, as every practical network: depth and width are interchangeable"


def guideline_table(sources: Sequence[Source]) -> tuple[list[str], list[list[object]]]:
    """The guideline from 1e6 to 1e12 parameters: for each size the depth and width of each law."""
    from analysis.guideline import table

    columns = ["N", *(source.name for source in sources)]
    rows: list[list[object]] = []
    for row in table(sources):
        cells = [f"{one.depth:.0f} × {one.width:,.0f}" for one in row]
        rows.append([f"{row[0].params:.0e}".replace("e+", "e"), *cells])
    return columns, rows


def print_whole_table(sources: Sequence[Source], hardware: Hardware, *, as_json: bool) -> None:
    """`guideline_table` with the spread between its laws; as JSON, every answer of every law, by size."""
    from analysis.guideline import spread, table

    made = table(sources, hardware=hardware)
    if as_json:
        print_json([{"params": row[0].params, "laws": [one.as_json() for one in row]} for row in made])
        return
    columns, rows = guideline_table(sources)
    for row, answers in zip(rows, made, strict=True):
        low, high = spread(answers)
        row.append(f"{high / low:.2g}×")
    title = "Depth × width for N parameters, by law; beyond a law's own data its form is all there is"
    print_table([*columns, "spread"], rows, title=title)
    for source in sources:
        known = "not known here" if source.params_range is None else "{:.2g} to {:.2g}".format(*source.params_range)
        print(f"{source.name}: sizes behind it {known}; N counts {source.counting}")


def model_rows(sources: Sequence[Source]) -> tuple[list[dict[str, object]], list[str], list[list[Any]]]:
    """Well-known models beside each law: every comparison as JSON; columns and rows of the table for people."""
    from analysis.known_models import compare, known_models

    models = known_models()
    found = compare(models, sources)
    rows: list[list[Any]] = []
    for model in models:
        own = [one for one in found if one.model is model]
        cells = [f"{one.best_depth:.0f}, {one.side}, {one.penalty_nats:.4f}" for one in own]
        rows.append([model.name, model.date, f"{model.params:.3g}", f"{model.depth} × {model.width:,}", *cells])
    columns = ["model", "date", "N", "L × d", *(source.name for source in sources)]
    return [one.as_json() for one in found], columns, rows


def asked_once(budget: Mapping[str, float | None], *, table: bool, models: bool) -> None:
    """Raises ValueError where a budget, or the other of the two, is asked with --table or --models."""
    option = "--table" if table else "--models"
    given = [name for name, value in budget.items() if value is not None] + ["--models"] * (table and models)
    if given:
        raise ValueError(f"{option} has sizes of its own and goes without {', '.join(given)}; leave one out")
