"""Memory of one training worker in closed form: what torch allocates on the device at the highest moment of a step.

It follows DeepSpeed 0.19.8 and this repository's decoders line by line, and was compared with torch's own tracker
over shapes, stages and workers, and with the allocator's peak on a GPU (benchmarks/memory.py; the figures are in
docs/log.md). No torch, so that planning is quick. A step has five moments that can be the highest:

- the loss: weights, optimizer and all activations are there, and the logits
- the head's backward pass: all of that still, and the gradient of the head's own table
- the first blocks of the backward pass: the logits and what the tail kept are gone, DeepSpeed's bucket is there
- the end of the backward pass: activations are gone; gradients are there, once more while they are reduced
- the optimizer's step: gradients, flattened and in fp32 beside themselves

In the formulas a is the bytes of an element (4 in fp32, 2 in bf16), P the parameters, w the workers.
"""

from __future__ import annotations

from dataclasses import dataclass
from functools import lru_cache
from typing import Literal

from models.attention import PLAIN_CONTEXT
from models.family import find
from models.shape import Shape

Precision = Literal["fp32", "bf16"]
Stage = Literal[0, 1, 2, 3]
Kind = Literal["cpu", "cuda"]
Peak = Literal["loss", "head", "blocks", "backward", "step"]

# Gradients a worker reduces at once; DeepSpeed's default of 5e8 elements is a gigabyte beside any network.
BUCKET = 2**25
# Parameters that ZeRO 3 keeps gathered between uses (stage3_max_live_parameters, stage3_max_reuse_distance).
LIVE = 1_000_000_000
# Logits whose loss is computed at a time (models/losses.py): on a CPU their fp32 copy, 1 MB, stays in a core's cache;
# on a GPU fewer launches count for more.
LOSS_CHUNK: dict[Kind, int] = {"cpu": 1 << 18, "cuda": 1 << 24}
# What a process holds on the device beside what its allocator has: for CUDA the context, the kernels that it has loaded
# and NCCL, measured in a gang of one on an H200; on a CPU its resident memory before it trains (docs/log.md).
OVERHEAD: dict[Kind, int] = {"cpu": 700 << 20, "cuda": 1720 << 20}
# What torch's allocator gives cuBLAS to work in, as measured on a Hopper GPU: 32 MiB for each thread that multiplies
# matrices, which are the one of the forward pass and the one of the backward pass. Earlier GPUs take 8 MiB each.
WORKSPACE: dict[Kind, int] = {"cpu": 0, "cuda": 64 << 20}


@dataclass(frozen=True, slots=True, kw_only=True)
class Memory:
    """Bytes on one worker, by what they are for; `training` is their highest sum, and `peak` says when that is.

    weights       at the training's precision, as far as the worker holds them
    optimizer     fp32 masters where they are not the weights, and Adam's two moments
    gradients     at the highest moment, with DeepSpeed's buffers and copies of them
    activations   kept for the backward pass, attention's scores included
    logits        the loss's own tensors, or where that is more, what a block's backward pass makes on its way
    workspace     of the library that multiplies matrices
    overhead      of the process and its libraries, not part of `training`
    """

    weights: int
    optimizer: int
    gradients: int
    activations: int
    logits: int
    workspace: int
    overhead: int
    peak: Peak

    @property
    def training(self) -> int:
        return self.weights + self.optimizer + self.gradients + self.activations + self.logits + self.workspace

    @property
    def total(self) -> int:
        """What a device must have for one worker."""
        return self.training + self.overhead


def estimate(
    shape: Shape,
    *,
    precision: Precision,
    zero: Stage,
    workers: int,
    micro_batch: int,
    accumulation: int,
    checkpoint_activations: bool,
    device: Kind,
) -> Memory:
    """Memory of one worker of a gang that trains a shape.

    micro_batch    sequences a worker takes at once
    accumulation   micro-batches a step; beyond one, gradients are held while the next activations are made
    """
    a = 2 if precision == "bf16" else 4
    P, largest = sizes(shape)
    weights, optimizer = a * P, (12 if precision == "bf16" or zero else 8) * P
    if zero:
        optimizer = -(-optimizer // workers)
    held, reduced, stepped = gradient_bytes(P, largest, precision, zero, workers, accumulation > 1)
    if zero == 3:
        gathered = a * min(P, LIVE) if workers > 1 else 0
        weights = -(-weights // workers) + gathered
    tokens = micro_batch * shape.context
    kept, logits, left, passing = activation_bytes(shape, a, tokens, checkpoint_activations, device)
    entering = zero == 2 or (zero == 1 and accumulation == 1) or (zero == 3 and workers > 1)
    moments: dict[Peak, tuple[int, int, int]] = {
        "loss": (held, kept, logits),
        # stage 3 copies it once more on its way into its bucket (found by measuring)
        "head": (held + (2 if zero == 3 else 1) * a * shape.vocabulary * shape.width, kept, logits),
        "blocks": (held + (a * reduce_bucket(shape) if entering else 0), left, passing),
        "backward": (reduced, 0, 0),
        "step": (stepped, 0, 0),
    }
    peak = max(moments, key=lambda moment: sum(moments[moment]))
    gradients, activations, logits = moments[peak]
    return Memory(
        weights=weights,
        optimizer=optimizer,
        gradients=gradients,
        activations=activations,
        logits=logits,
        workspace=WORKSPACE[device],
        overhead=OVERHEAD[device],
        peak=peak,
    )


@lru_cache(maxsize=4096)
def sizes(shape: Shape) -> tuple[int, int]:
    """Parameters in all, and of the largest tensor."""
    layout = find(shape.family).layout(shape)
    once = [parameter.size for parameter in layout.stem + layout.tail + layout.head]
    block = [parameter.size for parameter in layout.block]
    return sum(once) + layout.depth * sum(block), max(once + block)


def reduce_bucket(shape: Shape) -> int:
    """Elements of DeepSpeed's buffer for gradients on their way between workers: all of a small network's."""
    total, largest = sizes(shape)
    return max(largest, min(total, BUCKET))


def gradient_bytes(
    P: int, largest: int, precision: Precision, zero: Stage, workers: int, accumulates: bool
) -> tuple[int, int, int]:
    """Gradients and their copies at the loss, at the end of the backward pass, and in the optimizer's step.

    Stage 0 flattens all gradients to reduce them, and in bf16 makes them anew in fp32 for the step. Stages 1 and 2
    copy them through a bucket, flatten the worker's part and make that anew in fp32; stage 1 holds all of them
    until the last micro-batch, stage 2 the worker's part. Stage 3 has buffers for its part and the bucket from the
    start. Stages 2 and 3 copy what they send (how much was found by measuring).
    """
    a = 2 if precision == "bf16" else 4
    part = -(-P // workers)
    fp32_copy = 4 if precision == "bf16" else 0
    bucket = max(largest, min(P, BUCKET))
    match zero:
        case 0:
            return a * P if accumulates else 0, 2 * a * P, (a + fp32_copy) * P
        case 1:
            held = a * (P + bucket) if accumulates else 0
            return held, a * (P + bucket) + a * part, (2 * a + fp32_copy) * part
        case 2:
            held = a * part if accumulates else 0
            sent = a * (P - bucket) + 2 * bucket if fp32_copy and workers > 1 else 0
            return held, held + a * part + a * P + sent, (2 * a + fp32_copy) * part
        case 3:
            base = a * part + a * bucket
            sent = 2 * a * bucket + a * (P - bucket) + (2 * bucket if fp32_copy and workers > 1 else 0)
            return base, base + sent, base + (a + fp32_copy) * part


def activation_bytes(shape: Shape, a: int, tokens: int, recomputed: bool, device: Kind) -> tuple[int, int, int, int]:
    """What the forward pass keeps on `tokens` tokens, and what is beside it at the loss; what of it is left in the last
    block's backward pass, and what is beside that.

    The loss has its logits, which their gradient overwrites, and a few rows of them in fp32 (models/losses.py). A
    block's backward pass has the gradients of its widest products, and of attention's scores where they are explicit;
    what the tail kept is gone by then. Recomputed is all of the block but its input, which was kept.
    """
    family = find(shape.family)
    low, full = family.kept(shape)
    plain = device == "cpu" and shape.context <= PLAIN_CONTEXT
    scores = shape.heads * shape.context if plain else 0
    block = a * (low + scores) + 4 * full
    entrance = a * shape.width
    passing = max(a * 2 * scores, a * 2 * shape.feed_forward) + 2 * entrance
    logits = tokens * a * shape.vocabulary + 8 * min(LOSS_CHUNK[device], tokens * shape.vocabulary)
    tail = 3 * entrance
    blocks = shape.depth * (entrance if recomputed else block)
    again = block - entrance if recomputed else 0
    return tokens * (blocks + tail), logits, tokens * blocks, tokens * (again + passing)
