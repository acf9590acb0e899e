"""Peak memory of real training steps on this machine's CPU or GPU, beside what models/memory.py says.

    python benchmarks/memory.py [--only REGEX] [--out FILE]      20 shapes × ZeRO 0-3 × one and two workers
    python benchmarks/memory.py --device cuda                    on a GPU: one worker
    python benchmarks/memory.py --worst FILE                     the worst errors of a finished file, a row a stage

Points that FILE has already are not measured again, so a run that was cut short goes on.

Each point builds the engine and takes two steps through orchestrator/training.py in a process of its own for each
worker, forked from one that has only imported. Its measure is what torch had allocated at the highest moment, as
torch's own profiler tracked it, the largest over the workers: what a GPU's allocator reports as its peak, and there
it is asked.
Resident memory on a CPU is more (docs/log.md): malloc keeps what is freed, and oneDNN its kernels.
"""

from __future__ import annotations

import argparse
import importlib
import json
import multiprocessing
import re
import socket
import sys
from dataclasses import dataclass
from multiprocessing.connection import Connection
from pathlib import Path
from typing import Any, Literal

from models.architecture import Architecture
from models.memory import estimate
from models.parametrization import Parametrization
from models.shape import Shape
from orchestrator.accelerator import compute_on
from orchestrator.work import Device
from sweeps.schedule import Schedule
from sweeps.trial import Evaluation, Optimizer, Recipe, Trial

STEPS = 2


@dataclass(frozen=True, slots=True, kw_only=True)
class Point:
    """One measurement: a shape, and how it is trained."""

    shape: Shape
    precision: Literal["fp32", "bf16"]
    zero: Literal[0, 1, 2, 3]
    workers: int
    micro_batch: int
    accumulation: int = 1
    checkpoint_activations: bool = False

    @property
    def name(self) -> str:
        kept = "-recomputed" if self.checkpoint_activations else ""
        s = self.shape
        return (
            f"{s.family}-{s.depth}x{s.width}-v{s.vocabulary}-t{s.context}-b{self.micro_batch}x{self.accumulation}"
            f"-{self.precision}{kept}-z{self.zero}-w{self.workers}"
        )


def gpt(depth: int, width: int, heads: int = 2, vocabulary: int = 2000, context: int = 128) -> Shape:
    return Architecture(family="gpt", vocabulary=vocabulary, context=context, heads=heads).shape(depth, width)


def llama(depth: int, width: int, heads: int, kv_heads: int, vocabulary: int = 2000, context: int = 128) -> Shape:
    made = Architecture(family="llama", vocabulary=vocabulary, context=context, heads=heads, kv_heads=kv_heads)
    return made.shape(depth, width)


# shape, precision, micro-batch, accumulation, recomputed activations: from small and wide to deep, and from
# networks whose weights are the most to those whose activations, scores or logits are.
SHAPES: list[tuple[Shape, Literal["fp32", "bf16"], int, int, bool]] = [
    (gpt(2, 64), "bf16", 8, 1, False),
    (gpt(6, 256), "bf16", 32, 1, False),
    (gpt(6, 256), "fp32", 32, 1, False),
    (gpt(12, 384), "bf16", 16, 1, False),
    (gpt(12, 384), "fp32", 16, 2, False),
    (gpt(12, 384), "bf16", 16, 2, True),
    (gpt(24, 512), "bf16", 4, 1, False),
    (gpt(24, 512), "fp32", 4, 1, True),
    (gpt(6, 768), "bf16", 4, 1, False),
    (gpt(6, 768), "fp32", 4, 2, False),
    (gpt(3, 1024), "bf16", 8, 2, False),
    (gpt(48, 320), "bf16", 4, 1, False),
    (gpt(4, 256, heads=8), "bf16", 32, 1, False),
    (gpt(4, 256, heads=4, context=512), "fp32", 8, 1, False),
    (gpt(4, 256, heads=4, context=1024), "bf16", 8, 1, False),
    (gpt(2, 256, vocabulary=32000), "bf16", 8, 1, False),
    (gpt(2, 256, vocabulary=32000), "fp32", 8, 1, False),
    (llama(8, 512, 8, 8), "bf16", 8, 1, False),
    (llama(8, 512, 8, 2), "fp32", 8, 1, False),
    (llama(6, 512, 8, 4, context=512), "bf16", 4, 2, True),
]


def points() -> list[Point]:
    """Every shape at every stage and with one and two workers."""
    stages: tuple[Literal[0, 1, 2, 3], ...] = (0, 1, 2, 3)
    return [
        Point(
            shape=shape,
            precision=precision,
            zero=zero,
            workers=workers,
            micro_batch=micro_batch,
            accumulation=accumulation,
            checkpoint_activations=recomputed,
        )
        for shape, precision, micro_batch, accumulation, recomputed in SHAPES
        for zero in stages
        for workers in (1, 2)
    ]


def trial_of(point: Point) -> Trial:
    """A trial of two steps that trains the point's shape with its recipe."""
    return Trial(
        shape=point.shape,
        recipe=Recipe(
            batch_sequences=point.workers * point.micro_batch * point.accumulation,
            learning_rate=1e-3,
            schedule=Schedule(kind="cosine", warmup=0, start=0, end=STEPS, final=0.0),
            optimizer=Optimizer(name="adamw", betas=(0.9, 0.95), epsilon=1e-8, weight_decay=0.1),
            gradient_clipping=1.0,
            precision=point.precision,
            zero=point.zero,
            compile=False,
            parametrization=Parametrization(),
            evaluation=Evaluation(tokens=point.shape.context, steps=(STEPS,)),
        ),
        corpus="0" * 64,
        seed=0,
        last=STEPS,
    )


def highest(tracked: Any) -> int:
    """The most bytes that torch had allocated at a time while it was tracked."""
    events = (event for event in tracked.profiler.kineto_results.events() if event.name() == "[memory]")
    now = most = 0
    for event in sorted(events, key=lambda event: event.start_ns()):
        now += event.nbytes()
        most = max(most, now)
    return most


def train(point: Point, device: Device, rank: int, port: int, answer: Connection) -> None:
    """One worker's process: send the most it had allocated, bytes."""
    import warnings

    import numpy as np
    import torch
    from torch.profiler import ProfilerActivity, profile

    from orchestrator.corpora.tokens import Tokens
    from orchestrator.engine import Assignment, join
    from orchestrator.training import Training

    warnings.simplefilter("ignore")
    trial = trial_of(point)
    assignment = Assignment(
        workers=point.workers,
        rank=rank,
        micro_batch=point.micro_batch,
        threads=1,
        device=device,
        checkpoint_activations=point.checkpoint_activations,
    )
    join(assignment, "127.0.0.1", port)
    ids = np.random.default_rng(0).integers(0, point.shape.vocabulary, size=200_000).astype(np.uint16)
    tokens = Tokens(train=ids, held_out=ids[:10_000], held_out_ends=np.array([10_000]))
    if device == "cuda":
        Training(trial, assignment, tokens).advance(STEPS)
        answer.send(torch.cuda.max_memory_allocated())
        return
    with profile(activities=[ProfilerActivity.CPU], profile_memory=True) as tracked:
        Training(trial, assignment, tokens).advance(STEPS)
    answer.send(highest(tracked))


def measure(point: Point, device: Device) -> int:
    """The most allocated by a worker, bytes. Raises RuntimeError where a worker fails."""
    starting: Any = multiprocessing.get_context("fork" if device == "cpu" else "spawn")  # CUDA does not survive a fork
    with socket.socket() as probe:
        probe.bind(("", 0))
        port = probe.getsockname()[1]
    workers = []
    for rank in range(point.workers):
        ours, theirs = starting.Pipe(duplex=False)
        process = starting.Process(target=train, args=(point, device, rank, port, theirs))
        process.start()
        theirs.close()
        workers.append((process, ours))
    growths = []
    for process, ours in workers:
        try:
            growths.append(ours.recv())
        except EOFError:
            raise RuntimeError(f"{point.name}: a worker ended without an answer") from None
        finally:
            process.kill()
            process.join()
    return max(growths)


def rows_of(path: Path) -> list[dict[str, Any]]:
    """The rows of a file that --out has written."""
    return [json.loads(line) for line in path.read_text().splitlines()]


def print_worst(rows: list[dict[str, Any]]) -> None:
    """For each stage, count of workers and precision: points, those above 200 MB, and of these the extreme errors."""
    print("| stage | workers | precision | points | above 200 MB | too low by most | too high by most | typical |")
    print("|---|---|---|---|---|---|---|---|")
    groups: dict[tuple[str, ...], list[dict[str, Any]]] = {}
    for row in rows:
        found = re.search(r"-(bf16|fp32)(?:-recomputed)?-z(\d)-w(\d)$", row["point"])
        assert found is not None
        groups.setdefault((found[2], found[3], found[1]), []).append(row)
    for (zero, workers, precision), members in sorted(groups.items()):
        errors = sorted(row["error"] for row in members if row["measured_bytes"] > 200e6)
        typical = sorted(map(abs, errors))[len(errors) // 2] if errors else float("nan")
        low, high = (min(errors[0], 0.0), max(errors[-1], 0.0)) if errors else (float("nan"), float("nan"))
        cells = [zero, workers, precision, len(members), len(errors), f"{-low:.1%}", f"{high:.1%}", f"{typical:.1%}"]
        print("| " + " | ".join(map(str, cells)) + " |")


def main() -> None:
    arguments = argparse.ArgumentParser(description=__doc__)
    arguments.add_argument("--only", default="", help="measure the points whose name this regular expression finds")
    arguments.add_argument("--out", type=Path, help="append a JSON line a point to this file as well")
    arguments.add_argument("--worst", type=Path, help="print the worst errors in this file, and measure nothing")
    arguments.add_argument("--device", choices=("cpu", "cuda"), default="cpu", help="what to train on")
    asked = arguments.parse_args()
    compute_on(asked.device)
    if asked.worst:
        print_worst(rows_of(asked.worst))
        return
    there = {row["point"] for row in rows_of(asked.out)} if asked.out and asked.out.exists() else set()
    # Before the forks, so that each starts with them: what the engine imports late is no part of a trial's memory.
    for late in ("orchestrator.training", "deepspeed.runtime.zero.muon.muon_optimizer", "torch._dynamo"):
        importlib.import_module(late)

    for point in points():
        skipped = asked.device == "cuda" and point.workers > 1
        if skipped or not re.search(asked.only, point.name) or point.name in there:
            continue
        expected = estimate(
            point.shape,
            precision=point.precision,
            zero=point.zero,
            workers=point.workers,
            micro_batch=point.micro_batch,
            accumulation=point.accumulation,
            checkpoint_activations=point.checkpoint_activations,
            device=asked.device,
        )
        measured = measure(point, asked.device)
        row = {
            "point": point.name,
            "measured_bytes": measured,
            "estimated_bytes": expected.training,
            "error": round(expected.training / measured - 1, 4),
        }
        line = json.dumps(row)
        print(line)
        sys.stdout.flush()
        if asked.out:
            with asked.out.open("a") as file:
                file.write(line + "\n")


if __name__ == "__main__":
    main()
