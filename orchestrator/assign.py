"""How a trial is run on the devices at hand: workers, micro-batch, what to reserve, and how long it may take."""

from __future__ import annotations

from models.counts import flops_per_token
from orchestrator.packing import Job, Need
from orchestrator.work import Assigned
from sweeps.planning import Planned
from sweeps.safe_yaml import SpecError
from sweeps.spec import Spec

# FLOP/s of one core and seconds a trial, for the order only; a real estimate replaces them with `--simulate`.
CORE_FLOPS = 5e10
START_SECONDS = 1.0


def assign(spec: Spec, planned: Planned) -> tuple[Job, Assigned]:
    """A job for packing and its assignment. Raises SpecError where the batch does not divide."""
    trial, wanted = planned.trial, spec.cluster
    workers = wanted.workers or 1
    sequences = trial.recipe.batch_sequences
    micro_batch = wanted.micro_batch or max(1, sequences // workers)
    if sequences % (workers * micro_batch):
        raise SpecError(
            f"{spec.name}: a batch of {sequences} sequences (training.batch_tokens / model.context) does not divide "
            f"among cluster.workers {workers} with micro-batches of {micro_batch}; use a divisor of {sequences}"
        )
    need = Need(workers=workers, cpus=wanted.cpus_per_worker)
    flops = flops_per_token(trial.shape) * (trial.last - trial.first) * trial.batch_tokens
    seconds = START_SECONDS + flops / (CORE_FLOPS * workers * wanted.cpus_per_worker)
    assigned = Assigned(
        workers=workers, micro_batch=micro_batch, threads=wanted.cpus_per_worker, cpus=wanted.cpus_per_worker
    )
    return Job(key=trial.trial_id, need=need, seconds=seconds), assigned
