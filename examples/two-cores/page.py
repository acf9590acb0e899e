"""docs/two-cores.md: the words of page.md, with the numbers of findings.py in their places."""

from __future__ import annotations

from math import exp
from pathlib import Path
from typing import Any

WORDS = Path(__file__).parent / "page.md"
SWEEPS = {"two-cores": "the sweep", "two-cores-rates": "other rates", "two-cores-vocabulary": "2,000 tokens of BPE"}


def page(found: dict[str, Any]) -> str:
    main, other = found["budgets"][-1], found["vocabulary"]
    first, hours = found["history"][0], sum(one["hours"] for one in found["history"])
    return WORDS.read_text(encoding="utf-8").format(
        shapes=f"{first['shapes']:.0f}",
        results=f"{first['results']:,.0f}",
        trainings=f"{first['trainings']:,.0f}",
        hours=f"{hours:.1f}",
        rate=f"{found['rate']:.2g}",
        rate_error=f"{found['rate_error']:.4f}",
        noise=f"{main['noise']:.4f}",
        noise_source=main["noise_source"],
        median=f"{main['scatter']['median']:.4f}",
        worst=main["scatter"]["worst"],
        worst_losses=", ".join(f"{loss:.3f}" for loss in main["scatter"]["losses"]),
        history=histories(found["history"]),
        proxies=", ".join(f"{one['loss']:.4f} at {one['rate']:g}" for one in found["proxies"]),
        first=place(main, "1 → 2"),
        second=place(main, "2 → 3"),
        first_4m=place(found["budgets"][-2], "1 → 2"),
        paper_b=f"{found['paper']['b']:.3g}",
        paper_step=f"{exp(found['paper']['b']):.2f}",
        step=f"{exp(main['law']['values']['b']):.1f}",
        step_from=f"{exp(main['law']['intervals']['b'][0]):.1f}",
        step_to=f"{exp(main['law']['intervals']['b'][1]):.1f}",
        losses=losses(main),
        crossings=crossings(found["budgets"]),
        laws=laws(found["budgets"], found["paper"]),
        rate_cells=rate_cells(found["rates"]),
        rate_crossings=rate_crossings(found["rates"]),
        vocabulary_early=", ".join(str(depth) for depth in sorted({row["best"] for row in other["early"]})),
        vocabulary_losses=losses(other),
        counted_whole=crossings(found["counted_whole"]),
        vocabulary_crossings=crossings([other]),
    )


def table(columns: list[str], rows: list[list[str]]) -> str:
    lines = ["| " + " | ".join(columns) + " |", "|---" * len(columns) + "|"]
    return "\n".join([*lines, *("| " + " | ".join(row) + " |" for row in rows)])


def size(params: float | None) -> str:
    """A number of parameters to two digits; an en dash where it is not known."""
    return "–" if params is None else f"{float(f'{params:.2g}'):,.0f}"


def millions(tokens: float) -> str:
    return f"{tokens / 1e6:.0f}M"


def histories(found: list[dict[str, Any]]) -> str:
    rows = [
        [
            SWEEPS[one["sweep"]],
            f"{one['trainings']:,.0f}",
            f"{one['tokens'] / 1e9:.2f}e9",
            f"{one['hours']:.2f}",
            f"{one['core_hours']:.2f}",
            *(f"{one[name]:.0f}" for name in ("pauses", "resumes", "failures")),
        ]
        for one in found
    ]
    columns = ["", "trainings", "tokens", "hours", "core-hours in steps", "pauses", "resumes", "failures"]
    return table(columns, rows)


def losses(one: dict[str, Any]) -> str:
    depths = sorted({int(depth) for row in one["losses"] for depth in row["by_depth"]})
    rows = []
    for row in one["losses"]:
        by_depth = {int(depth): loss for depth, loss in row["by_depth"].items()}
        shown = [f"{by_depth[depth]:.4f}" if depth in by_depth else "" for depth in depths]
        rows.append(
            [size(row["params"])] + [f"**{s}**" if d == row["best"] else s for d, s in zip(depths, shown, strict=True)]
        )
    return table(["N", *(f"{depth} layer{'s' if depth > 1 else ''}" for depth in depths)], rows)


def crossings(budgets: list[dict[str, Any]]) -> str:
    rows = [[millions(one["tokens"]), *crossing(at)] for one in budgets for at in one["crossings"]]
    return table(["tokens", "layers", "verdict", "N", "from", "to"], rows)


def crossing(at: dict[str, Any]) -> list[str]:
    """Cells of a row: the pair, what is said of it, its place where it has one, its interval or bound."""
    place = at["params"] if at["verdict"] in ("crosses", "likely") else None
    return [at["pair"], at["verdict"], size(place), *map(size, at["interval"])]


def place(one: dict[str, Any], pair: str) -> str:
    """Of a pair that crosses or is likely to: where, and between what."""
    (at,) = (at for at in one["crossings"] if at["pair"] == pair)
    if at["verdict"] not in ("crosses", "likely"):
        raise ValueError(f"{pair} at {one['tokens']:g} tokens: {at['verdict']}; page.md says that it crosses")
    low, high = map(size, at["interval"])
    return f"N = {size(at['params'])} ({at['verdict']}; {low} to {high})"


def laws(budgets: list[dict[str, Any]], paper: dict[str, float]) -> str:
    rows = []
    for one in budgets:
        law = one["law"]
        if "values" in law:
            rows.append(
                [
                    millions(one["tokens"]),
                    constant(law, "a"),
                    constant(law, "b"),
                    "; ".join([law["status"], *law["notes"]]),
                ]
            )
        else:
            rows.append([millions(one["tokens"]), "", "", law["refused"]])
    rows.append(["the paper", f"{paper['a']:.3g}", f"{paper['b']:.3g}", "between 1e6 and 6e8 parameters"])
    return table(["tokens", "a", "b, per layer", ""], rows)


def constant(law: dict[str, Any], name: str) -> str:
    interval = law["intervals"].get(name)
    return f"{law['values'][name]:.3g}" + (f" ({interval[0]:.3g} to {interval[1]:.3g})" if interval else "")


def rate_cells(found: dict[str, Any]) -> str:
    factors = sorted({factor for one in found["cells"] for factor in one["losses"]}, key=float)
    rows = []
    for one in found["cells"]:
        best = min(one["losses"], key=one["losses"].get)
        shown = [f"{one['losses'][factor]:.4f}" for factor in factors]
        rows.append([one["cell"]] + [f"**{s}**" if f == best else s for f, s in zip(factors, shown, strict=True)])
    return table(["layers × width", *(f"rate × {factor}" for factor in factors)], rows)


def rate_crossings(found: dict[str, Any]) -> str:
    said = {True: "yes", False: "**no**", None: "–"}
    rows = [["as in the sweep", *crossing(at), ""] for at in found["crossings"]]
    rows += [[case["case"], *crossing(at), said[at["within"]]] for case in found["cases"] for at in case["crossings"]]
    return table(
        ["cells trained", "layers", "verdict", "N", "from", "to", "its place within the sweep's interval"], rows
    )
