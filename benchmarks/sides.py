"""The ways of training that benchmarks/training.py compares: whose loop, in how many processes of how many threads.

Each runs in processes that are started once and told when to train, so that the sides alternate.
"""

from __future__ import annotations

import multiprocessing
import tempfile
import time
import warnings
from collections.abc import Callable, Collection
from dataclasses import dataclass, replace
from multiprocessing.connection import Connection
from typing import Any

from orchestrator.corpora.prepare import prepare
from orchestrator.ports import free_port
from orchestrator.work import Assigned, Device, Work
from sweeps.planning import plan
from sweeps.record import claim, publish_plan
from sweeps.spec import Spec
from sweeps.store import Store, open_store
from sweeps.trial import Trial

VOCABULARY = 2000
ROUNDS, SECONDS = 3, 2.0


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
