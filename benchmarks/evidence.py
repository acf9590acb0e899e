"""Every number that docs/science.md quotes, measured: published objectives, our optima, refits, guidelines, groups.

    python benchmarks/evidence.py [--gemstones FOLDER]     writes docs/evidence.md, docs/evidence.json, docs/figures/

The Gemstones folder (the table and the three published fits) lies beside the repository; without it only what needs no
data is written.
"""

import argparse
import json
import statistics
import time
from pathlib import Path

import numpy as np

from analysis.catalogue import find, published
from analysis.cells import budgets, cells_of
from analysis.coverage import PAPER
from analysis.figures.guideline import guideline_figure
from analysis.figures.losses import loss_figure
from analysis.figures.residuals import residual_figure
from analysis.figures.style import write
from analysis.figures.transition import transition_figure
from analysis.figures.valleys import valley_figure
from analysis.gemstones import gemstones_table
from analysis.groups import groups_of
from analysis.guideline import published_sources, table
from analysis.known_models import compare, known_models
from analysis.laws.levine2020 import LAW
from analysis.loss_fit import fit_losses, irreducible_profile, objective
from analysis.source import source_of_published
from analysis.study import measured_noise, study
from analysis.token_budgets import best_depth_by_tokens
from analysis.worlds import VALLEYS, World, some_repeats

ROOT = Path(__file__).parents[1]
DOCS = ROOT / "docs"
FILES = {
    "gemstones-params-tokens": "approach_3_parameters_grid_search_0_hot_100b+.json",
    "gemstones-width-depth-tokens": "approach_3_width_depth_grid_search_0_hot_100b+.json",
    "gemstones-width-depth-params-tokens": "approach_3_width_depth_parameters_grid_search_0_hot_100b+.json",
}
TABLE_1 = {
    "GPT-3 Small": (23, 555),
    "GPT-3 Medium": (32, 886),
    "GPT-3 Large": (38, 1220),
    "GPT-3 XL": (42, 1550),
    "GPT-3 2.7B": (47, 2110),
    "GPT-3 6.7B": (54, 3150),
    "GPT-3 13B": (60, 4200),
    "GPT-3 175B": (80, 13500),
}
TOKENS = 100034150400  # the Gemstones budget nearest to 100B


def timed(function, repeats: int = 5):
    """The function's value and the median seconds of a few calls."""
    seconds = []
    for _ in range(repeats):
        started = time.perf_counter()
        value = function()
        seconds.append(time.perf_counter() - started)
    return value, statistics.median(seconds)


def table_1() -> tuple[list[str], list[dict[str, object]]]:
    source = source_of_published("levine2020")
    sizes = {model.name: model.params for model in known_models() if model.name in TABLE_1} | {"1T": 1e12}
    lines = ["## Table 1 of Levine et al. 2020, from a = 5.039, b = 0.0555", ""]
    lines += ["| model | N | printed L × d | L* (95 %) | d* (95 %) |", "|---|---|---|---|---|"]
    rows = []
    for name, params in sizes.items():
        depth, width = (TABLE_1 | {"1T": (95, 30100)})[name]
        best = float(source.depth(params))
        low, high = source.depth_interval(params) or (best, best)
        widths = [float(source.width(params, d)) for d in (best, high, low)]
        rows.append({"model": name, "params": params, "depth": best, "interval": [low, high], "width": widths[0]})
        lines.append(
            f"| {name} | {params:.4g} | {depth} × {width} | {best:.2f} ({low:.1f} to {high:.1f}) "
            f"| {widths[0]:.0f} ({widths[1]:.0f} to {widths[2]:.0f}) |"
        )
    return lines, rows


def best_depths() -> tuple[list[str], dict[str, list[float]]]:
    sources = published_sources()
    lines = ["", "## L* by law, N = 12·L·d²", "", "| N | " + " | ".join(source.name for source in sources) + " |"]
    lines.append("|---" * (len(sources) + 1) + "|")
    found: dict[str, list[float]] = {source.name: [] for source in sources}
    for row in table(sources):
        lines.append(f"| {row[0].params:.0e} | " + " | ".join(f"{guideline.depth:.1f}" for guideline in row) + " |")
        for guideline in row:
            found[guideline.law].append(guideline.depth)
    return lines, found


def models() -> list[str]:
    sources = published_sources()
    lines = [
        "",
        "## Well-known models",
        "",
        "Best depth by each law at the model's N, and the price of the depth it has.",
    ]
    lines += ["", "| model | N | L × d | " + " | ".join(source.name for source in sources) + " |"]
    lines.append("|---" * (len(sources) + 3) + "|")
    found = compare(known_models(), sources)
    for model in known_models():
        own = [c for c in found if c.model == model]
        cells = [f"{c.best_depth:.0f}, {c.side}, {c.penalty_nats:.4f}" for c in own]
        lines.append(
            f"| {model.name} | {model.params:.3g} | {model.depth} × {model.width} | " + " | ".join(cells) + " |"
        )
    return lines


def gemstones(folder: Path) -> tuple[list[str], dict[str, object]]:
    rows = gemstones_table(folder / "hot_100b.jsonl")
    lines = ["", "## Gemstones: 770 rows, 22 runs", ""]
    lines += [
        "| law | printed objective | at the published constants | ours | seconds, median of 5 |",
        "|---|---|---|---|---|",
    ]
    out: dict[str, object] = {}
    for name, file in FILES.items():
        law, _ = published(name)
        printed = json.loads((folder / file).read_text())["loss"]["0"]
        fit, seconds = timed(lambda law=law: fit_losses(type(law), rows, replicates=0))
        ours = fit.objective
        out[name] = {"printed": printed, "published": objective(law, rows), "ours": ours, "seconds": seconds}
        lines.append(f"| {name} | {printed} | {objective(law, rows):.13f} | {ours:.13f} | {seconds:.2f} |")
    name = "gemstones-width-depth-tokens"
    fit, seconds = timed(lambda: fit_losses(find(name), rows, replicates=1000), 1)
    low, high = fit.depth_interval(1e12) or (np.nan, np.nan)
    out["refits"] = {"replicates": 1000, "seconds": seconds, "depth_1e12": [low, high], "status": str(fit.status)}
    lines += [
        "",
        f"1,000 block-bootstrap refits of {name}: {seconds:.1f} s on one core; the fit is *{fit.status}*:",
        "",
    ]
    lines += [f"- {note}" for note in fit.notes]
    best = float(fit.law.depth(1e12, 15.0))
    lines.append(f"- best depth at 1e12 (blocks of 15·L·d²): {best:.0f}, 95 % {low:.0f} to {high:.0f}")
    profile = irreducible_profile(find(name), rows, np.array([0.0, 0.25, 0.5, 0.75, 1.0, 1.25, 1.5, 1.75, 2.0]))
    out["irreducible"] = profile
    lines += ["", "How the 1T guideline hangs on the irreducible loss (held, the rest refitted):", ""]
    lines += ["| irreducible, nats | objective | layers at 1e12 |", "|---|---|---|"]
    lines += [f"| {e['irreducible']} | {e['objective']:.6f} | {e['depth']:.0f} |" for e in profile]
    authors = cells_of(gemstones_table(folder / "hot_100b.jsonl", "authors"), TOKENS)
    noise = measured_noise(authors)
    found = groups_of(authors, noise)
    lines += ["", f"Groups of one size at 100B tokens ({authors.counting}); one seed a shape, noise from what a smooth"]
    lines += [f"surface leaves over: {noise.sd:.4f} nats, {noise.df:.0f} degrees of freedom:", ""]
    lines += [f"- {group.sentence()}" for group in found]
    out["groups"] = [{"size": g.size, "labels": g.labels, "lead": g.lead, "probability": g.probability} for g in found]
    read = study(rows, tokens=TOKENS, laws=("levine2020", "transition-power", "constant-aspect"))
    lines += ["", "Laws of the transition through the valley of the same 22 networks (N: the blocks' matrices):", ""]
    lines += ["| law | constants (95 %) | best depth at 1e9 (95 %) | status |", "|---|---|---|---|"]
    for law_name, one in read.fits.items():
        constants = ", ".join(
            f"{key} = {value:.3f} ({pair[0]:.3f} to {pair[1]:.3f})" if pair else f"{key} = {value:.3f}"
            for (key, value), pair in zip(one.law.values.items(), one.intervals.values(), strict=True)
        )
        low, high = one.depth_interval(1e9) or (np.nan, np.nan)
        best = float(one.law.depth(1e9, one.block_coefficient))
        lines.append(f"| {law_name} | {constants} | {best:.0f} ({low:.0f} to {high:.0f}) | {one.status} |")
    lines += ["", "Best depth at 1e9 by token budget, levine2020:", "", "| tokens | layers (95 %) |", "|---|---|"]
    some = tuple(list(budgets(rows))[::5][:8])
    for entry in best_depth_by_tokens(rows, LAW, 1e9, at=some):
        low, high = entry.interval or (np.nan, np.nan)
        lines.append(f"| {entry.tokens:.3g} | {entry.depth:.1f} ({low:.0f} to {high:.0f}) |")
    lines += ["", "Ranked by error on the held-out larger sizes:", "", "| law | shape error, nats | loss error, nats |"]
    lines.append("|---|---|---|")
    full = study(rows, tokens=TOKENS, replicates=0)
    for entry in full.ranking:
        shape = "" if entry.shape_error is None else f"{entry.shape_error:.4f}"
        loss = "" if entry.loss_error is None else f"{entry.loss_error:.4f}"
        lines.append(f"| {entry.law} | {shape} | {loss} |")
    write(
        valley_figure(read.cells, read.noise, read.bottoms, read.fits["transition-power"]),
        DOCS / "figures",
        "gemstones-valleys",
    )
    return lines, out


def example() -> None:
    """The figures, of one synthetic world on the paper's grid whose truth is the paper's law."""
    rows = World(valley=VALLEYS["gemstones"]).table(PAPER, some_repeats(PAPER), np.random.default_rng(3))
    found = study(rows, laws=("levine2020",))
    fit = found.fits["levine2020"]
    folder = DOCS / "figures"
    write(loss_figure(found.cells, found.noise, found.crossings), folder, "losses")
    write(transition_figure(found.crossings, fit), folder, "transition")
    write(valley_figure(found.cells, found.noise, found.bottoms, fit), folder, "valleys")
    write(residual_figure(found.cells, fit), folder, "residuals")
    write(guideline_figure(published_sources(), known_models()), folder, "guideline")


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--gemstones", type=Path, default=ROOT.parent / "shared" / "data" / "gemstones")
    folder = parser.parse_args().gemstones
    lines = ["# Evidence", "", "Written by `python benchmarks/evidence.py`; what it means is in docs/science.md.", ""]
    out: dict[str, object] = {}
    more, out["table_1"] = table_1()
    lines += more
    more, out["best_depths"] = best_depths()
    lines += more + models()
    if folder.is_dir():
        more, out["gemstones"] = gemstones(folder)
        lines += more
    example()
    (DOCS / "evidence.md").write_text("\n".join(lines) + "\n", encoding="utf-8")
    (DOCS / "evidence.json").write_text(json.dumps(out, indent=1) + "\n", encoding="utf-8")
    print("\n".join(lines))


if __name__ == "__main__":
    main()
