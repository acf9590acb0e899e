"""Does the best learning rate stay put? Coordinate checks and learning-rate sweeps over width and depth.

    python benchmarks/transfer.py coordinates   how far activations move in a few steps, standard rule, muP, CompleteP
    python benchmarks/transfer.py rates         final losses over rates; continues where it was stopped
    python benchmarks/transfer.py report        docs/transfer.json, docs/transfer.md and two figures in docs/figures

Rates are swept with the trainer itself on the quickstart's corpus and recipe, one thread a process, in two processes.
At the base's depth CompleteP is muP, and at the base's width muP is the standard rule (a matrix that ends a half of
a block starts smaller the deeper the network): so two rules and two lines of shapes show all three.
"""

import argparse
import json
import multiprocessing
import os
import time
import warnings
from collections import defaultdict
from concurrent.futures import ProcessPoolExecutor, as_completed
from pathlib import Path
from statistics import fmean
from typing import Any

from analysis.figures.style import LINES, MARKERS, blank, plain_ticks, shade, styled, write
from sweeps.rates import best_rate
from sweeps.spec import Spec

ROOT = Path(__file__).parents[1]
RESULTS = ROOT / "results" / "transfer"
DOCS = ROOT / "docs"

BASE = (2, 64)  # depth, width
WIDTHS, DEPTHS = (64, 128, 256, 512), (2, 4, 8, 16, 32)
SWEPT = {"width": [(2, 64), (2, 128), (2, 256)], "depth": [(2, 64), (4, 64), (8, 64)]}
RATES = [round(0.008 * 2.0**power, 7) for power in range(-4, 2)]
RULES = ("standard", "completep")
SEEDS = (0, 1)


def spec(rule: str, shape: tuple[int, int], rate: float, seed: int = 0) -> Spec:
    """The quickstart's network and recipe at one shape and rate, shorter, with half the context."""
    transfer = {"transfer": rule, "base": BASE, "sweep": [rate]}
    return Spec.model_validate(
        {
            "name": "transfer",
            "model": {"family": "gpt", "tokenizer": "bytes", "heads": 2, "context": 64},
            "grid": {"shapes": [shape], "seeds": [seed]},
            "data": {"corpus": "python-stdlib", "held_out": 0.05},
            "training": {
                "tokens": 655_360,
                "batch_tokens": 1024,
                "precision": "bf16",
                "zero": 1,
                "learning_rate": rate if rule == "standard" else transfer,
                "schedule": {"kind": "cosine", "warmup": 0.1},
            },
            "evaluation": {"tokens": 65_536, "points": 1},
        }
    )


def moves(rule: str, depth: int, width: int, rate: float = 4e-3, steps: int = 4) -> dict[str, float]:
    """Root mean square change, over a few steps of AdamW in fp32, of the residual stream after the last block, of
    what one block in the middle adds to it (times the depth), and of the logits."""
    import torch

    from models.decoder import Decoder
    from orchestrator.optimizers import optimizer_of
    from sweeps.planning import plan

    trial = plan(spec(rule, (depth, width), rate), None, {}).trials[0].trial
    torch.set_num_threads(1)
    decoder = Decoder(trial.shape, trial.recipe.parametrization, seed=0)
    optimizer = optimizer_of(decoder, trial)
    text = Path(os.__file__).read_bytes()
    ids = torch.tensor(list(text[: 4 * 65])).view(4, 65)

    def seen() -> dict[str, torch.Tensor]:
        stream = [decoder.stem(ids[:, :-1])]
        for block in decoder.blocks:
            stream.append(block(stream[-1]))
        added = (stream[depth // 2 + 1] - stream[depth // 2]) * depth
        return {"stream": stream[-1], "block": added, "logits": decoder(ids[:, :-1])}

    with torch.no_grad():
        before = seen()
    for _ in range(steps):
        optimizer.zero_grad()
        decoder(ids[:, :-1], ids[:, 1:]).backward()
        for group in optimizer.param_groups:
            group["lr"] = rate * group["factor"]
        optimizer.step()
    with torch.no_grad():
        after = seen()
    return {name: float((after[name] - before[name]).square().mean().sqrt()) for name in before}


def coordinates() -> None:
    """Over width at the base's depth and over depth at the base's width."""
    started, rows = time.monotonic(), []
    shapes = [("width", BASE[0], width) for width in WIDTHS] + [("depth", depth, BASE[1]) for depth in DEPTHS]
    for rule in ("standard", "mup", "completep"):
        for along, depth, width in shapes:
            moved = moves(rule, depth, width)
            rows.append({"rule": rule, "along": along, "depth": depth, "width": width} | moved)
            print(rows[-1], flush=True)
    RESULTS.mkdir(parents=True, exist_ok=True)
    found = {"seconds": round(time.monotonic() - started), "rows": rows}
    (RESULTS / "coordinates.json").write_text(json.dumps(found, indent=1) + "\n", encoding="utf-8")


def trained(rule: str, shape: tuple[int, int], rate: float, seed: int) -> dict[str, Any]:
    """The final held-out loss of one training; null where it diverged."""
    warnings.simplefilter("ignore")
    os.environ["DS_ACCELERATOR"] = "cpu"
    from math import isfinite

    from orchestrator.corpora.prepared import find_prepared
    from orchestrator.corpora.tokens import open_tokens
    from orchestrator.engine import Assignment, join
    from orchestrator.ports import free_port
    from orchestrator.training import Training
    from sweeps.planning import plan
    from sweeps.store import open_store

    store, asked = open_store(RESULTS), spec(rule, shape, rate, seed)
    corpus = find_prepared(asked, store)
    assert corpus is not None
    trial = plan(asked, corpus.content, {}).trials[0].trial
    assignment = Assignment(workers=1, rank=0, micro_batch=trial.recipe.batch_sequences, threads=1)
    join(assignment, "127.0.0.1", free_port())
    started = time.monotonic()
    training = Training(trial, assignment, open_tokens(store, trial.corpus))
    training.advance(trial.last)
    loss = training.evaluate().loss
    training.close()
    seconds = round(time.monotonic() - started, 1)
    key = {"rule": rule, "depth": shape[0], "width": shape[1], "rate": rate, "seed": seed}
    return key | {"loss": loss if isfinite(loss) else None, "seconds": seconds, "trial": trial.trial_id}


def entries() -> list[dict[str, Any]]:
    """What was trained so far; a torn last line is left out."""
    path = RESULTS / "rates.jsonl"
    text = path.read_text(encoding="utf-8") if path.exists() else ""
    return [json.loads(line) for line in text[: text.rfind("\n") + 1].splitlines()]


def rates(seeds: tuple[int, ...], processes: int) -> None:
    """Train what is missing, one seed after the other, the ends of both lines before their middles."""
    from orchestrator.corpora.prepare import prepare
    from orchestrator.corpora.prepared import find_prepared
    from sweeps.store import open_store

    store = open_store(RESULTS)
    if find_prepared(spec("standard", BASE, RATES[0]), store) is None:
        prepare(spec("standard", BASE, RATES[0]), store)
    done = {(e["rule"], (e["depth"], e["width"]), e["rate"], e["seed"]) for e in entries()}
    shapes = [BASE, *(line[-1] for line in SWEPT.values()), *(line[1] for line in SWEPT.values())]
    wanted = [(rule, shape, rate, seed) for seed in seeds for shape in shapes for rule in RULES for rate in RATES]
    wanted = [one for one in wanted if one not in done and not (one[0] == "completep" and one[1] == BASE)]
    with (
        ProcessPoolExecutor(processes, mp_context=multiprocessing.get_context("spawn")) as pool,
        (RESULTS / "rates.jsonl").open("a", encoding="utf-8") as file,
    ):
        for made in as_completed([pool.submit(trained, *one) for one in wanted]):
            file.write(json.dumps(made.result()) + "\n")
            file.flush()
            print(made.result(), flush=True)


def swept(rule: str, shape: tuple[int, int]) -> dict[float, float | None]:
    """Loss by rate, mean over seeds; None where any seed diverged. At the base both rules are the same."""
    found: dict[float, list[float | None]] = defaultdict(list)
    for e in entries():
        if (e["depth"], e["width"]) == shape and e["rule"] == ("standard" if shape == BASE else rule):
            found[e["rate"]].append(e["loss"])
    return {
        rate: None if None in losses else fmean(loss for loss in losses if loss is not None)
        for rate, losses in sorted(found.items())
    }


def report() -> None:
    """The table, the figures and what they were drawn from."""
    checked = json.loads((RESULTS / "coordinates.json").read_text(encoding="utf-8"))
    optima: list[dict[str, Any]] = []
    for rule in RULES:
        for along, shapes in SWEPT.items():
            known = [shape for shape in shapes if len(swept(rule, shape)) >= 3]
            for shape in known if len(known) > 1 else []:  # a line of one shape compares nothing
                losses = swept(rule, shape)
                best = best_rate(losses)
                error, lowest = best.log_error, min(loss for loss in losses.values() if loss is not None)
                row = {"rule": rule, "along": along, "depth": shape[0], "width": shape[1], "rate": best.rate}
                row |= {"log_error": error, "flag": best.flag, "loss": lowest, "losses": list(losses.items())}
                optima.append(row)
    seeds = sorted({e["seed"] for e in entries()})
    found = {"coordinates": checked, "optima": optima, "seeds": seeds, "seconds": sum(e["seconds"] for e in entries())}
    (DOCS / "transfer.json").write_text(json.dumps(found, indent=1) + "\n", encoding="utf-8")
    (DOCS / "transfer.md").write_text("\n".join(table(found)) + "\n", encoding="utf-8")
    draw_coordinates(checked["rows"])
    if len({(row["rule"], row["along"]) for row in optima}) == len(RULES) * len(SWEPT):
        draw_rates(optima)


def table(found: dict[str, Any]) -> list[str]:
    asked = spec("standard", BASE, RATES[0])
    lines = [
        "# Learning rates over width and depth",
        "",
        "Written by `python benchmarks/transfer.py report`; what it means is in docs/science.md.",
        "",
        "## The best rate",
        "",
        f"GPT decoders on the quickstart's corpus, {asked.training.tokens[0]:,} tokens in steps of "
        f"{asked.training.batch_tokens:,}, AdamW, bf16, seeds {', '.join(map(str, found['seeds']))}. Base "
        f"{BASE[0]}×{BASE[1]} (depth × width). The best rate is the vertex of the parabola through the three lowest "
        "losses in ln(rate); the last column is that over the base's.",
        "",
        "| rule | along | depth × width | best rate | error of ln | least loss | over the base's |",
        "|---|---|---|---|---|---|---|",
    ]
    for row in found["optima"]:
        base = next(r for r in found["optima"] if (r["rule"], r["along"]) == (row["rule"], row["along"]))
        edge = " (edge)" if row["flag"] else ""
        lines.append(
            f"| {row['rule']} | {row['along']} | {row['depth']}×{row['width']} | {row['rate']:.3g}{edge} | "
            f"{row['log_error']:.2f} | {row['loss']:.4f} | {row['rate'] / base['rate']:.2f} |"
        )
    rows = found["coordinates"]["rows"]
    lines += [
        "",
        "## Coordinate check",
        "",
        "Root mean square change in four steps of AdamW at rate 4e-3, in fp32, of the logits, and of what a block in",
        "the middle adds to the residual stream times the depth; last the largest over the smallest of the line.",
    ]
    for along, values in (("width", WIDTHS), ("depth", DEPTHS)):
        lines += ["", f"| over {along} | | {' | '.join(map(str, values))} | range |", "|---" * (len(values) + 3) + "|"]
        for what in ("logits", "block"):
            for rule in ("standard", "mup", "completep"):
                moved = [r[what] for r in rows if (r["rule"], r["along"]) == (rule, along)]
                shown = " | ".join(f"{m:.3f}" for m in moved)
                lines.append(f"| {what} | {rule} | {shown} | {max(moved) / min(moved):.2f} |")
    return lines


def draw_coordinates(rows: list[dict[str, Any]]) -> None:
    """One column for width and one for depth; logits above, what a block adds below."""
    with styled():
        figure = blank(6.4, 5.2)
        axes = figure.subplots(2, 2, sharex="col", sharey="row")
        for column, along in enumerate(("width", "depth")):
            for row, what in enumerate(("logits", "block")):
                for place, rule in enumerate(("standard", "mup", "completep")):
                    line = [r for r in rows if (r["rule"], r["along"]) == (rule, along)]
                    axes[row, column].loglog(
                        [r[along] for r in line],
                        [r[what] for r in line],
                        color=shade(place, 3),
                        marker=MARKERS[place],
                        linestyle=LINES[place],
                        label={"standard": "standard", "mup": "muP", "completep": "CompleteP"}[rule],
                    )
                plain_ticks(axes[row, column].xaxis)
                plain_ticks(axes[row, column].yaxis)
            axes[1, column].set_xlabel(along)
        axes[0, 0].set_ylabel("change of the logits")
        axes[1, 0].set_ylabel("change of what a block adds, × depth")
        axes[0, 0].legend()
    write(figure, DOCS / "figures", "coordinates")


def draw_rates(optima: list[dict[str, Any]]) -> None:
    """Loss less the shape's least against the rate: a row a rule, a column a way of growing."""
    with styled():
        figure = blank(6.4, 5.2)
        axes = figure.subplots(2, 2, sharex=True, sharey=True)
        for row, rule in enumerate(RULES):
            for column, along in enumerate(SWEPT):
                lines = [r for r in optima if (r["rule"], r["along"]) == (rule, along)]
                for place, one in enumerate(lines):
                    known = [(rate, loss - one["loss"]) for rate, loss in one["losses"] if loss is not None]
                    colour = shade(place, len(lines))
                    label = f"{one['depth']}×{one['width']}"
                    axes[row, column].plot(*zip(*known, strict=True), color=colour, marker=MARKERS[place], label=label)
                    axes[row, column].axvline(one["rate"], color=colour, linestyle=LINES[place], linewidth=0.8)
                name = {"standard": "standard rule", "completep": "CompleteP"}[rule]
                axes[row, column].set_title(f"{name}, over {along}", loc="left", fontsize=9)
                axes[row, column].legend(title="depth × width")
        axes[0, 0].set_xscale("log")
        axes[0, 0].set_ylim(-0.01, 0.35)
        for axis in axes[1]:
            axis.set_xlabel("peak learning rate")
        for axis in axes[:, 0]:
            axis.set_ylabel("loss less the least, nats per token")
    write(figure, DOCS / "figures", "rates")


if __name__ == "__main__":
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("what", choices=["coordinates", "rates", "report"])
    parser.add_argument("--seeds", type=int, nargs="+", default=list(SEEDS))
    parser.add_argument("--processes", type=int, default=2)
    asked = parser.parse_args()
    if asked.what == "rates":
        rates(tuple(asked.seeds), asked.processes)
    else:
        {"coordinates": coordinates, "report": report}[asked.what]()
