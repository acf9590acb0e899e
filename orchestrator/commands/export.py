"""sweep export: a trained network for Hugging Face's transformers."""

from __future__ import annotations

import sys
from pathlib import Path
from typing import Annotated

import typer

from orchestrator.commands.options import Results


def command(
    trial: Annotated[str, typer.Argument(help="a trial's id, or the beginning of one (sweep status SWEEP lists them)")],
    out: Annotated[Path, typer.Option("--out", help="a new folder for config, weights and tokenizer")],
    results: Results = "results",
) -> int:
    """Write a finished network as a folder that AutoModelForCausalLM and AutoTokenizer load, offline."""
    from orchestrator.export import export
    from sweeps.store import open_store

    made = export(open_store(results), trial, out)
    print(out)
    loss = "" if made.eval_loss is None else f", held-out loss {made.eval_loss:.4f} nats per token"
    print(f"trial {made.trial.trial_id}{loss}; to use it (pip install transformers):", file=sys.stderr)
    print(f'  AutoModelForCausalLM.from_pretrained("{out}")', file=sys.stderr)
    return 0
