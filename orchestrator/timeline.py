"""A simulated run as a picture: devices downwards, time to the right, a bar for each trial, coloured by its depth."""

from __future__ import annotations

from pathlib import Path

from orchestrator.simulator import Simulation, Span
from sweeps.planning import Plan
from sweeps.safe_yaml import SpecError

SUFFIXES = (".png", ".svg", ".pdf")
HOUR = 3600.0
# Parts of a device that can be told apart; every share divides it.
SLICES = 8


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
    figure, axes = plt.subplots(figsize=(11, 5), layout="constrained")
    for span, top, height in bars_of(simulation):
        bar = [(span.start / HOUR, (span.end - span.start) / HOUR)]
        axes.broken_barh(bar, (top, height), facecolor=colours[depths[span.key]], edgecolor="white", lw=0.3)
    axes.axvline(simulation.lower_bound_seconds / HOUR, color="black", lw=1, ls="--")
    axes.set_xlim(0, simulation.makespan_seconds / HOUR * 1.02)
    axes.set_ylim(simulation.devices, 0)
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


def bars_of(simulation: Simulation) -> list[tuple[Span, float, float]]:
    """For each span the stretches of devices it takes: top and height, in devices.

    Devices are handed out on each span's own nodes, from the top down, and a fraction where one is taken already.
    """
    nodes = sorted({node for span in simulation.spans for node in span.placement.nodes})
    each = max(1, round(simulation.devices / max(1, len(nodes))))
    until: dict[tuple[int, int], list[float]] = {}  # by node and device, when each of its parts is free
    bars: list[tuple[Span, float, float]] = []
    for span in sorted(simulation.spans, key=lambda span: span.start):
        need = span.placement.job.need
        wanted = need.gpus or need.cpus
        for node in (nodes.index(name) for name in span.placement.nodes):
            parts = round(1 / wanted) if wanted < 1 else 1
            left = max(1, round(wanted))
            for device in sorted(range(each), key=lambda d: -busy_parts(until.get((node, d), []), span.start)):
                free = until.setdefault((node, device), [0.0] * SLICES)
                size = SLICES // parts
                start = next((n for n in range(0, SLICES, size) if max(free[n : n + size]) <= span.start + 1e-6), None)
                if start is None:
                    continue
                free[start : start + size] = [span.end] * size
                bars.append((span, node * each + device + start / SLICES, size / SLICES))
                left -= 1
                if not left:
                    break
    return bars


def busy_parts(free: list[float], now: float) -> int:
    return sum(end > now + 1e-6 for end in free)
