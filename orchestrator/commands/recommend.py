"""sweep recommend: a shape for a budget, by published laws or a sweep's own."""

from __future__ import annotations

from typing import Annotated

import typer

from orchestrator.commands.options import AsJson, Results


def command(
    params: Annotated[float | None, typer.Option(help="N, the parameters of the blocks' weight matrices")] = None,
    flops: Annotated[float | None, typer.Option(help="FLOPs of the whole training")] = None,
    tokens: Annotated[float | None, typer.Option(help="tokens of the training; goes with either")] = None,
    law: Annotated[
        list[str] | None, typer.Option(help="a law's name, fit:SWEEP, or all; may be given several times")
    ] = None,
    multiple_of: Annotated[int | None, typer.Option(help="the width must divide by this")] = None,
    head_dim: Annotated[int, typer.Option(help="dimension of a head; the width is a whole number of them")] = 1,
    tensor_parallel: Annotated[int, typer.Option(help="devices that share the heads")] = 1,
    context: Annotated[int, typer.Option(help="tokens a sequence, for counting attention's FLOPs")] = 0,
    vocabulary: Annotated[int, typer.Option(help="tokens in the vocabulary, for counting the head's FLOPs")] = 0,
    results: Results = "results",
    as_json: AsJson = False,
) -> int:
    """How deep and how wide for this many parameters, or this much compute? Needs no results unless fit: is asked."""
    from analysis.budget import Budget, BudgetError, Workload
    from analysis.guideline import recommend
    from analysis.law import LawError
    from analysis.practical import Hardware
    from orchestrator.commands.guidelines import print_guidelines, sources_for
    from orchestrator.commands.printing import print_json
    from sweeps.safe_yaml import SpecError

    try:
        budget = Budget(params=params, flops=flops, tokens=tokens)
        hardware = Hardware(multiple_of=multiple_of, head_dim=head_dim, tensor_parallel=tensor_parallel)
        workload = Workload(context=context, vocabulary=vocabulary)
        sources = sources_for(law or ["levine2020"], results)
        guidelines = [recommend(source, budget, hardware=hardware, workload=workload) for source in sources]
    except (BudgetError, LawError, ValueError) as error:
        raise SpecError(str(error)) from error
    if as_json:
        answers = [guideline.as_json() for guideline in guidelines]
        print_json(answers[0] if len(answers) == 1 else answers[0] | {"laws": answers})
    else:
        print_guidelines(guidelines)
    return 0
