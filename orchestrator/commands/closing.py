"""What `sweep run` ends with: losses, transition, the published guideline, a figure, and what to do next."""

from __future__ import annotations

import tempfile
from pathlib import Path

from analysis.status import FitError
from analysis.study import Study, study
from orchestrator.commands.conclusions import print_losses, print_published_guideline, print_transition
from sweeps.store import FolderStore, Store


def close(store: Store, sweep: str) -> None:
    """Print what the finished sweep says, on standard output, and draw its losses."""
    from analysis.record_losses import record_losses

    try:
        made = study(record_losses(store, sweep), laws=())
    except FitError as error:
        print(f"The losses say nothing about depth and width yet: {error}")
    else:
        print_losses(made)
        print_transition(made)
        print()
        print(f"Figure: {draw(store, sweep, made)}")
    print()
    print_published_guideline()
    where = "" if store.uri == str(Path("results").absolute()) else f" --results {store.uri}"
    print(f"Next: sweep fit {sweep}{where}   laws fitted to these losses, with intervals")
    print(f"      sweep report {sweep}{where}   all of it as one page, to open or to send")
    print("      sweep recommend --params 7e9 --law all   a shape for your size, by every published law")
    print(f'      sweep query "select depth, width, eval_loss from trials"{where}')  # noqa: S608 – printed, not run


def draw(store: Store, sweep: str, made: Study) -> Path:
    """Loss against size by depth, as PNG and SVG beside the record; the PNG's path."""
    from analysis.figures.losses import loss_figure
    from analysis.figures.style import write

    folder = store.root / "figures" if isinstance(store, FolderStore) else Path(tempfile.mkdtemp(prefix="interplay-"))
    return write(loss_figure(made.cells, made.noise, made.crossings), folder, f"{sweep}-losses")[1]
