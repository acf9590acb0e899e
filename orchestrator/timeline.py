"""A simulated run as a picture: devices downwards, time to the right, a bar for each trial, coloured by its depth."""

from __future__ import annotations

from pathlib import Path

from orchestrator.simulator import Simulation, Span
from sweeps.planning import Plan
from sweeps.safe_yaml import SpecError

SUFFIXES = (".png", ".svg", ".pdf")
HOUR = 3600.0


def draw(simulation: Simulation, plan: Plan, path: Path) -> None:
    """Draw into a file. Raises SpecError for a suffix that is not a picture's."""
    if path.suffix not in SUFFIXES:
        raise SpecError(f"--timeline {path}: a picture ends in {', '.join(SUFFIXES)}")
    import matplotlib as mpl

    mpl.use("agg")
    from matplotlib import pyplot as plt
    from matplotlib.patches import Patch

    depths = {planned.trial.trial_id: planned.trial.shape.depth for planned in plan.trials}
    known = sorted(set(depths.values()))
    palette = mpl.colormaps["viridis"]
    colours = {depth: palette(index / max(1, len(known) - 1)) for index, depth in enumerate(known)}
    lanes = lanes_of(simulation)
    figure, axes = plt.subplots(figsize=(11, 5), layout="constrained")
    for span, (top, height) in zip(simulation.spans, lanes, strict=True):
        width = (span.end - span.start) / HOUR
        axes.broken_barh(
            [(span.start / HOUR, width)], (top, height), facecolor=colours[depths[span.key]], edgecolor="white", lw=0.3
        )
    axes.axvline(simulation.lower_bound_seconds / HOUR, color="black", lw=1, ls="--")
    axes.set_xlim(0, simulation.makespan_seconds / HOUR * 1.02)
    axes.set_ylim(max(simulation.devices, max((top + height for top, height in lanes), default=1)), 0)
    axes.set_xlabel("hours")
    axes.set_ylabel("devices")
    axes.set_title(
        f"{plan.name}: {simulation.makespan_seconds / HOUR:.3g} hours, {simulation.utilisation:.0%} busy; "
        f"dashed: what no schedule beats",
        loc="left",
    )
    handles = [Patch(color=colours[depth], label=f"{depth} layers") for depth in known]
    axes.legend(handles=handles, loc="center left", bbox_to_anchor=(1.0, 0.5), frameon=False)
    figure.savefig(path, dpi=150)
    plt.close(figure)


def lanes_of(simulation: Simulation) -> list[tuple[float, float]]:
    """Top and height of each span's bar in devices, as if devices were handed out from the top down.

    A bar stands on one stretch of devices, so a gang that spans nodes is drawn in one piece.
    """
    made: dict[str, tuple[float, float]] = {}
    taken: list[tuple[float, float, Span]] = []
    for span in sorted(simulation.spans, key=lambda span: (span.start, -height_of(span))):
        taken = [entry for entry in taken if entry[2].end > span.start + 1e-6]
        height, top = height_of(span), 0.0
        for low, tall, _ in sorted(taken, key=lambda entry: entry[0]):
            if low - top >= height - 1e-9:
                break
            top = max(top, low + tall)
        taken.append((top, height, span))
        made[span.key] = (top, height)
    return [made[span.key] for span in simulation.spans]


def height_of(span: Span) -> float:
    need = span.placement.job.need
    return need.workers * (need.gpus or need.cpus)
