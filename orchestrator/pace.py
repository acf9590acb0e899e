"""How long a step of a trial takes on devices of a kind: a roofline with a floor, and what moves between workers."""

from __future__ import annotations

from models.counts import flops_per_token
from models.memory import sizes
from models.shape import Shape
from orchestrator.devices import Device
from sweeps.trial import Recipe

# Recomputing every block's forward pass adds a third to a step's products.
RECOMPUTED = 4 / 3
# Of a trial's start and end: imports are done, the engine is built, checkpoints and evaluations are made.
START_SECONDS = 10.0


def step_seconds(
    shape: Shape,
    recipe: Recipe,
    device: Device,
    *,
    workers: int,
    micro_batch: int,
    recomputed: bool,
    share: int,
    spans: bool,
) -> float:
    """Seconds of one step: products or launches, whichever is longer, and what of the exchange they do not hide.

    Nothing is hidden up to stage 2, since DeepSpeed's overlap_comm is off there (orchestrator/engine.py leaves it so);
    at stage 3 it is on, and all is hidden as far as it goes.

    share   trials on the device at a time, each of which gets its part of the products' speed
    spans   whether the gang's workers are on several nodes
    """
    a = 2 if recipe.precision == "bf16" else 4
    accumulation = recipe.batch_sequences // (workers * micro_batch)
    again = RECOMPUTED if recomputed else 1.0
    flops = flops_per_token(shape) * recipe.batch_sequences * shape.context * again
    products = flops * share / (workers * device.flops_per_second(shape.width, recipe.precision))
    launches = accumulation * shape.depth * device.block_us * 1e-6 * again
    if workers == 1:
        return max(products, launches)
    bandwidth = min(device.link_gbs, device.network_gbs if spans else device.link_gbs) * 1e9
    busy = max(products, launches)
    once = a * sizes(shape)[0] * (workers - 1) / workers / bandwidth  # seconds to scatter, or gather, all gradients
    match recipe.zero:
        case 0:
            exposed = 2 * once
        case 1 | 2:
            exposed = (accumulation if recipe.zero == 2 else 1) * once + once
        case _:
            exposed = max(0.0, 3 * accumulation * once - busy)
    return busy + exposed
