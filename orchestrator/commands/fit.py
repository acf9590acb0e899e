"""sweep fit: laws fitted to a sweep."""

from __future__ import annotations

from typing import Annotated

import typer

from orchestrator.commands.options import AllowPartial, AsJson, Results, opened


def command(
    sweep: Annotated[str, typer.Argument(help="a sweep's name, or name@hash")],
    law: Annotated[list[str] | None, typer.Option(help="only these laws; all if left out")] = None,
    tokens: Annotated[float | None, typer.Option(help="the token budget; the one of most shapes if left out")] = None,
    results: Results = "results",
    allow_partial: AllowPartial = False,
    as_json: AsJson = False,
) -> int:
    """Say what a sweep's losses say: transitions, laws with intervals, and how well each law foretells larger sizes."""
    from analysis.law import LawError
    from analysis.record_losses import record_losses
    from orchestrator.commands.conclusions import (
        print_fits,
        print_groups,
        print_losses,
        print_ranking,
        print_token_budgets,
        print_transition,
    )
    from orchestrator.commands.printing import print_json
    from orchestrator.studies import sweep_study
    from sweeps.safe_yaml import SpecError

    store = opened(results, allow_partial)
    try:
        study = sweep_study(store, sweep, tokens=tokens, laws=tuple(law) if law else None)
        fits = [study.fit(name) for name in law] if law else list(study.fits.values())
    except LawError as error:
        raise SpecError(str(error)) from error
    if as_json:
        answers = [fit.as_json() for fit in fits]
        print_json(answers[0] if law and len(law) == 1 else answers)
        return 0
    print_losses(study)
    print_transition(study)
    print_groups(study)
    print_fits(study)
    print_ranking(study)
    if tokens is None:
        print_token_budgets(record_losses(store, sweep))
    return 0
