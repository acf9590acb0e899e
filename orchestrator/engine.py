"""A trial as a DeepSpeed engine in this process, and the process made ready for one.

The learning rate is driven by our schedule, never by DeepSpeed's.
"""

from __future__ import annotations

import os
from dataclasses import dataclass
from functools import partial
from typing import Any

import deepspeed
import deepspeed.ops
import torch
import torch.distributed as dist

from models.decoder import Decoder
from models.memory import reduce_bucket
from orchestrator.heap import keep_freed
from orchestrator.optimizers import make_optimizer_state, optimizer_of
from orchestrator.work import Device
from sweeps.trial import Trial


@dataclass(frozen=True, slots=True, kw_only=True)
class Assignment:
    """Where and in which pieces a trial runs: nothing here is part of its identity.

    workers, rank   size of its gang and this worker's place in it
    micro_batch     sequences a worker takes at once; workers × micro_batch divides the global batch
    threads         of this worker on a CPU
    """

    workers: int
    rank: int
    micro_batch: int
    threads: int
    device: Device = "cpu"
    checkpoint_activations: bool = False

    def share(self, sequences: int) -> slice:
        """This worker's rows of a global batch."""
        each = sequences // self.workers
        return slice(self.rank * each, (self.rank + 1) * each)

    def accumulation(self, sequences: int) -> int:
        """Micro-batches a step. Raises ValueError where they do not divide the batch."""
        if sequences % (self.workers * self.micro_batch):
            raise ValueError(
                f"a batch of {sequences} sequences does not divide among {self.workers} workers with micro-batches of "
                f"{self.micro_batch}"
            )
        return sequences // (self.workers * self.micro_batch)


def join(assignment: Assignment, host: str, port: int) -> None:
    """Make this process a member of a gang; a process that trains alone is a gang of one, and joins once."""
    torch.set_num_threads(assignment.threads)
    keep_freed()
    deepspeed.ops.__compatible_ops__ = {}  # else shm_comm is compiled with g++ in every process on a CPU
    if dist.is_initialized():
        if dist.get_world_size() != assignment.workers:
            raise RuntimeError("this process is a member of a gang of another size")
        return
    os.environ.update(
        MASTER_ADDR=host,
        MASTER_PORT=str(port),
        RANK=str(assignment.rank),
        WORLD_SIZE=str(assignment.workers),
        LOCAL_RANK="0",
    )
    deepspeed.init_distributed("nccl" if assignment.device == "cuda" else "gloo", verbose=False)


def build(trial: Trial, assignment: Assignment) -> Any:
    """A fresh engine around the trial's decoder, at its initial weights, with the optimizer's count at zero."""
    recipe = trial.recipe
    decoder = Decoder(
        trial.shape,
        recipe.parametrization,
        seed=trial.seed,
        checkpoint_activations=assignment.checkpoint_activations,
    )
    if recipe.compile:
        for block in decoder.blocks:
            block.compile(dynamic=False)
    optimizer = optimizer_of(decoder, trial)
    engine, *_ = deepspeed.initialize(model=decoder, optimizer=optimizer, config=config(trial, assignment))
    if recipe.zero == 3 and trial.shape.tied:
        deepspeed.zero.register_external_parameter(decoder, decoder.stem.token)
    make_optimizer_state(engine)
    if recipe.precision == "bf16" and recipe.zero in (1, 2):
        engine.optimizer.scaled_global_norm = partial(global_norm, engine.optimizer)
    return engine


def global_norm(optimizer: Any) -> torch.Tensor:
    """Norm of all workers' gradients at stages 1 and 2, in fp32; not finite where a gradient is not.

    In the place of DeepSpeed's own, which copies every gradient to fp32, asks the workers once a parameter group, and
    reports what is not finite as a number.
    """
    gradients = [gradient for group in optimizer.averaged_gradients.values() for gradient in group]
    norms = torch._foreach_norm(gradients, 2, dtype=torch.float32)
    square = torch.stack(norms).square().sum()
    dist.all_reduce(square, group=optimizer.dp_process_group)
    return square.sqrt()


def config(trial: Trial, assignment: Assignment) -> dict[str, Any]:
    """DeepSpeed's configuration. fp32 at stage 0 is clipped by us, since DeepSpeed would not tell the norm."""
    recipe = trial.recipe
    clipping = 0.0 if clips_itself(trial) else recipe.gradient_clipping or 0.0
    return {
        "train_batch_size": recipe.batch_sequences,
        "train_micro_batch_size_per_gpu": assignment.micro_batch,
        "gradient_accumulation_steps": assignment.accumulation(recipe.batch_sequences),
        "gradient_clipping": clipping,
        # a gradient that is not finite shows in the norm and the next loss; DeepSpeed would look first
        "bf16": {"enabled": recipe.precision == "bf16", "check_grad_overflow": False},
        # DeepSpeed's own 5e8 elements would be 1 GB of buffer beside a network of a few MB
        "zero_optimization": {"stage": recipe.zero, "reduce_bucket_size": reduce_bucket(trial.shape)}
        | ({"reduce_scatter": False} if recipe.zero == 3 and recipe.optimizer.name == "muon" else {}),
        "zero_allow_untested_optimizer": True,
        "steps_per_print": None,
    }


def clips_itself(trial: Trial) -> bool:
    """Whether the training loop, not DeepSpeed, clips the gradients."""
    return trial.recipe.zero == 0 and trial.recipe.precision == "fp32"


def gradient_norm(engine: Any, trial: Trial) -> Any:
    """Global norm before clipping as DeepSpeed tells it; None with Muon at stages 1 to 3, where it is that of Muon's
    updates, the same whatever the gradients are."""
    if trial.recipe.optimizer.name == "muon" and trial.recipe.zero:
        return None
    return engine.get_global_grad_norm()


def set_rate(engine: Any, rate: float) -> None:
    """Set every group's rate to the scheduled one times the group's factor."""
    for group in engine.basic_optimizer.param_groups:
        group["lr"] = rate * group["factor"]
