"""sweep recommend: a shape for a budget, by published laws or a sweep's own."""

from __future__ import annotations

from typing import TYPE_CHECKING, Annotated, Any

import typer

from orchestrator.amounts import amount
from orchestrator.commands.options import AllowPartial, AsJson, Results

if TYPE_CHECKING:
    from analysis.guideline import Guideline

MODELS_TITLE = "Well-known models: by each law the best depth at their N, their side of it, and its price in nats"


def command(
    params: Annotated[
        float | None, typer.Option(parser=amount, help="N, the parameters of the blocks' weight matrices")
    ] = None,
    flops: Annotated[float | None, typer.Option(parser=amount, help="FLOPs of the whole training")] = None,
    tokens: Annotated[
        float | None, typer.Option(parser=amount, help="tokens of the training; goes with either")
    ] = None,
    law: Annotated[
        list[str] | None, typer.Option(help="a law's name, fit:SWEEP, or all; may be given several times")
    ] = None,
    multiple_of: Annotated[int | None, typer.Option(help="the width must divide by this")] = None,
    head_dim: Annotated[int, typer.Option(help="dimension of a head; the width is a whole number of them")] = 1,
    tensor_parallel: Annotated[int, typer.Option(help="devices that share the heads")] = 1,
    context: Annotated[int, typer.Option(help="tokens a sequence, for counting attention's FLOPs")] = 0,
    vocabulary: Annotated[int, typer.Option(help="tokens in the vocabulary, for counting the head's FLOPs")] = 0,
    table: Annotated[bool, typer.Option("--table", help="the guideline from 1e6 to 1e12 parameters instead")] = False,
    models: Annotated[bool, typer.Option("--models", help="well-known models beside each law instead")] = False,
    results: Results = "results",
    allow_partial: AllowPartial = False,
    as_json: AsJson = False,
) -> int:
    """How deep and how wide for this many parameters, or this much compute? Needs no results unless fit: is asked."""
    from analysis.budget import Budget, BudgetError, Workload
    from analysis.guideline import recommend
    from analysis.law import LawError
    from analysis.practical import Hardware
    from orchestrator.commands.guidelines import (
        asked_once,
        model_rows,
        print_guidelines,
        print_whole_table,
        sources_for,
        spread_of,
    )
    from orchestrator.commands.printing import print_json, print_table
    from sweeps.safe_yaml import SpecError

    try:
        if table or models:
            asked_once({"--params": params, "--flops": flops, "--tokens": tokens}, table=table, models=models)
        hardware = Hardware(multiple_of=multiple_of, head_dim=head_dim, tensor_parallel=tensor_parallel)
        sources = sources_for(law or (["all"] if table or models else ["levine2020"]), results, allow_partial)
        if table:
            print_whole_table(sources, hardware, as_json=as_json)
            return 0
        if models:
            found, columns, rows = model_rows(sources)
            print_json(found) if as_json else print_table(columns, rows, title=MODELS_TITLE)
            return 0
        budget = Budget(params=params, flops=flops, tokens=tokens)
        workload = Workload(context=context, vocabulary=vocabulary)
        guidelines = [recommend(source, budget, hardware=hardware, workload=workload) for source in sources]
    except (BudgetError, LawError, ValueError) as error:
        raise SpecError(str(error)) from error
    spread = spread_of(guidelines)
    if as_json:
        print_json(answer(guidelines, spread))
    else:
        print_guidelines(guidelines, spread)
    return 0


def answer(guidelines: list[Guideline], spread: dict[str, float]) -> dict[str, Any]:
    """The first law's answer at the top; the others' beside it where several were asked; the spread of all known."""
    answers = [guideline.as_json() for guideline in guidelines]
    depths = list(spread.values())
    whole = answers[0] | {"spread": {"depth": [min(depths), max(depths)], "laws": spread}}
    return whole if len(answers) == 1 else whole | {"laws": answers}
