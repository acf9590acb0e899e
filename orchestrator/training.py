"""The training loop of one worker: batches, engine steps, held-out loss. It writes nothing and decides nothing.

All methods but the constructor are collective: every worker of the gang calls them alike.
"""

from __future__ import annotations

import time
from dataclasses import dataclass
from math import log
from typing import Any

import numpy as np
import torch
import torch.distributed as dist
from torch import Tensor
from torch.nn import functional as fn

from orchestrator.corpora.batches import batch, windows
from orchestrator.corpora.tokens import Tokens
from orchestrator.engine import Assignment, build, clips_itself, gradient_norm, set_rate
from orchestrator.heap import give_back
from orchestrator.held_out import HeldOut, held_out
from sweeps.trial import Trial

PROBE_SEQUENCES = 8


@dataclass(frozen=True, slots=True, kw_only=True)
class Steps:
    """What a stretch of training gave, a value a step.

    losses       nats per token, mean over the global batch
    grad_norms   before clipping; None where DeepSpeed did not say
    seconds      of each step
    """

    first: int
    losses: list[float]
    grad_norms: list[float | None]
    rates: list[float]
    seconds: list[float]


class Training:
    """A trial on one worker, at step `step`; a fresh one is at the trial's initialisation."""

    def __init__(self, trial: Trial, assignment: Assignment, tokens: Tokens) -> None:
        self.trial, self.assignment, self.tokens = trial, assignment, tokens
        self.device = torch.device(assignment.device)
        self.engine: Any = build(trial, assignment)
        self.step = trial.first

    def advance(self, until: int) -> Steps:
        """Train the steps after `step` up to and with `until`."""
        first, recipe = self.step + 1, self.trial.recipe
        losses: list[Tensor] = []
        norms: list[Any] = []
        seconds: list[float] = []
        rates = [recipe.learning_rate * recipe.schedule.factor(step) for step in range(first, until + 1)]
        for step, rate in zip(range(first, until + 1), rates, strict=True):
            started = time.perf_counter()
            set_rate(self.engine, rate)
            losses.append(self.train_batch(self.rows(step)))
            norms.append(self.norm if clips_itself(self.trial) else gradient_norm(self.engine, self.trial))
            seconds.append(time.perf_counter() - started)
        self.step = until
        mean = torch.stack(losses).double()
        dist.all_reduce(mean)
        grad_norms = [None if norm is None else float(norm) for norm in norms]
        return Steps(
            first=first,
            losses=(mean / self.assignment.workers).tolist(),
            grad_norms=grad_norms,
            rates=rates,
            seconds=seconds,
        )

    def train_batch(self, rows: Tensor) -> Tensor:
        """One optimizer step on this worker's rows of the global batch; their mean loss."""
        micro_batches = torch.split(rows, self.assignment.micro_batch)
        total = torch.zeros((), device=self.device)
        for index, micro in enumerate(micro_batches):
            loss = self.engine(micro[:, :-1], micro[:, 1:])
            self.engine.backward(loss)
            if clips_itself(self.trial) and index == len(micro_batches) - 1:
                limit = self.trial.recipe.gradient_clipping or float("inf")
                self.norm = torch.nn.utils.clip_grad_norm_(self.engine.module.parameters(), limit)
            self.engine.step()
            total += loss.detach()
        return total / len(micro_batches)

    def rows(self, step: int) -> Tensor:
        """This worker's share of a step's batch, (rows, context + 1)."""
        sequences = self.trial.recipe.batch_sequences
        array = batch(
            self.tokens.train,
            context=self.trial.shape.context,
            sequences=sequences,
            seed=self.trial.seed,
            step=step,
            rows=self.assignment.share(sequences),
        )
        return torch.from_numpy(array).to(self.device)

    @torch.no_grad()
    def evaluate(self) -> HeldOut:
        """Held-out loss with its error, by corpus too where there are several.

        The first `evaluation.tokens` held-out tokens in windows of the context; each worker takes its share.
        """
        context = self.trial.shape.context
        count = min(self.trial.recipe.evaluation.tokens // context, windows(len(self.tokens.held_out), context))
        if count == 0:
            raise ValueError(f"the held-out text has fewer than the {context + 1} tokens of one window")
        ends = self.tokens.held_out_ends
        documents = int(np.searchsorted(ends, count * context, side="left")) + 1
        sums = torch.zeros(2, documents, dtype=torch.float64)
        self.engine.eval()
        chunks = range(0, count, self.assignment.micro_batch)
        rounds = -(-len(chunks) // self.assignment.workers) * self.assignment.workers
        for turn in range(self.assignment.rank, rounds, self.assignment.workers):
            start = chunks[min(turn, len(chunks) - 1)]  # ZeRO 3 needs as many forward passes of every worker
            stop = min(start + self.assignment.micro_batch, count)
            places = np.arange(start, stop)[:, None] * context + np.arange(context + 1)
            ids = torch.from_numpy(self.tokens.held_out[places].astype(np.int64)).to(self.device)
            logits = self.engine(ids[:, :-1]).float()
            losses = fn.cross_entropy(logits.flatten(0, 1), ids[:, 1:].flatten(), reduction="none").double().cpu()
            if turn < len(chunks):
                document = torch.from_numpy(np.searchsorted(ends, places[:, 1:].ravel(), side="right"))
                sums[0] += torch.bincount(document, losses, minlength=documents)
                sums[1] += torch.bincount(document, minlength=documents)
        self.engine.train()
        sums = sums.to(self.device)
        dist.all_reduce(sums)
        nats, tokens = sums.cpu().numpy()
        corpora = self.tokens.held_out_corpora
        return held_out(nats, tokens, None if corpora is None else corpora[:documents])

    @torch.no_grad()
    def probe(self) -> float:
        """Mean loss on the first sequences of the next batch, forward only: a resume must not change it."""
        sequences = min(PROBE_SEQUENCES, self.trial.recipe.batch_sequences)
        array = batch(
            self.tokens.train,
            context=self.trial.shape.context,
            sequences=self.trial.recipe.batch_sequences,
            seed=self.trial.seed,
            step=self.step + 1,
            rows=slice(0, sequences),
        )
        ids = torch.from_numpy(array).to(self.device)
        self.engine.eval()
        loss = float(self.engine(ids[:, :-1], ids[:, 1:]))
        self.engine.train()
        return loss

    @property
    def hopeless_loss(self) -> float:
        """A loss that no training comes back from: half as much again as knowing nothing."""
        return 1.5 * log(self.trial.shape.vocabulary)

    def close(self) -> None:
        """Give back the engine's memory."""
        engine, self.engine = self.engine, None
        engine.destroy()
        del engine  # before the collector looks
        give_back()
