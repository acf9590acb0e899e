"""Ways to run a trial, the assigner over them, and the file of devices."""

from dataclasses import replace
from pathlib import Path

import pytest

from models.memory import estimate
from orchestrator.assign import assign, assigner, devices_for, machines_of
from orchestrator.choices import USABLE
from orchestrator.devices import SHIPPED, load_devices
from orchestrator.failures import ClusterError
from orchestrator.nodes import Node
from sweeps.loading import load_spec
from sweeps.planning import Plan, plan
from sweeps.safe_yaml import SpecError
from sweeps.spec import Spec

PAPER = Path(__file__).parents[2] / "sweeps" / "paper.yaml"


@pytest.fixture(scope="module")
def paper() -> tuple[Spec, Plan]:
    spec = load_spec(PAPER)
    return spec, plan(spec, None, {})


def gpus(count: int, device: str = "H100") -> list[Node]:
    return [Node(name=f"n{i}", cpus=64, gpus=8, device=device) for i in range(count)]


def test_every_trial_fits_its_share_and_its_batch_divides(paper: tuple[Spec, Plan]) -> None:
    spec, made = paper
    ask = assigner(spec, made.trials, machines_of(gpus(8), devices_for(spec)))
    for planned in made.trials:
        choice, (job, assigned) = ask.choose(planned), ask(planned)
        assert choice.memory.total <= USABLE * 79 * 2**30 / choice.share
        sequences = planned.trial.recipe.batch_sequences
        assert assigned.workers * assigned.micro_batch * choice.accumulation == sequences
        assert job.need.gpus in (1, 1 / 2, 1 / 4, 1 / 8)


def test_running_out_of_memory_halves_the_micro_batch_and_nothing_else(paper: tuple[Spec, Plan]) -> None:
    spec, made = paper
    ask = assigner(spec, made.trials, machines_of(gpus(8), devices_for(spec)))
    for planned in made.trials[::10]:
        (_, first), (_, second) = ask(planned), ask(planned, 1)
        assert second.micro_batch == max(1, first.micro_batch // 2)
        assert second.workers == first.workers


def test_a_stage_that_would_fit_is_named(paper: tuple[Spec, Plan]) -> None:
    spec, made = paper
    large = max(made.trials, key=lambda p: p.trial.shape.width)
    deep = replace(large, trial=replace(large.trial, shape=replace(large.trial.shape, depth=150)))
    machines = machines_of([Node(name="n", cpus=8, gpus=8, device="L4")], devices_for(spec))
    with pytest.raises(SpecError, match=r"does not fit on 8 l4 of .* GiB .*training.zero: [23] would fit \(it is 1\)"):
        assigner(spec, [deep], machines)


def test_a_batch_that_does_not_divide_is_refused(paper: tuple[Spec, Plan]) -> None:
    spec, made = paper
    odd = spec.model_copy(update={"cluster": spec.cluster.model_copy(update={"workers": 3})})
    with pytest.raises(SpecError, match=r"batch of 512 sequences .* does not divide among cluster.workers 3"):
        assign(odd, made.trials[0], nodes=gpus(1))


def test_cores_alone_take_one_worker_and_the_whole_batch() -> None:
    spec = load_spec(PAPER.with_name("quickstart.yaml"))
    _, assigned = assign(spec, plan(spec, None, {}).trials[0])
    assert (assigned.workers, assigned.micro_batch, assigned.gpus, assigned.device) == (1, 16, 0.0, "cpu")


def test_a_device_is_found_by_our_name_and_by_rays_and_a_typo_is_named() -> None:
    devices = load_devices(SHIPPED)
    assert devices.named("h100") is devices.named("H100")
    with pytest.raises(SpecError, match="did you mean 'h100'"):
        devices.named("h10")


def test_a_file_of_devices_says_where_it_is_wrong(tmp_path: Path) -> None:
    path = tmp_path / "mine.yaml"
    path.write_text(SHIPPED.read_text().replace("memory_gib: 139", "memory_gib: -1"))
    with pytest.raises(SpecError, match=r"mine.yaml:\d+: devices.h200.memory_gib is -1; it is a number above 0"):
        load_devices(path)


def test_recomputing_and_zero_cost_less_memory(paper: tuple[Spec, Plan]) -> None:
    shape = paper[1].trials[-1].trial.shape

    def total(zero: int, recomputed: bool) -> int:
        return estimate(
            shape,
            precision="bf16",
            zero=zero,  # type: ignore[arg-type]
            workers=8,
            micro_batch=64,
            accumulation=1,
            checkpoint_activations=recomputed,
            device="cuda",
        ).training

    assert total(1, True) < total(1, False)
    assert total(1, False) < total(0, False)


def test_a_cluster_whose_nodes_have_died_is_not_the_specs_fault() -> None:
    devices = load_devices(SHIPPED)
    with pytest.raises(ClusterError, match="no living node"):
        machines_of([], devices)
    with pytest.raises(SpecError, match="neither a GPU nor a whole CPU"):
        machines_of([Node(name="head", cpus=0)], devices)


def test_what_a_smaller_micro_batch_needs_is_estimated_anew(paper: tuple[Spec, Plan]) -> None:
    spec, made = paper
    ask = assigner(spec, made.trials, machines_of(gpus(8), devices_for(spec)))
    planned = made.trials[-1]
    first, again = ask.choose(planned), ask.choose(planned, smaller=1)
    assert again.micro_batch == first.micro_batch / 2
    assert again.memory == estimate(
        planned.trial.shape,
        precision=planned.trial.recipe.precision,
        zero=planned.trial.recipe.zero,
        workers=again.workers,
        micro_batch=again.micro_batch,
        accumulation=again.accumulation,
        checkpoint_activations=again.recomputed,
        device="cuda",
    )
    assert again.memory.total < first.memory.total
