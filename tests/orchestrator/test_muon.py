"""Muon through DeepSpeed: the same numbers at every stage, after a resume, and as the algorithm's own definition."""

from pathlib import Path

import pytest
import torch

from models.decoder import Decoder
from orchestrator.attempt import JUMP
from orchestrator.optimizers import eager_muon, moments_of, optimizer_of
from sweeps.planning import plan
from sweeps.spec import Spec
from sweeps.store import Store, open_store
from sweeps.trial import Trial
from tests.orchestrator.gangs import planned, rows, run_gang
from tests.sweeps.specs import small

MUON = {"optimizer": {"name": "muon", "adam_rate": 0.5}, "gradient_clipping": None, "learning_rate": 2e-2}

IMPORTS = pytest.mark.filterwarnings("ignore:.torch.jit.script:DeprecationWarning")  # DeepSpeed's, at import


def spec(zero: int, precision: str) -> Spec:
    training = MUON | {"zero": zero, "precision": precision, "tokens": 3072}
    return small(grid={"depths": [2], "widths": [16]}, training=training)


def undisturbed(store: Store, zero: int, precision: str, workers: int) -> tuple[Trial, list[tuple[object, ...]]]:
    trial = planned(spec(zero, precision), store).trials[0].trial
    assert run_gang(store, trial, 1, workers=workers) == [0] * workers
    return trial, rows(store, trial)


@pytest.mark.parametrize(
    ("workers", "zero", "precision"), [(1, 0, "bf16"), (2, 1, "bf16"), (2, 2, "fp32"), (2, 3, "bf16")]
)
def test_interrupted_and_resumed_is_bit_for_bit_the_same(
    tmp_path: Path, workers: int, zero: int, precision: str
) -> None:
    trial, expected = undisturbed(open_store(tmp_path / "whole"), zero, precision, workers)
    store = open_store(tmp_path / "resumed")
    planned(spec(zero, precision), store)
    assert run_gang(store, trial, 1, workers=workers, interrupt_at=5, checkpoint_every=100) == [0] * workers
    assert run_gang(store, trial, 2, workers=workers) == [0] * workers
    assert len(rows(store, trial, "distinct resume_step")) == 2
    assert rows(store, trial) == expected
    assert [loss for _, loss, *_ in expected][-1] < 4.5


def test_a_checkpoint_goes_on_with_another_number_of_workers(tmp_path: Path) -> None:
    """Two workers, then one: the first loss after the resume is the restored network's own, so it is the undisturbed
    run's to 1e-5. Later ones may differ as in bf16, in which DeepSpeed orthogonalises whatever the precision: one
    undisturbed worker and two differ alike."""
    _, alone = undisturbed(open_store(tmp_path / "one"), 0, "fp32", 1)
    _, pair = undisturbed(open_store(tmp_path / "two"), 0, "fp32", 2)
    store = open_store(tmp_path / "r")
    trial = planned(spec(0, "fp32"), store).trials[0].trial
    assert run_gang(store, trial, 1, workers=2, interrupt_at=5, checkpoint_every=100) == [0, 0]
    assert run_gang(store, trial, 2, workers=1) == [0]
    last = max(resumed for (resumed,) in rows(store, trial, "resume_step"))
    found = [loss for _, loss, *_ in rows(store, trial)]
    one, two = ([loss for _, loss, *_ in run] for run in (alone, pair))
    assert found[:last] == two[:last]
    assert found[last] == pytest.approx(two[last], abs=JUMP["fp32"])
    assert found == pytest.approx(two, abs=JUMP["bf16"])
    assert one == pytest.approx(two, abs=JUMP["bf16"])


@IMPORTS
def test_matrices_of_blocks_take_muons_step_and_the_rest_adamws() -> None:
    trial = plan(spec(0, "fp32"), None, {}).trials[0].trial
    decoder = Decoder(trial.shape)
    optimizer = optimizer_of(decoder, trial)
    muon = {name for name, parameter in decoder.named_parameters() if moments_of(parameter) == ("momentum_buffer",)}
    assert muon == {f"blocks.{block}.{name}" for block in (0, 1) for name in ("qkv", "out", "up", "down")}
    factors = {group["use_muon"]: group["factor"] for group in optimizer.param_groups}
    assert factors == {True: 1.0, False: 0.5}
    before = {name: parameter.detach().clone() for name, parameter in decoder.named_parameters()}
    tokens = torch.randint(0, 256, (2, 33))
    decoder(tokens[:, :-1], tokens[:, 1:]).backward()
    for group in optimizer.param_groups:
        group |= {"lr": 0.01 * group["factor"], "weight_decay": 0.0}
    optimizer.step()
    for name, parameter in decoder.named_parameters():
        step = before[name] - parameter.detach()
        if name in muon:  # five steps of Newton–Schulz bring all but the very smallest singular values near one
            tall, wide = step.shape
            values = torch.linalg.svdvals(step) / (0.01 * max(1, tall / wide) ** 0.5)
            assert values.quantile(0.2) > 0.6
            assert values.max() < 1.4
        elif parameter.grad.abs().min() > 1e-5:  # Adam's first step is the rate times the gradient's sign
            torch.testing.assert_close(step.abs(), torch.full_like(step, 0.005), rtol=1e-2, atol=0)


@IMPORTS
def test_nothing_is_compiled() -> None:
    muon = eager_muon()
    from deepspeed.runtime.zero.muon import original_muon

    for function in (muon.muon_update, original_muon.muon_update, original_muon.zeropower_via_newtonschulz5):
        assert not hasattr(function, "_torchdynamo_orig_callable")
