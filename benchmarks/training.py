"""Training throughput beside Hugging Face's GPT-2 of the same shape; see ABOUT.

Each way of training runs in processes that are started once and told when to train, so that the sides alternate.
`python -m benchmarks.training DEPTHxWIDTH [SECONDS [HEADS CONTEXT SEQUENCES]]` measures one shape and prints JSON; with
CUDA, on one GPU, which the table's batches of 32 × 128 tokens do not fill.
"""

from __future__ import annotations

import importlib
import json
import multiprocessing
import sys
import tempfile
import time
import warnings
from collections.abc import Callable, Collection
from dataclasses import dataclass, replace
from multiprocessing.connection import Connection
from statistics import median
from typing import Any

from benchmarks.rows import Curve, Row
from models.architecture import Architecture
from models.counts import flops_per_token
from orchestrator.corpora.prepare import prepare
from orchestrator.ports import free_port
from orchestrator.work import Assigned, Device, Work
from sweeps.planning import plan
from sweeps.record import claim, publish_plan
from sweeps.spec import Spec
from sweeps.store import Store, open_store
from sweeps.trial import Trial

TITLE = "Training throughput"
ABOUT = """
Tokens a second of the whole loop: batches of the prepared corpus of the quickstart (V = 2000), forward and backward
through the DeepSpeed engine in bf16 at ZeRO 1, clipping, fused AdamW, a row a step to Parquet; context 128, batch 32,
two heads. The peer is transformers' GPT-2 of the same shape as it comes, trained by a bare PyTorch loop with bf16
autocast, clipping and fused AdamW on the same batches. Interplay has the two cores as a sweep has them, two trials of
one thread side by side; the peer in its better arrangement, that or one process of two threads; compiled GPT-2 stands
beside, in one process. The sides alternate; figures are medians.
"""

SHAPES = {(2, 64): 2.0, (6, 128): 2.2, (6, 256): 2.0, (12, 384): 1.8}
VOCABULARY = 2000
ROUNDS, SECONDS = 3, 2.0
LIMIT = """by the profile products are half of the step, those of weights' gradients at 0.6 to 0.8 TFLOP/s a core where
square ones reach 1.25; the rest is GELU, copies, norms, AdamW. Tried: compiled blocks (no quicker at this shape) and
gradients written transposed first (costs more than it saves); docs/log.md"""


@dataclass(frozen=True, slots=True, kw_only=True)
class Batch:
    """What a step takes at once, and the heads it goes through."""

    heads: int = 2
    context: int = 128
    sequences: int = 32

    @property
    def tokens(self) -> int:
        return self.context * self.sequences


SMALL = Batch()


@dataclass(frozen=True, slots=True, kw_only=True)
class Way:
    """One way to train a shape: whose loop, compiled or not, and how many processes of how many threads."""

    side: str
    compiled: bool
    processes: int
    threads: int

    @property
    def label(self) -> str:
        whose = {"ours": "Interplay", "peer": "GPT-2", "matmul": "products"}[self.side]
        return f"{whose}{' compiled' if self.compiled else ''}, {self.processes} × {self.threads} thread"


def ways(device: Device, sides: Collection[str]) -> list[Way]:
    layouts = [(1, 1)] if device == "cuda" else [(1, 2), (2, 1)]
    first, last = ({"processes": p, "threads": t} for p, t in (layouts[0], layouts[-1]))
    made = [Way(side="ours", compiled=compiled, **last) for compiled in (False, True)]
    made += [Way(side="peer", compiled=False, processes=p, threads=t) for p, t in layouts]
    made += [Way(side="peer", compiled=True, **first), Way(side="matmul", compiled=False, **last)]
    return [way for way in made if way.side in sides]


def prepared(store: Store, depth: int, width: int, processes: int, size: Batch) -> list[Trial]:
    """A trial of a shape a process, on the quickstart's corpus, in the record; none reaches its end.

    Attempts of one trial would fence each other.
    """
    spec = Spec.model_validate(
        {
            "name": "throughput",
            "model": {
                "family": "gpt",
                "tokenizer": "bpe",
                "vocabulary": VOCABULARY,
                "heads": size.heads,
                "context": size.context,
            },
            "grid": {"shapes": [[depth, width]], "seeds": list(range(processes))},
            "data": {"corpus": "python-stdlib", "repeat": True},
            "training": {
                "tokens": 1e9,
                "batch_tokens": size.tokens,
                "learning_rate": 1e-3,
                "precision": "bf16",
                "zero": 1,
            },
            "evaluation": {"tokens": size.context, "points": 1},
        }
    )
    made = plan(spec, prepare(spec, store).content, {})
    publish_plan(store, made, spec.model_dump(mode="json"), {})
    return [planned.trial for planned in made.trials]


def ours(trial: Trial, results: str, threads: int, device: Device) -> Callable[[int], None]:
    """Trains so many steps of a trial's first attempt, as a run does."""
    from orchestrator.attempt import Attempt
    from orchestrator.engine import Assignment, join

    claim(open_store(results), trial.trial_id, 1, {"driver": "benchmark"})
    sequences = trial.recipe.batch_sequences
    assigned = Assigned(workers=1, micro_batch=sequences, threads=threads, cpus=threads, device=device)
    work = Work(
        trial=trial,
        attempt=1,
        driver="benchmark",
        results=results,
        assigned=assigned,
        keep_moments=False,
        checkpoint_seconds=1e9,
        hang_seconds=600,
    )
    assignment = Assignment(rank=0, **assigned.each())
    join(assignment, "127.0.0.1", free_port())
    running = Attempt(work, assignment)
    running.begin()

    def train(steps: int) -> None:
        running.advance(steps, checkpoint=False)

    return train


def peer(trial: Trial, results: str, compiled: bool, threads: int, device: Device) -> Callable[[int], None]:
    """The same with transformers' GPT-2: default attention, bf16 autocast, fused AdamW; the loss is read every step."""
    import torch
    from transformers import GPT2Config, GPT2LMHeadModel

    from orchestrator.corpora.batches import batch
    from orchestrator.corpora.tokens import open_tokens

    torch.set_num_threads(threads)
    shape, recipe, sequences = trial.shape, trial.recipe, trial.recipe.batch_sequences
    tokens = open_tokens(open_store(results), trial.corpus).train
    model = GPT2LMHeadModel(
        GPT2Config(
            vocab_size=shape.vocabulary,
            n_positions=shape.context,
            n_embd=shape.width,
            n_layer=shape.depth,
            n_head=shape.heads,
            resid_pdrop=0.0,
            embd_pdrop=0.0,
            attn_pdrop=0.0,
            tie_word_embeddings=False,
        )
    ).to(device)
    model.train()
    optimizer = torch.optim.AdamW(model.parameters(), lr=1e-3, betas=recipe.optimizer.betas, fused=True)
    forward = torch.compile(model) if compiled else model
    step = 0

    def train(steps: int) -> None:
        nonlocal step
        for _ in range(steps):
            step += 1
            rows = batch(
                tokens, context=shape.context, sequences=sequences, seed=0, step=step, rows=slice(0, sequences)
            )
            ids = torch.from_numpy(rows).to(device)[:, :-1]
            with torch.autocast(device, dtype=torch.bfloat16):
                loss = forward(input_ids=ids, labels=ids).loss
            loss.backward()
            torch.nn.utils.clip_grad_norm_(model.parameters(), 1.0)
            optimizer.step()
            optimizer.zero_grad(set_to_none=True)
            loss.item()

    return train


def products(threads: int, device: Device) -> Callable[[int], None]:
    """So many bf16 products of 2048 × 2048 matrices."""
    import torch

    torch.set_num_threads(threads)
    a = torch.randn(2048, 2048, device=device).bfloat16()
    into = torch.empty_like(a)

    def multiply(times: int) -> None:
        for _ in range(times):
            torch.mm(a, a, out=into)
        if device == "cuda":
            torch.cuda.synchronize()

    return multiply


def serve(way: Way, trial: Trial, results: str, device: Device, line: Connection) -> None:
    """A process of a way: for each number of seconds it is sent, work that long, and three steps at least, since the
    first one after a pause is slow; answer with (steps, seconds)."""
    warnings.simplefilter("ignore")
    chosen = replace(trial, recipe=replace(trial.recipe, compile=way.compiled))
    match way.side:
        case "ours":
            run = ours(chosen, results, way.threads, device)
        case "peer":
            run = peer(trial, results, way.compiled, way.threads, device)
        case _:
            run = products(way.threads, device)
    run(3)
    started = time.monotonic()
    run(2)
    pace = (time.monotonic() - started) / 2
    line.send("ready")
    while seconds := line.recv():
        started, done = time.monotonic(), 0
        while (gone := time.monotonic() - started) < seconds or done < 3:
            steps = max(1, min(round((seconds - gone) / pace), 100))
            run(steps)
            done += steps
            pace = (time.monotonic() - started) / done
        line.send((done, time.monotonic() - started))


def measure(
    depth: int,
    width: int,
    seconds: float = SECONDS,
    rounds: int = ROUNDS,
    sides: Collection[str] = ("ours", "peer", "matmul"),
    size: Batch = SMALL,
) -> dict[Way, list[float]]:
    """Steps a second of each way, all its processes together, once a round; the ways take turns."""
    import torch

    device: Device = "cuda" if torch.cuda.is_available() else "cpu"
    # On the CPU the libraries are imported once, and every process is forked from the one that has them.
    multiprocessing.set_forkserver_preload(["transformers", "orchestrator.attempt", "orchestrator.engine"])
    starting = multiprocessing.get_context("spawn" if device == "cuda" else "forkserver")
    with tempfile.TemporaryDirectory() as results:
        chosen = ways(device, sides)
        trials = iter(prepared(open_store(results), depth, width, sum(way.processes for way in chosen), size))
        servers: dict[Way, list[tuple[Any, Connection]]] = {}
        for way in chosen:
            for _ in range(way.processes):
                ours_end, theirs = starting.Pipe()
                process = starting.Process(target=serve, args=(way, next(trials), results, device, theirs), daemon=True)
                process.start()
                servers.setdefault(way, []).append((process, ours_end))
        for _, line in (member for members in servers.values() for member in members):
            line.recv()
        paces: dict[Way, list[float]] = {way: [] for way in servers}
        for _ in range(rounds):
            for way, members in servers.items():
                for _, line in members:
                    line.send(seconds)
                paces[way].append(sum(steps / took for steps, took in (line.recv() for _, line in members)))
        for members in servers.values():
            for process, line in members:
                line.send(0)
                process.join(10)
                process.kill()
    return paces


def best(paces: dict[Way, list[float]], side: str, compiled: bool | None = None) -> Way:
    """The quickest way of a side."""
    mine = [way for way in paces if way.side == side and compiled in (None, way.compiled)]
    return max(mine, key=lambda way: median(paces[way]))


def flops_of_token(depth: int, width: int, size: Batch = SMALL) -> float:
    """Of training, of a shape of the table."""
    architecture = Architecture(family="gpt", vocabulary=VOCABULARY, context=size.context, heads=size.heads)
    return flops_per_token(architecture.shape(depth, width))


def shape_rows(
    depth: int, width: int, paces: dict[Way, list[float]], target: float | None, size: Batch = SMALL
) -> list[Row]:
    tokens = size.tokens
    mine, theirs, compiled = best(paces, "ours"), best(paces, "peer", False), best(paces, "peer", True)
    ratio = median(a / b for a, b in zip(paces[mine], paces[theirs], strict=True))
    speeds = {way: tokens * median(each) for way, each in paces.items() if way.side != "matmul"}
    rows = [
        Row(
            name=f"tokens/s, {depth} × {width}",
            figure=ratio,
            unit="×",
            target=target,
            peer=f"{mine.label} {speeds[mine]:,.0f}; {theirs.label} {speeds[theirs]:,.0f}",
            note="; ".join(f"{way.label} {speeds[way]:,.0f}" for way in speeds if way not in (mine, theirs, compiled)),
        ),
        Row(
            name=f"tokens/s against compiled GPT-2, {depth} × {width}",
            figure=median(a / b for a, b in zip(paces[mine], paces[compiled], strict=True)),
            unit="×",
            peer=f"{compiled.label} {speeds[compiled]:,.0f}",
        ),
    ]
    (machine,) = (each for way, each in paces.items() if way.side == "matmul")
    used = flops_of_token(depth, width, size) * speeds[mine]
    rate = 2 * 2048**3 * median(machine)
    share = Row(
        name=f"share of the bf16 product rate, {depth} × {width}",
        figure=used / rate,
        unit="",
        target=0.5 if (depth, width) == (12, 384) else None,
        peer=f"{used / 1e12:.2f} of {rate / 1e12:.2f} TFLOP/s (products of 2048 × 2048)",
        note=" ".join(LIMIT.split()) if (depth, width) == (12, 384) else "",
    )
    return [*rows, share]


def rates(shapes: list[tuple[int, int]], seconds: list[float]) -> str:
    """FLOPs of a step of each shape over its seconds: level or rising where no cost grows faster than the work."""
    return ", ".join(
        f"{flops_of_token(*shape) * SMALL.tokens / took / 1e12:.2f}"
        for shape, took in zip(shapes, seconds, strict=True)
    )


def rows() -> list[Row]:
    importlib.import_module("transformers")  # before anything is measured: it is in the extra `bench`
    made: list[Row] = []
    for (depth, width), target in SHAPES.items():
        made += shape_rows(depth, width, measure(depth, width), target)
    return made


def curves() -> list[Curve]:
    """Seconds a step against FLOPs, by depth and by width."""
    made = []
    for name, shapes in (
        ("Depth 2 to 48 at width 128", [(depth, 128) for depth in (2, 6, 12, 24, 48)]),
        ("Width 64 to 1024 at depth 4", [(4, width) for width in (64, 128, 256, 512, 1024)]),
    ):
        points = []
        for depth, width in shapes:
            paces = measure(depth, width, rounds=1, sides=("ours",))
            points.append((float(depth if "Depth" in name else width), 2 / max(map(median, paces.values()))))
        made.append(
            Curve(
                name=name,
                x_label=name.split()[0].lower(),
                y_label="seconds a step and core",
                points=tuple(points),
                note=f"TFLOP/s a core {rates(shapes, [seconds for _, seconds in points])}",
            )
        )
    return made


if __name__ == "__main__":
    asked = tuple(int(part) for part in sys.argv[1].split("x"))
    heads, context, sequences = map(int, sys.argv[3:6] or (SMALL.heads, SMALL.context, SMALL.sequences))
    size = Batch(heads=heads, context=context, sequences=sequences)
    took = measure(asked[0], asked[1], *(float(word) for word in sys.argv[2:3]), size=size)
    print(json.dumps({way.label: [round(pace * size.tokens) for pace in each] for way, each in took.items()}))
    target = SHAPES.get((asked[0], asked[1])) if size == SMALL else None
    for row in shape_rows(asked[0], asked[1], took, target, size):
        print(row)
