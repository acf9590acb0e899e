"""Do 95 % intervals cover the truth in 95 % of worlds? The whole chain, from loss table to the 1T guideline.

    python benchmarks/coverage.py run [--worlds 2000] [--design NAME]   continues where it was stopped
    python benchmarks/coverage.py report                                docs/coverage.json and docs/coverage.md

Every world is numbered and seeded by its number, so that any of them can be drawn again. Results are appended, one JSON
line a world, to results/coverage/DESIGN.jsonl; a torn last line is dropped and its world drawn again.
"""

import argparse
import json
import time
from pathlib import Path

import numpy as np

from analysis.coverage import EMPTY, FITTED, empty_world, fitted_world, summarise
from analysis.worlds import VALLEYS

ROOT = Path(__file__).parent
RESULTS = ROOT.parent / "results" / "coverage"
DESIGNS = [*FITTED, "paper-empty", "tenth-empty"]


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
                empty = design.endswith("-empty")
                outcome = empty_world(design[: -len("-empty")], number) if empty else fitted_world(design, number)
                file.write(json.dumps(outcome) + "\n")
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
    parser.add_argument("--design", choices=DESIGNS, action="append")
    arguments = parser.parse_args()
    run(arguments.design or DESIGNS, arguments.worlds) if arguments.action == "run" else report()
