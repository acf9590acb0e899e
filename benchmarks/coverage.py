"""Do 95 % intervals cover the truth in 95 % of worlds? The whole chain, from loss table to the 1T guideline.

    python benchmarks/coverage.py run [--worlds 2000] [--design NAME]   continues where it was stopped
    python benchmarks/coverage.py report                                docs/coverage.json and docs/coverage.md

Every world is numbered and seeded by its number, so that any of them can be drawn again. Results are appended, one JSON
line a world, to results/coverage/DESIGN.jsonl; a torn last line is dropped and its world drawn again.
"""

import argparse
import json
import math
import time
from pathlib import Path

import numpy as np

from analysis.cells import cells_of
from analysis.crossing_fit import fit_crossings
from analysis.crossings import crossings, summary
from analysis.laws.levine2020 import Levine2020
from analysis.losses import checked
from analysis.noise import Noise, noise_of_seeds
from analysis.status import FitError
from analysis.transition_fit import fit_transition
from analysis.worlds import PAPER_DEPTHS, PAPER_LAW, VALLEYS, World, grid, some_repeats

ROOT = Path(__file__).parent
RESULTS = ROOT.parent / "results" / "coverage"
PAPER = grid(PAPER_DEPTHS, 1e6, 6e8, 10)
TENTH = grid(PAPER_DEPTHS, 1e5, 6e7, 10)
FEW = grid((3, 6, 12, 24), 3e5, 2e8, 4)


# name: shapes, seeds a shape, what it is
FITTED = {
    "paper": (PAPER, some_repeats(PAPER), "the paper's grid; every fourth shape with three seeds"),
    "paper-one-seed": (PAPER, [1] * len(PAPER), "the paper's grid, one seed: noise from what the surface leaves over"),
    "tenth": (TENTH, some_repeats(TENTH), "sizes a tenth of the paper's: most crossings lie beyond the data"),
    "tenth-one-seed": (TENTH, [1] * len(TENTH), "the same with one seed"),
    "few": (FEW, some_repeats(FEW), "a quarter of the networks, four depths"),
}
# Worlds in which no depth overtakes another inside the data. The width at which the first one would, times this:
EMPTY = {
    "flat": None,  # depth does nothing at all
    "shallow": 10.0,  # the shallowest is best at every size trained, by far
    "beyond": 1.4,  # the first change comes at twice the largest size trained
    "deep": 0.002,  # the deepest is best at every size trained
}


def empty_law(kind: str, shapes: list[tuple[int, int]]) -> Levine2020 | None:
    factor = EMPTY[kind]
    if factor is None:
        return None
    largest = max(12 * depth * width**2 for depth, width in shapes)
    shallow, deeper = sorted({depth for depth, _ in shapes})[:2]
    first = math.sqrt(shallow * deeper)
    return Levine2020(a=math.log(factor * math.sqrt(largest / (12 * first))) - PAPER_LAW.b * first, b=PAPER_LAW.b)


def fitted_world(design: str, number: int) -> dict[str, object]:
    """One world: estimates, whether its intervals cover, by the surface and by crossings alone."""
    shapes, seeds, _ = FITTED[design]
    name = list(VALLEYS)[number % len(VALLEYS)]
    rng = np.random.default_rng([2006, 12467, number, list(FITTED).index(design)])
    cells = cells_of(checked(World(valley=VALLEYS[name]).table(shapes, seeds, rng)))
    fit = fit_transition(Levine2020, cells, rng=rng)
    entry: dict[str, object] = {"world": number, "valley": name, "status": str(fit.status)}
    entry |= against_truth(fit)
    entry["noise"] = fit.noise.sd if fit.noise else None
    noise = noise_of_seeds(cells) or fit.noise
    if number % 4 == 0 and isinstance(noise, Noise):
        try:
            entry["crossings_only"] = against_truth(fit_crossings(Levine2020, cells, noise, replicates=300, rng=rng))
        except FitError as error:
            entry["crossings_only"] = {"refused": str(error)}
    return entry


def against_truth(fit) -> dict[str, object]:
    """Error and cover of a, b and the log of the 1T depth."""
    assert isinstance(fit.law, Levine2020)
    depth = fit.depth_interval(1e12)
    found = {
        "a": (fit.law.a - PAPER_LAW.a, fit.intervals["a"], PAPER_LAW.a),
        "b": (fit.law.b - PAPER_LAW.b, fit.intervals["b"], PAPER_LAW.b),
        "depth": (math.log(fit.law.depth(1e12) / PAPER_LAW.depth(1e12)), depth, float(PAPER_LAW.depth(1e12))),
    }
    return {
        name: {"error": error, "covers": low <= truth <= high, "length": high - low}
        for name, (error, (low, high), truth) in found.items()
    }


def empty_world(design: str, number: int) -> dict[str, object]:
    """One world without a transition inside its data: is one found all the same?"""
    kind = list(EMPTY)[number % len(EMPTY)]
    shapes, seeds, _ = FITTED[design.removesuffix("-empty")]
    law = empty_law(kind, shapes)
    rng = np.random.default_rng([2006, 12467, number, 100 + list(FITTED).index(design.removesuffix("-empty"))])
    world = World(valley=None) if law is None else World(law=law, valley=VALLEYS["gemstones"])
    cells = cells_of(checked(world.table(shapes, seeds, rng)))
    noise = noise_of_seeds(cells)
    assert noise is not None
    return {"world": number, "kind": kind, "found": summary(crossings(cells, noise)).startswith("found")}


DESIGNS = {**dict.fromkeys(FITTED, fitted_world), "paper-empty": empty_world, "tenth-empty": empty_world}


def run(designs: list[str], worlds: int) -> None:
    RESULTS.mkdir(parents=True, exist_ok=True)
    for design in designs:
        path = RESULTS / f"{design}.jsonl"
        done = {entry["world"] for entry in entries(path)}
        started = time.monotonic()
        with path.open("a", encoding="utf-8") as file:
            for number in range(worlds):
                if number in done:
                    continue
                file.write(json.dumps(DESIGNS[design](design, number)) + "\n")
                file.flush()
        print(f"{design}: {worlds - len(done)} worlds in {time.monotonic() - started:.0f} s", flush=True)


def entries(path: Path) -> list[dict]:
    """Of one design; a torn last line is cut off, so that the file ends with a whole one."""
    if not path.exists():
        return []
    text = path.read_text(encoding="utf-8")
    whole = text[: text.rfind("\n") + 1]
    if whole != text:
        path.write_text(whole, encoding="utf-8")
    return [json.loads(line) for line in whole.splitlines()]


def summarise(found: list[dict], part: str | None = None) -> dict[str, object]:
    """Cover, its standard error, bias over standard deviation, and median length, of a, b and the 1T depth."""
    rows = [entry[part] for entry in found if part in entry] if part else found
    rows = [row for row in rows if "a" in row]
    summary: dict[str, object] = {"worlds": len(rows)}
    for name in ("a", "b", "depth"):
        errors = np.array([row[name]["error"] for row in rows])
        covers = np.array([row[name]["covers"] for row in rows])
        summary[name] = {
            "cover": float(covers.mean()),
            "cover_se": float(np.sqrt(covers.mean() * (1 - covers.mean()) / len(covers))),
            "bias_over_sd": float(errors.mean() / errors.std()),
            "sd": float(errors.std()),
            "median_length": float(np.median([row[name]["length"] for row in rows])),
        }
    return summary


def report() -> None:
    designs: dict[str, object] = {}
    lines = [
        "# Coverage: do the intervals hold?",
        "",
        "Written by `python benchmarks/coverage.py report`; what it means is in docs/science.md.",
        "",
        "Each world is a loss table drawn from the paper's law (a = 5.039, b = 0.0555), a valley (in turn a parabola,",
        "that of Gemstones' four-variable law, that of inverse-depth2026; curvature 0.05 nats), noise of 0.001 nats,",
        "and analysed by the whole chain. Cover is the share of worlds whose 95 % interval holds the truth; bias is in",
        "units of the estimate's own standard deviation; ± is the standard error of the study itself.",
        "",
        "| grid | networks | worlds | cover a | cover b | cover 1T depth | bias a, b, 1T | 1T interval, layers |",
        "|---|---|---|---|---|---|---|---|",
    ]
    for design, (shapes, seeds, what) in FITTED.items():
        found = entries(RESULTS / f"{design}.jsonl")
        if not found:
            continue
        whole = summarise(found)
        valleys = {name: summarise([e for e in found if e["valley"] == name]) for name in VALLEYS}
        alone = summarise(found, "crossings_only")
        designs[design] = {
            "what": what,
            "networks": len(shapes),
            "runs": sum(seeds),
            "all": whole,
            "by_valley": valleys,
        }
        designs[design]["crossings_only"] = alone
        for label, part in ((design, whole), (f"{design}, crossings only", alone)):
            cover = " | ".join(f"{part[k]['cover']:.3f} ± {part[k]['cover_se']:.3f}" for k in ("a", "b", "depth"))
            bias = ", ".join(f"{part[k]['bias_over_sd']:+.2f}" for k in ("a", "b", "depth"))
            length = part["depth"]["median_length"]
            lines.append(f"| {label} | {len(shapes)} | {part['worlds']} | {cover} | {bias} | {length:.1f} |")
    lines += ["", *(f"- **{name}**: {what}." for name, (_, _, what) in FITTED.items())]
    lines += [
        "",
        "## Worlds without a transition inside the data",
        "",
        "| grid | world | drawn | none found |",
        "|---|---|---|---|",
    ]
    for design in ("paper-empty", "tenth-empty"):
        found = entries(RESULTS / f"{design}.jsonl")
        kinds = {kind: [e["found"] for e in found if e["kind"] == kind] for kind in EMPTY}
        designs[design] = {
            kind: {"worlds": len(hits), "none_found": 1 - float(np.mean(hits))} for kind, hits in kinds.items() if hits
        }
        lines += [
            f"| {design} | {kind} | {len(hits)} | {1 - np.mean(hits):.3f} |" for kind, hits in kinds.items() if hits
        ]
    docs = ROOT.parent / "docs"
    (docs / "coverage.json").write_text(json.dumps(designs, indent=1) + "\n", encoding="utf-8")
    (docs / "coverage.md").write_text("\n".join(lines) + "\n", encoding="utf-8")
    print("\n".join(lines))


if __name__ == "__main__":
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("action", choices=["run", "report"])
    parser.add_argument("--worlds", type=int, default=2000)
    parser.add_argument("--design", choices=list(DESIGNS), action="append")
    arguments = parser.parse_args()
    run(arguments.design or list(DESIGNS), arguments.worlds) if arguments.action == "run" else report()
