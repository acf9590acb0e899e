"""Speed changes no number that matters: the engine's losses beside those of a network written out plainly, in fp32.

Shapes whose speed is claimed (benchmarks/training.py), one sequence a step.
"""

import json
import subprocess
import sys
from pathlib import Path
from typing import Any

import numpy as np
import pytest
import torch
from torch import Tensor
from torch.nn import functional as fn

from models.decoder import Decoder
from models.shape import Shape
from orchestrator.corpora.batches import batch
from orchestrator.corpora.tokens import Tokens
from orchestrator.engine import Assignment, join
from orchestrator.ports import free_port
from orchestrator.training import Training
from sweeps.trial import Trial
from tests.orchestrator.recipes import trial_of

STEPS, SEQUENCES = 200, 1
# Nats per token that the losses may lie apart: the mean of any 20 steps running, and any single step. One and a half
# times what was seen on a processor with AMX (docs/log.md): wider networks at this rate amplify what bf16 rounds.
APART = {(2, 64): (0.006, 0.05), (6, 128): (0.015, 0.08), (6, 256): (0.045, 0.36), (12, 384): (0.115, 1.06)}


def text(vocabulary: int) -> Tokens:
    """Tokens that can be learnt: each is a fixed function of the one before it, or, one time in four, drawn anew."""
    random = np.random.default_rng(0)
    drawn = random.zipf(1.3, size=200_000) % vocabulary
    follower = random.permutation(vocabulary)
    fresh = random.random(len(drawn)) < 0.25
    for place in range(1, len(drawn)):
        if not fresh[place]:
            drawn[place] = follower[drawn[place - 1]]
    ids = drawn.astype(np.uint16)
    return Tokens(train=ids[10_000:], held_out=ids[:10_000], held_out_ends=np.array([10_000]))


def rows_of(trial: Trial, tokens: Tokens, step: int) -> Tensor:
    count = trial.recipe.batch_sequences
    drawn = batch(
        tokens.train, context=trial.shape.context, sequences=count, seed=trial.seed, step=step, rows=slice(0, count)
    )
    return torch.from_numpy(drawn)


def plain_loss(weights: dict[str, Tensor], shape: Shape, ids: Tensor) -> Tensor:
    """Family gpt as its description has it, from nothing but torch's own functions."""

    def norm(x: Tensor, name: str) -> Tensor:
        return fn.layer_norm(x, (shape.width,), weights[name], weights[f"{name}_bias"])

    def linear(x: Tensor, name: str) -> Tensor:
        return fn.linear(x, weights[name], weights[f"{name}_bias"])

    inputs, targets = ids[:, :-1], ids[:, 1:]
    rows, length = inputs.shape
    x = weights["stem.token"][inputs] + weights["stem.position"][:length]
    for index in range(shape.depth):
        at = f"blocks.{index}."
        parts = linear(norm(x, f"{at}norm1"), f"{at}qkv").split(shape.width, dim=-1)
        q, k, v = (part.view(rows, length, shape.heads, -1).transpose(1, 2) for part in parts)
        mixed = fn.scaled_dot_product_attention(q, k, v, is_causal=True)
        x = x + linear(mixed.transpose(1, 2).reshape(rows, length, shape.width), f"{at}out")
        x = x + linear(fn.gelu(linear(norm(x, f"{at}norm2"), f"{at}up")), f"{at}down")
    logits = norm(x, "tail.norm") @ weights["head.weight"].T
    return fn.cross_entropy(logits.flatten(0, 1), targets.flatten())


def reference(trial: Trial, tokens: Tokens) -> list[float]:
    """Losses of a bare loop in fp32: torch's unfused AdamW, its clipping, one learning rate."""
    decoder = Decoder(trial.shape, trial.recipe.parametrization, seed=trial.seed)
    weights = dict(decoder.named_parameters())
    decayed = [w for name, w in weights.items() if w.dim() == 2]
    others = [w for w in weights.values() if w.dim() < 2]
    recipe = trial.recipe
    groups = [
        {"params": decayed, "weight_decay": recipe.optimizer.weight_decay},
        {"params": others, "weight_decay": 0.0},
    ]
    optimizer = torch.optim.AdamW(
        groups, lr=0.0, betas=recipe.optimizer.betas, eps=recipe.optimizer.epsilon, foreach=False
    )
    losses = []
    for step in range(1, trial.last + 1):
        for group in optimizer.param_groups:
            group["lr"] = recipe.learning_rate * recipe.schedule.factor(step)
        loss = plain_loss(weights, trial.shape, rows_of(trial, tokens, step))
        optimizer.zero_grad()
        loss.backward()
        torch.nn.utils.clip_grad_norm_(weights.values(), recipe.gradient_clipping or float("inf"))
        optimizer.step()
        losses.append(loss.item())
    return losses


def engines(trial: Trial, tokens: Tokens) -> list[float]:
    assignment = Assignment(workers=1, rank=0, micro_batch=trial.recipe.batch_sequences, threads=1)
    join(assignment, "127.0.0.1", free_port())
    training = Training(trial, assignment, tokens)
    try:
        return training.advance(trial.last).losses
    finally:
        training.close()


def main(depth: int, width: int, precision: Any) -> None:
    """Both losses as JSON: a process of its own, since DeepSpeed's start-up warns and joins a gang for good."""
    torch.set_num_threads(1)
    trial = trial_of(depth, width, precision=precision, steps=STEPS, sequences=SEQUENCES)
    tokens = text(trial.shape.vocabulary)
    ours = engines(trial, tokens)
    print(json.dumps({"engine": ours, "plain": reference(trial, tokens)}))


@pytest.mark.slow
@pytest.mark.parametrize(
    ("depth", "width"),
    [pytest.param(*shape, marks=pytest.mark.long) if shape == (12, 384) else shape for shape in APART],
)
def test_losses_over_200_steps_are_those_of_plain_fp32(depth: int, width: int) -> None:
    made = subprocess.run(
        [
            sys.executable,
            "-W",
            "ignore",
            "-m",
            "tests.orchestrator.test_training_numbers",
            str(depth),
            str(width),
            "bf16",
        ],
        capture_output=True,
        text=True,
        check=True,
        cwd=Path(__file__).parents[2],
    )
    losses = json.loads(made.stdout.splitlines()[-1])
    engine, plain = np.array(losses["engine"]), np.array(losses["plain"])
    assert plain[:5].mean() - plain[-20:].mean() > 1, "nothing was learnt: the comparison says nothing"
    difference = engine - plain
    running = np.convolve(difference, np.ones(20) / 20, mode="valid")
    most_running, most_single = APART[depth, width]
    assert np.abs(running).max() < most_running, running
    assert np.abs(difference).max() < most_single, difference


if __name__ == "__main__":
    main(int(sys.argv[1]), int(sys.argv[2]), sys.argv[3])
