"""Run the benchmarks and write docs/performance.md from what they give.

    python -m benchmarks.report [SECTION ...]            tables; all sections, or those named (`make bench`)
    python -m benchmarks.report --scale [SECTION ...]    growth curves and large peers (`make bench-scale`)

A section is a file of this folder with TITLE, ABOUT (how it is measured, a paragraph) and one or both of
`rows() -> list[Row]` and `curves() -> list[Curve]`. What was measured is kept in docs/performance.json, so that one
section can be measured again without the others.
"""

from __future__ import annotations

import argparse
import importlib
import json
import platform
import time
from dataclasses import asdict
from datetime import UTC, datetime
from pathlib import Path
from typing import Any

from analysis.figures.style import MARKERS, blank, shade, styled, write
from benchmarks.rows import Curve, Row

SECTIONS = ("training", "orchestration", "commands", "corpora", "answers", "record", "growth", "scaling")
DOCS = Path(__file__).parents[1] / "docs"
KEPT = DOCS / "performance.json"


def main() -> None:
    arguments = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    arguments.add_argument("sections", nargs="*", metavar="SECTION", help=", ".join(SECTIONS))
    arguments.add_argument("--scale", action="store_true", help="growth curves instead of tables")
    asked = arguments.parse_args()
    if unknown := set(asked.sections) - set(SECTIONS):
        arguments.error(f"no section {', '.join(sorted(unknown))}; there are {', '.join(SECTIONS)}")
    what = "curves" if asked.scale else "rows"
    kept: dict[str, Any] = json.loads(KEPT.read_text()) if KEPT.exists() else {}
    for name in asked.sections or SECTIONS:
        section = importlib.import_module(f"benchmarks.{name}")
        if not hasattr(section, what):
            continue
        started = time.monotonic()
        made = [asdict(one) for one in getattr(section, what)()]
        kept.setdefault(name, {"rows": [], "curves": []})[what] = made
        kept[name][f"{what}_measured"] = {"on": machine(), "date": f"{datetime.now(UTC):%Y-%m-%d}"}
        kept[name] |= {"title": section.TITLE, "about": " ".join(section.ABOUT.split())}
        print(f"{section.TITLE}: {time.monotonic() - started:.0f} s", flush=True)
        KEPT.write_text(json.dumps(kept, indent=1, ensure_ascii=False) + "\n")
    write_page({name: kept[name] for name in SECTIONS if name in kept})


def machine() -> str:
    """The processor and the versions that the figures hold for."""
    from importlib.metadata import version

    info = Path("/proc/cpuinfo")
    lines = info.read_text().splitlines() if info.exists() else []
    models = [line.split(":", 1)[1].strip() for line in lines if line.startswith("model name")]
    amx = ", AMX" if any("amx_bf16" in line for line in lines) else ""
    named = f"{len(models)} × {models[0]}{amx}" if models else platform.machine()
    packages = ", ".join(f"{name} {version(name)}" for name in ("torch", "deepspeed", "ray", "duckdb"))
    return f"{named}; Python {platform.python_version()}, {packages}"


def write_page(kept: dict[str, Any]) -> None:
    parts = [
        "# Performance\n",
        "Written by `make bench` and `make bench-scale` (benchmarks/report.py); do not edit. Absolute times are those "
        "of one machine; what is claimed is ratios, medians of runs that alternate with the peer's.\n",
        "![Every figure over its target](figures/performance.svg)\n",
    ]
    for name, section in kept.items():
        parts += [f"## {section['title']}\n", f"{section['about']}\n"]
        if section["rows"]:
            parts.append(table([Row(**row) for row in section["rows"]]))
            parts.append(measured(section["rows_measured"]))
        for curve in (Curve(**curve) for curve in section["curves"]):
            parts.append(growth(curve))
        if section["curves"]:
            parts.append(f"![{section['title']}](figures/performance-{name}.svg)\n")
            parts.append(measured(section["curves_measured"]))
            plot_growth(name, [Curve(**curve) for curve in section["curves"]])
    (DOCS / "performance.md").write_text("\n".join(parts))
    plot([Row(**row) for section in kept.values() for row in section["rows"]])


def measured(facts: dict[str, str]) -> str:
    return f"Measured {facts['date']} on {facts['on']}.\n"


def table(rows: list[Row]) -> str:
    lines = ["| what | figure | to reach | | against |", "|---|---|---|---|---|"]
    for row in rows:
        sign = "≥" if row.better == "more" else "≤"
        target = "" if row.target is None else f"{sign} {number(row.target)}"
        verdict = {True: "met", False: "**missed**", None: ""}[row.met]
        against = "; ".join(part for part in (row.peer, row.note) if part)
        lines.append(f"| {row.name} | {number(row.figure)} {row.unit} | {target} | {verdict} | {against} |")
    return "\n".join(lines) + "\n"


def growth(curve: Curve) -> str:
    lines = [f"**{curve.name}**{': ' + curve.note if curve.note else ''}\n"]
    lines.append(f"| {curve.x_label} | " + " | ".join(number(x) for x, _ in curve.points) + " |")
    lines.append("|---" * (len(curve.points) + 1) + "|")
    lines.append(f"| {curve.y_label} | " + " | ".join(number(y) for _, y in curve.points) + " |")
    return "\n".join(lines) + "\n"


def number(value: float | None) -> str:
    """Three significant digits, thousands with commas."""
    if value is None:
        return "–"
    return f"{value:,.0f}" if abs(value) >= 1000 else f"{value:.3g}"


def plot(rows: list[Row]) -> None:
    """How much better than its target each figure is, a bar a row on a logarithmic axis; 1 is the target."""
    held = [(row, row.figure / row.target) for row in rows if row.figure and row.target]
    if not held:
        return
    scores = [ratio if row.better == "more" else 1 / ratio for row, ratio in held]
    with styled():
        figure = blank(8, 0.6 + 0.3 * len(held))
        axes = figure.subplots()
        colours = ["tab:blue" if row.met else "tab:red" for row, _ in held]
        places = range(len(held))
        axes.barh(places, [score - 1 for score in scores], left=1, color=colours)
        axes.set_yticks(places, [row.name for row, _ in held])
        axes.invert_yaxis()
        axes.set_xscale("log")
        axes.axvline(1, color="black", linewidth=0.8)
        axes.set_xlabel("times better than its target")
    write(figure, DOCS / "figures", "performance")


def plot_growth(section: str, curves: list[Curve]) -> None:
    """The curves of a section, one panel for each pair of axis labels, both axes logarithmic."""
    panels = list(dict.fromkeys((curve.x_label, curve.y_label) for curve in curves))
    with styled():
        figure = blank(4 * len(panels), 3.4)
        for axes, labels in zip(figure.subplots(1, len(panels), squeeze=False)[0], panels, strict=True):
            shown = [curve for curve in curves if (curve.x_label, curve.y_label) == labels]
            for place, curve in enumerate(shown):
                look = {"color": shade(place, len(shown)), "marker": MARKERS[place % len(MARKERS)]}
                axes.loglog(*zip(*curve.points, strict=True), label=curve.name, **look)
            axes.set_xlabel(labels[0])
            axes.set_ylabel(labels[1])
            axes.legend()
    write(figure, DOCS / "figures", f"performance-{section}")


if __name__ == "__main__":
    main()
