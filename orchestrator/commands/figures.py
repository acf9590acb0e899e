"""sweep figures: what a paper would print of a sweep."""

from __future__ import annotations

from pathlib import Path
from typing import TYPE_CHECKING, Annotated

import typer

from orchestrator.commands.options import AllowPartial, AsJson, Results, opened

if TYPE_CHECKING:
    from matplotlib.figure import Figure

    from analysis.fit import Fit
    from analysis.study import Study


def command(
    sweep: Annotated[str, typer.Argument(help="a sweep's name, or name@hash")],
    out: Annotated[Path, typer.Option(help="folder to write into")] = Path("figures"),
    law: Annotated[
        str | None, typer.Option(help="the law to draw; the best ranked of a transition if left out")
    ] = None,
    tokens: Annotated[float | None, typer.Option(help="the token budget; the one of most shapes if left out")] = None,
    results: Results = "results",
    allow_partial: AllowPartial = False,
    as_json: AsJson = False,
) -> int:
    """Draw losses, transition, valleys, residuals and the guideline to 1e12 parameters, each as SVG and PNG."""
    from analysis.figures.style import write
    from analysis.law import LawError
    from orchestrator.commands.printing import print_json, print_table
    from orchestrator.studies import sweep_study
    from sweeps.safe_yaml import SpecError

    try:
        study = sweep_study(
            opened(results, allow_partial), sweep, tokens=tokens, laws=(law,) if law else transition_laws()
        )
        fit = study.fit(law) if law else best_fit(study)
    except LawError as error:
        raise SpecError(str(error)) from error
    prefix = sweep.partition("@")[0]
    written = []
    for name, figure in drawn(study, fit, sweep).items():
        vector, raster = write(figure, out, f"{prefix}-{name}")
        written.append({"figure": name, "vector": str(vector), "raster": str(raster)})
    if as_json:
        print_json(written)
    else:
        print_table(["figure", "vector", "raster"], [list(row.values()) for row in written])
        if fit is None:
            print("no law is drawn: " + "; ".join(f"{name}: {reason}" for name, reason in study.refused.items()))
    return 0


def transition_laws() -> tuple[str, ...]:
    """Laws that can be drawn through a sweep's valley."""
    from analysis.catalogue import find, law_names
    from analysis.transition_law import TransitionLaw

    return tuple(name for name in law_names() if issubclass(find(name), TransitionLaw))


def best_fit(study: Study) -> Fit | None:
    """The best ranked of the laws that were fitted; None where the data refused them all."""
    from analysis.status import FitError
    from analysis.study import best_law

    try:
        return study.fit(best_law(study))
    except FitError:
        return None


def drawn(study: Study, fit: Fit | None, sweep: str) -> dict[str, Figure]:
    """Every figure that the study's data allows, by name."""
    from analysis.figures.guideline import guideline_figure
    from analysis.figures.losses import loss_figure
    from analysis.figures.residuals import residual_figure
    from analysis.figures.transition import transition_figure
    from analysis.figures.valleys import valley_figure
    from analysis.guideline import published_sources
    from analysis.known_models import known_models
    from analysis.source import source_of_fit

    surface = fit if fit is not None and len(fit.residuals) == len(study.cells.loss) else None
    figures = {
        "losses": loss_figure(study.cells, study.noise, study.crossings),
        "transition": transition_figure(study.crossings, fit),
        "valleys": valley_figure(study.cells, study.noise, study.bottoms, surface),
    }
    if surface is not None and surface.noise is not None:
        figures["residuals"] = residual_figure(study.cells, surface)
    own = () if fit is None else (source_of_fit(f"fit:{sweep}", fit),)
    figures["guideline"] = guideline_figure((*own, *published_sources()), known_models())
    return figures
