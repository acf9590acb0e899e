"""sweep report: a sweep as one HTML page that needs nothing else."""

from __future__ import annotations

from pathlib import Path
from typing import Annotated

import typer

from orchestrator.commands.options import AllowPartial, Results, opened


def command(
    sweep: Annotated[str, typer.Argument(help="a sweep's name, or name@hash")],
    out: Annotated[Path | None, typer.Option(help="the file to write; SWEEP-report.html here if left out")] = None,
    results: Results = "results",
    allow_partial: AllowPartial = False,
    tokens: Annotated[float | None, typer.Option(help="the token budget; the one of most shapes if left out")] = None,
    law: Annotated[str | None, typer.Option(help="the sweep's own law; the best ranked if left out")] = None,
    replicates: Annotated[
        int, typer.Option(min=20, help="resampled tables behind every interval; fewer are quicker and rougher")
    ] = 1000,
) -> int:
    """Write a page with the answer, figures, trials, laws, spec and provenance; it needs no network."""
    import sys

    from analysis.law import LawError
    from analysis.report.contents import conclude, contents
    from analysis.report.page import page
    from analysis.report.reading import read
    from sweeps.safe_yaml import SpecError

    reading = read(opened(results, allow_partial), sweep)
    path = out or Path(f"{reading.sweep}-report.html")
    if path.is_dir():
        raise SpecError(f"--out {path} is a folder; give the file to write, for example {path / 'report.html'}")
    try:
        made = page(contents(reading, conclude(reading.losses, tokens=tokens, law=law, replicates=replicates)))
    except LawError as error:
        raise SpecError(str(error)) from error
    try:
        path.parent.mkdir(parents=True, exist_ok=True)
        path.write_text(made, encoding="utf-8")
    except OSError as error:
        raise SpecError(f"--out {path} cannot be written: {error.strerror}; give another file") from error
    print(path)
    print(f"{len(made) / 1e6:.1f} MB, complete in itself: open it in a browser, or send it", file=sys.stderr)
    return 0
