"""What only a GPU can show: `make test-gpu`. docs/log.md says when it last ran, and on what."""

import json
import math
from pathlib import Path
from statistics import median
from typing import Any, Literal

import pytest
import torch

from models.architecture import Architecture
from models.memory import estimate
from sweeps.store import Store, open_store
from sweeps.trial import Trial
from sweeps.views import connect
from tests.e2e.sweeping import sweep
from tests.orchestrator.gangs import planned, rows, run_gang
from tests.sweeps.specs import small

GPUS = torch.cuda.device_count()
pytestmark = [pytest.mark.gpu, pytest.mark.skipif(GPUS == 0, reason="no CUDA device is visible")]
two = pytest.mark.skipif(GPUS < 2, reason=f"a gang over NCCL needs two GPUs; {GPUS} are visible")

# How far losses on a GPU may be from those on a CPU: other kernels add in another order, and bf16 rounds to 1/256.
ALLOWED = {"fp32": 2e-4, "bf16": 2e-2}
STEPS = 25


def trial_of(store: Store, zero: int, precision: str, **sections: Any) -> Trial:
    training = {"zero": zero, "precision": precision} | sections.pop("training", {})
    grid = sections.pop("grid", {"depths": [2], "widths": [64]})
    return planned(small(grid=grid, training=training, **sections), store).trials[0].trial


def losses(store: Store, trial: Trial) -> list[float]:
    found = rows(store, trial, "step, loss")
    assert [step for step, _ in found] == list(range(1, trial.last + 1))
    return [loss for _, loss in found]


def distance(one: list[float], other: list[float]) -> float:
    return max(abs(a - b) for a, b in zip(one, other, strict=True))


@pytest.mark.parametrize("precision", ["fp32", "bf16"])
@pytest.mark.parametrize("zero", [0, 1, 2, 3])
def test_losses_on_a_gpu_are_those_on_a_cpu(tmp_path: Path, zero: int, precision: Literal["fp32", "bf16"]) -> None:
    """The fused attention and AdamW kernels, against the plain ones of a CPU."""
    made = []
    for device in ("cpu", "cuda"):
        store = open_store(tmp_path / device)
        trial = trial_of(store, zero, precision)
        assert run_gang(store, trial, 1, device=device) == [0]  # type: ignore[arg-type]
        made.append(losses(store, trial))
    print(json.dumps({"zero": zero, "precision": precision, "distance": distance(*made), "last": made[1][-1]}))
    assert distance(*made) <= ALLOWED[precision]


def test_seconds_of_a_step_are_the_gpus_own(tmp_path: Path) -> None:
    """A step among others that are launched ahead of it takes as long as one that is waited for: calibration goes by it."""
    model, training = {"heads": 12, "context": 512}, {"batch_tokens": 32 * 512, "tokens": 40 * 32 * 512}
    medians = []
    for slice_steps in (1, 20):
        store = open_store(tmp_path / str(slice_steps))
        trial = trial_of(store, 1, "bf16", model=model, training=training, grid={"depths": [12], "widths": [768]})
        assert run_gang(store, trial, 1, device="cuda", slice_steps=slice_steps, checkpoint_every=100) == [0]
        medians.append(median(seconds for step, seconds in rows(store, trial, "step, step_seconds") if step > 5))
    print(json.dumps({"waited for": medians[0], "launched ahead": medians[1]}))
    assert medians[1] == pytest.approx(medians[0], rel=0.25)


@two
@pytest.mark.parametrize("precision", ["fp32", "bf16"])
@pytest.mark.parametrize("zero", [0, 1, 2, 3])
def test_a_gang_over_nccl_trains_as_one_gpu_does(tmp_path: Path, zero: int, precision: str) -> None:
    made = []
    for workers in (1, 2):
        store = open_store(tmp_path / str(workers))
        trial = trial_of(store, zero, precision)
        assert run_gang(store, trial, 1, workers=workers, device="cuda") == [0] * workers
        made.append(losses(store, trial))
    assert distance(*made) <= {"fp32": 1e-4, "bf16": 1e-2}[precision]


@two
@pytest.mark.parametrize(("before", "after"), [(2, 1), (1, 2)])
@pytest.mark.parametrize("zero", [1, 2, 3])
def test_a_trial_goes_on_with_another_number_of_gpus(tmp_path: Path, zero: int, before: int, after: int) -> None:
    whole, store = open_store(tmp_path / "whole"), open_store(tmp_path / "resumed")
    trial = trial_of(whole, zero, "bf16")
    assert run_gang(whole, trial, 1, device="cuda") == [0]
    assert trial_of(store, zero, "bf16") == trial
    codes = run_gang(store, trial, 1, workers=before, device="cuda", interrupt_at=12, checkpoint_every=100)
    assert codes == [0] * before
    assert run_gang(store, trial, 2, workers=after, device="cuda") == [0] * after
    assert distance(losses(whole, trial), losses(store, trial)) <= 1e-2


@pytest.mark.parametrize("recomputed", [False, True])
@pytest.mark.parametrize(("depth", "width", "sequences"), [(6, 512, 64), (12, 768, 32), (24, 1024, 16), (4, 2048, 32)])
def test_the_memory_estimate_is_what_the_allocator_says(
    tmp_path: Path, depth: int, width: int, sequences: int, recomputed: bool
) -> None:
    store = open_store(tmp_path)
    model = {"heads": width // 64, "context": 512}
    training = {"batch_tokens": sequences * 512, "tokens": 3 * sequences * 512}
    trial = trial_of(store, 1, "bf16", model=model, training=training, grid={"depths": [depth], "widths": [width]})
    assert run_gang(store, trial, 1, device="cuda", checkpoint_activations=recomputed) == [0]
    with connect(store) as connection:
        (extra,) = connection.execute("select ended_extra from attempts").fetchone() or (None,)
    peak = dict(extra)["memory_bytes"]
    expected = estimate(
        trial.shape,
        precision="bf16",
        zero=1,
        workers=1,
        micro_batch=sequences,
        accumulation=1,
        checkpoint_activations=recomputed,
        device="cuda",
    )
    ratio = expected.training / peak
    print(json.dumps({"point": f"{depth}x{width}", "recomputed": recomputed, "peak": peak, "estimated": ratio}))
    assert peak > 200e6
    assert expected.training == pytest.approx(peak, rel=0.15)


def test_a_network_may_train_on_the_cores_beside_a_gpu(tmp_path: Path) -> None:
    """DeepSpeed would take the GPU that it sees."""
    path = spec_here(tmp_path, memory_here(), HEADS=2, CONTEXT=32, GRID="{shapes: [[1, 8]]}", TOKENS=2560, BATCH=256)
    devices = tmp_path / "devices.yaml"
    devices.write_text(devices.read_text().replace("source:", "train_on: cpu, source:"))
    done = sweep("run", str(path), "--results", str(tmp_path / "r"), timeout=900)
    assert done.returncode == 0, done.stderr
    (made,) = attempts(tmp_path / "r")
    assert (made["device"], made["ended"]) == ("cpu", "completed")


DEVICES = """\
dated: 2026-01-01
currency: USD
devices:
  here: {gpu: GPU, memory_gib: MEMORY, bf16_tflops: 100, fp32_tflops: 20, price_hour: 1, achieved: 0.3,
         half_width: 512, block_us: 200, link_gbs: 20, network_gbs: 10, source: this machine}
"""
SPEC = """\
name: gpus
model: {family: gpt, tokenizer: bytes, heads: HEADS, context: CONTEXT}
grid: GRID
data: {corpus: python-stdlib}
training: {tokens: TOKENS, batch_tokens: BATCH, learning_rate: 1e-3, zero: 1}
evaluation: {tokens: 8192, points: 1}
cluster: {devices: DEVICES, checkpoint_seconds: 5}
"""


def spec_here(folder: Path, memory_gib: float, **words: object) -> Path:
    """A spec for this machine's kind of GPU, with as much memory as is said."""
    import ray

    ray.init(address="local", include_dashboard=False, log_to_driver=False)
    resources = ray.nodes()[0]["Resources"]
    ray.shutdown()
    kind = next(name.split(":", 1)[1] for name in resources if name.startswith("accelerator_type:"))
    devices = folder / "devices.yaml"
    devices.write_text(DEVICES.replace("GPU", kind, 1).replace("MEMORY", f"{memory_gib:.2f}"))
    text = SPEC
    for name, value in (words | {"DEVICES": devices}).items():
        text = text.replace(name, str(value))
    path = folder / "spec.yaml"
    path.write_text(text)
    return path


def attempts(results: Path) -> list[dict[str, Any]]:
    with connect(open_store(results)) as connection:
        sql = "select * from attempts order by claimed_at"
        found: list[dict[str, Any]] = connection.sql(sql).to_arrow_table().to_pylist()
    return found


def memory_here() -> float:
    return torch.cuda.get_device_properties(0).total_memory / 2**30


def test_small_networks_share_a_gpu(tmp_path: Path) -> None:
    grid = "{depths: [1, 2], widths: [32, 64], seeds: [0, 1]}"
    path = spec_here(tmp_path, memory_here(), HEADS=2, CONTEXT=128, GRID=grid, TOKENS=400 * 2048, BATCH=2048)
    done = sweep("run", str(path), "--results", str(tmp_path / "r"), timeout=900)
    assert done.returncode == 0, done.stderr
    made = attempts(tmp_path / "r")
    assert len(made) == 8
    assert {row["ended"] for row in made} == {"completed"}
    assert all(row["device"] == "cuda" and row["devices"] < 1 for row in made)
    starts = sorted(row["started_at"] for row in made)
    each = [(row["ended_at"] - row["started_at"]).total_seconds() for row in made]
    whole = (max(row["ended_at"] for row in made) - starts[0]).total_seconds()
    print(json.dumps({"devices": made[0]["devices"], "seconds": whole, "one after another": sum(each)}))
    assert starts[1] < min(row["ended_at"] for row in made)  # two at a time at least


def test_out_of_memory_is_tried_once_more_with_a_smaller_micro_batch(tmp_path: Path) -> None:
    """The file of devices promises far more memory than there is, so the first micro-batch is too large."""
    depth, width, context = 24, 1024, 512
    shape = Architecture(family="gpt", vocabulary=256, context=context, heads=16).shape(depth, width)

    def needed(sequences: int) -> float:
        return estimate(
            shape,
            precision="bf16",
            zero=1,
            workers=1,
            micro_batch=sequences,
            accumulation=1,
            checkpoint_activations=False,
            device="cuda",
        ).total

    there = torch.cuda.get_device_properties(0).total_memory
    # the smallest that is a fifth too much for this GPU: half of it fits
    sequences = next(n for n in range(2, 20_000, 2) if needed(n) > 1.2 * there)
    batch = sequences * context
    grid = f"{{shapes: [[{depth}, {width}]]}}"
    path = spec_here(tmp_path, 100 * memory_here(), HEADS=16, CONTEXT=context, GRID=grid, TOKENS=3 * batch, BATCH=batch)
    path.write_text(path.read_text().replace("cluster: {", "cluster: {largest_gang: 1, "))
    done = sweep("run", str(path), "--results", str(tmp_path / "r"), timeout=900)
    assert done.returncode == 0, done.stderr
    first, second = attempts(tmp_path / "r")
    assert first["ended"].startswith("out_of_memory")
    assert second["ended"] == "completed"
    print(json.dumps({"micro_batch": [first["micro_batch"], second["micro_batch"]], "there": there}))
    print(json.dumps([dict(row["ended_extra"]) for row in (first, second)]))
    assert second["micro_batch"] == math.ceil(first["micro_batch"] / 2)
    assert dict(first["ended_extra"])["memory_bytes"] > 0.5 * there
    assert dict(first["ended_extra"])["memory_error"] > 0  # what was wanted is more than what there was
    assert abs(dict(second["ended_extra"])["memory_error"]) < 0.15
