"""A gang without Ray: the workers of an attempt as plain processes, so that one can be killed at a chosen point.

On a CPU they are forked from a server that has imported torch and DeepSpeed once and done nothing else. On GPUs each is
a fresh process: CUDA does not survive a fork, and DeepSpeed looks for its device when it is imported.
"""

import multiprocessing
import os
import time
import warnings
from collections.abc import Iterator
from contextlib import contextmanager
from typing import Any

from orchestrator.corpora.prepare import prepare
from orchestrator.ports import free_port
from orchestrator.work import Assigned, Device, Work
from sweeps.planning import Plan, plan
from sweeps.record import claim, publish_plan
from sweeps.spec import Spec
from sweeps.store import Store
from sweeps.trial import Trial
from sweeps.views import connect

SERVER = multiprocessing.get_context("forkserver")
SERVER.set_forkserver_preload(["orchestrator.attempt", "tests.orchestrator.gangs"])
FRESH = multiprocessing.get_context("spawn")


def planned(spec: Spec, store: Store) -> Plan:
    """The spec's plan on its prepared corpus, recorded."""
    made = plan(spec, prepare(spec, store).content, {})
    publish_plan(store, made, spec.model_dump(mode="json"), {})
    return made


def run_gang(
    store: Store,
    trial: Trial,
    attempt: int,
    *,
    workers: int = 1,
    micro_batch: int | None = None,
    slice_steps: int = 4,
    checkpoint_every: int = 2,
    keep_moments: bool = False,
    interrupt_at: int | None = None,
    environment: dict[str, str] | None = None,
    claimed: bool = True,
    device: Device = "cpu",
    checkpoint_activations: bool = False,
    poison: tuple[int, str] | None = None,
) -> list[int]:
    """Run one attempt; the exit codes of its workers. A checkpoint falls due every `checkpoint_every` slices.

    device   cuda: each worker on a GPU of its own
    poison   a step, and what becomes of the weights before the slice after it: nan, inf or spike
    """
    if claimed:
        claim(store, trial.trial_id, attempt, {"driver": "test"})
    share = trial.recipe.batch_sequences // workers
    work = Work(
        trial=trial,
        attempt=attempt,
        driver="test",
        results=store.uri,
        assigned=Assigned(
            workers=workers,
            micro_batch=micro_batch or share,
            threads=1,
            cpus=1,
            device=device,
            checkpoint_activations=checkpoint_activations,
        ),
        keep_moments=keep_moments,
        checkpoint_seconds=1e9,
        hang_seconds=60,
    )
    port = free_port()
    order = {"slice": slice_steps, "every": checkpoint_every, "interrupt_at": interrupt_at, "poison": poison}
    starting: Any = FRESH if device == "cuda" else SERVER
    processes = [
        starting.Process(target=worker, args=(work.to_json(), rank, port, order, environment or {}))
        for rank in range(workers)
    ]
    with computing_on(device):  # the server, too, has the environment of whoever starts it
        for process in processes:
            process.start()
    deadline = time.monotonic() + 240
    while any(process.is_alive() for process in processes) and time.monotonic() < deadline:
        if any(process.exitcode for process in processes):  # one died: the others would wait for it
            time.sleep(0.5)
            break
        time.sleep(0.02)
    for process in processes:
        process.kill()
        process.join()
    return [process.exitcode or 0 for process in processes]


@contextmanager
def computing_on(device: Device) -> Iterator[None]:
    """What is started meanwhile imports DeepSpeed for this device."""
    before = os.environ.get("DS_ACCELERATOR")
    os.environ["DS_ACCELERATOR"] = device
    try:
        yield
    finally:
        del os.environ["DS_ACCELERATOR"]
        if before is not None:
            os.environ["DS_ACCELERATOR"] = before


def rows(store: Store, trial: Trial, columns: str = "step, loss, grad_norm, lr") -> list[tuple[Any, ...]]:
    """A trial's rows in the metrics view, by step."""
    with connect(store) as connection:
        sql = f"select {columns} from metrics where trial_id = ? order by step"
        return connection.execute(sql, [trial.trial_id]).fetchall()


def worker(text: str, rank: int, port: int, order: dict[str, Any], environment: dict[str, str]) -> None:
    warnings.simplefilter("ignore")
    work = Work.from_json(text)
    own = {"CUDA_VISIBLE_DEVICES": str(rank)} if work.assigned.device == "cuda" else {}
    os.environ |= own | environment
    import torch.distributed as dist

    from orchestrator.attempt import Attempt
    from orchestrator.engine import Assignment, join

    join(Assignment(rank=rank, **work.assigned.each()), "127.0.0.1", port)
    attempt = Attempt(work, Assignment(rank=rank, **work.assigned.each()))
    step = attempt.begin()
    for turn in range(1, 10_000):
        if order["interrupt_at"] is not None and step >= order["interrupt_at"]:
            attempt.interrupt("asked to")
            break
        if order["poison"] and step >= order["poison"][0]:
            poisoned(attempt.training.engine, order["poison"][1])
            order["poison"] = None
        progress = attempt.advance(order["slice"], checkpoint=turn % order["every"] == 0)
        step = progress.step
        if progress.ended:
            break
    attempt.close()
    dist.destroy_process_group()


def poisoned(engine: Any, how: str) -> None:
    """Spoil the weights that the next forward pass uses, as a flipped bit or a broken card would."""
    for parameter in engine.module.parameters():
        held = getattr(parameter, "ds_tensor", parameter).data
        match how:
            case "nan":
                held.fill_(float("nan"))
            case "inf":
                held.mul_(1e38)
            case "spike":
                held.mul_(30)
