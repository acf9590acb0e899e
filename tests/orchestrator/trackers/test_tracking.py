"""Trackers beside a run: each is read back; one that fails is told of and hurts nobody."""

import importlib.util
import struct
import time
from pathlib import Path
from typing import Any

import pytest

from orchestrator.trackers.tracking import check_trackers, mirrored, tracked
from sweeps.planning import Plan
from sweeps.safe_yaml import SpecError
from sweeps.store import open_store
from sweeps.tracking import Tracking
from tests.orchestrator.trackers.records import asking, loss, planned, train


def needs(package: str) -> pytest.MarkDecorator:
    missing = importlib.util.find_spec(package) is None
    return pytest.mark.skipif(missing, reason=f"{package} is not installed: what is written for it is not read back")


def track(folder: Path, tracking: Any) -> tuple[Plan, list[str]]:
    """Two runs of a sweep: one trial is finished in the first, the other goes on in the second."""
    store, spec, said = open_store(folder), asking(tracking), []  # type: ignore[var-annotated]
    made = planned(spec, store)
    first, second = (p.trial for p in made.trials)
    with tracked(spec, store, said.append, seconds=250):
        train(store, first, 0, 25, end="completed")
        train(store, second, 0, 10)
    with tracked(spec, store, said.append, seconds=250):
        train(store, second, 10, 25, attempt=2, end="completed")
    return made, said


EXPECTED = {step: pytest.approx(loss(step)) for step in range(1, 26)}


@pytest.mark.slow
@needs("tensorboardX")
def test_tensorboard(tmp_path: Path) -> None:
    made, said = track(tmp_path, "tensorboard")
    assert said == []
    for trial in (p.trial for p in made.trials):
        folder = tmp_path / "tracking" / "tensorboard" / "small" / f"{trial.shape.depth}x8-{trial.trial_id[:8]}"
        found: dict[str, dict[int, float]] = {}
        for path in sorted(folder.iterdir()):
            for event in events(path):
                for value in event.summary.value:
                    if value.HasField("simple_value"):
                        assert event.step not in found.setdefault(value.tag, {})
                        found[value.tag][event.step] = value.simple_value
        assert found["loss"] == EXPECTED
        assert found["eval_loss"] == {25: pytest.approx(loss(25) + 1)}
        assert "grad_norm" not in found  # missing is not zero


def events(path: Path) -> list[Any]:
    """Events of a file of TensorFlow records: length, its checksum, data, its checksum."""
    from tensorboardX.proto.event_pb2 import Event

    data, place, found = path.read_bytes(), 0, []
    while place < len(data):
        (size,) = struct.unpack_from("<Q", data, place)
        found.append(Event.FromString(data[place + 12 : place + 12 + size]))
        place += 16 + size
    return found


@pytest.mark.slow
@pytest.mark.filterwarnings("ignore")  # its own libraries warn each other
@needs("mlflow")
def test_mlflow(tmp_path: Path) -> None:
    from mlflow import MlflowClient

    made, said = track(tmp_path, {"mlflow": {"experiment": "mine"}})
    assert said == [], (tmp_path / "tracking" / "mlflow" / "small.log").read_text()
    client = MlflowClient(tracking_uri=f"sqlite:///{tmp_path}/tracking/mlflow/mlflow.db")
    experiment = client.get_experiment_by_name("mine")
    runs = {run.data.tags["interplay.trial"]: run for run in client.search_runs([experiment.experiment_id])}
    assert set(runs) == {p.trial.trial_id for p in made.trials}
    for trial in (p.trial for p in made.trials):
        run = runs[trial.trial_id]
        assert (run.info.status, run.data.tags["interplay.end"]) == ("FINISHED", "completed")
        assert (run.data.params["depth"], run.data.params["width"]) == (str(trial.shape.depth), "8")
        history = client.get_metric_history(run.info.run_id, "loss")
        assert sorted((m.step, m.value) for m in history) == [
            (s, pytest.approx(v.expected)) for s, v in EXPECTED.items()
        ]


@pytest.mark.slow
@needs("wandb")
def test_weights_and_biases_offline(tmp_path: Path) -> None:
    made, said = track(tmp_path, {"wandb": {"project": "mine"}})
    assert said == [], (tmp_path / "tracking" / "wandb" / "small.log").read_text()
    for trial in (p.trial for p in made.trials):
        found: dict[int, float] = {}
        paths = sorted((tmp_path / "tracking" / "wandb").rglob(f"run-{trial.trial_id}.wandb"))
        for path in paths:
            for record in wandb_records(path):
                if record.HasField("run"):
                    assert record.run.project == "mine"
                items = {item.key or item.nested_key[0]: item.value_json for item in record.history.item}
                if "loss" in items:
                    found[int(items["_step"])] = float(items["loss"])
        assert found == EXPECTED


def wandb_records(path: Path) -> list[Any]:
    """Records of an offline file: LevelDB's log, in blocks of 32 kB, after a head of seven bytes."""
    from wandb.proto.wandb_internal_pb2 import Record

    data, place, found, held = path.read_bytes(), 7, [], b""
    assert data.startswith(b":W&B")
    while place + 7 <= len(data):
        if 32768 - place % 32768 < 7:
            place += 32768 - place % 32768
        _, size, kind = struct.unpack_from("<IHB", data, place)
        held += data[place + 7 : place + 7 + size]
        place += 7 + size
        if kind in (1, 4):  # whole, or the last piece
            found.append(Record.FromString(held))
            held = b""
    return found


@pytest.mark.parametrize("module", ["raises", "blocks"])
def test_a_tracker_that_fails_is_told_of_and_its_process_is_gone(tmp_path: Path, module: str) -> None:
    store, spec, said = open_store(tmp_path), asking(), []  # type: ignore[var-annotated]
    first, _ = planned(spec, store).trials
    started = time.monotonic()
    with mirrored(module, f"tests.orchestrator.trackers.{module}", spec, store, said.append, seconds=4):
        train(store, first.trial, 0, 25, end="completed")
        inside = time.monotonic() - started
    assert inside < 3
    assert time.monotonic() - started < 30
    (text,) = said
    assert text.startswith(f"tracking.{module} failed, and no trial was touched; what it says is in ")
    log = (tmp_path / "tracking" / module / "small.log").read_text()
    assert ("the tracker is broken" if module == "raises" else "not finished 4 s after the run was over") in log


def test_a_tracker_that_is_not_installed_is_refused(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("importlib.util.find_spec", lambda name: None)
    message = (
        r"small: tracking\.mlflow needs the package mlflow, which is not installed; pip install 'interplay\[mlflow\]'"
    )
    with pytest.raises(SpecError, match=message):
        check_trackers(asking(["mlflow"]))
    check_trackers(asking())


@pytest.mark.parametrize(
    "tracking", ["wandb", ["wandb"], {"wandb": True, "mlflow": None}, {"wandb": {}}, {"wandb": {"mode": "offline"}}]
)
def test_ways_to_say_it(tracking: Any) -> None:
    spec = asking(tracking)
    assert spec.tracking == Tracking.model_validate_json(spec.tracking.model_dump_json())
    assert (spec.tracking.wandb is not None, spec.tracking.mlflow) == (True, None)
