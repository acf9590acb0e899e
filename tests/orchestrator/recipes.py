"""A trial of family gpt to train without a spec, a record or a corpus."""

from typing import Literal

from models.architecture import Architecture
from models.parametrization import Parametrization
from sweeps.schedule import Schedule
from sweeps.trial import Evaluation, Optimizer, Recipe, Trial


def trial_of(
    depth: int,
    width: int,
    *,
    precision: Literal["fp32", "bf16"] = "bf16",
    zero: Literal[0, 1, 2, 3] = 1,
    compiled: bool = False,
    steps: int = 200,
    sequences: int = 32,
    vocabulary: int = 2000,
    context: int = 128,
) -> Trial:
    """The recipe whose speed is measured: AdamW, cosine, clipping, on sequences of `context` tokens."""
    shape = Architecture(family="gpt", vocabulary=vocabulary, context=context, heads=2).shape(depth, width)
    recipe = Recipe(
        batch_sequences=sequences,
        learning_rate=2e-3,
        schedule=Schedule(kind="cosine", warmup=20, start=0, end=steps, final=0.0),
        optimizer=Optimizer(name="adamw", betas=(0.9, 0.95), epsilon=1e-8, weight_decay=0.1),
        gradient_clipping=1.0,
        precision=precision,
        zero=zero,
        compile=compiled,
        parametrization=Parametrization(),
        evaluation=Evaluation(tokens=context, steps=(steps,)),
    )
    return Trial(shape=shape, recipe=recipe, corpus="0" * 64, seed=0, last=steps)
