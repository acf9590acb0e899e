"""A sweep of mixed sizes on three Ray nodes with 8, 4 and 4 pretended GPUs, trained for real on this machine's cores."""

import json
import subprocess
import sys
from collections import Counter
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest
import ray
from ray.cluster_utils import Cluster

from orchestrator.assign import assigner, devices_for, machines_of
from orchestrator.choices import USABLE
from orchestrator.membership import members
from orchestrator.nodes import Node
from orchestrator.simulator import simulate
from sweeps.loading import load_spec
from sweeps.planning import Plan, plan
from sweeps.spec import Spec
from sweeps.store import open_store
from sweeps.views import connect
from tests.cluster.clusters import DEVICES, MEMORY_GIB, cluster, pretending, wait_for
from tests.e2e.sweeping import ROOT, started, sweep, until

pytestmark = pytest.mark.long

# 40 trials: with these devices halves of a GPU, single ones, and gangs of two, four and eight.
MIXED = """\
name: mixed
model: {family: gpt, tokenizer: bytes, heads: 2, context: 32}
grid:
  - {depths: [1, 2], widths: [8, 12, 16, 20, 24, 28], seeds: [0, 1]}
  - {shapes: [[2, 32], [2, 36], [2, 40], [2, 44], [1, 96], [1, 104]], seeds: [0, 1]}
  - {shapes: [[3, 80], [3, 84], [3, 112], [4, 144]]}
data: {corpus: python-stdlib}
training: {tokens: 15360, batch_tokens: 512, learning_rate: 1e-2, precision: fp32, zero: 1}
evaluation: {tokens: 1024, points: 1}
cluster: {checkpoint_seconds: 2, efficiency: 0.3, devices: DEVICES}
"""
LONGER = """\
name: longer
model: {family: gpt, tokenizer: bytes, heads: 2, context: 32}
grid: {depths: [1], widths: [96, 104, 112], seeds: [0, 1, 2]}
data: {corpus: python-stdlib}
training: {tokens: 1024000, batch_tokens: 512, learning_rate: 1e-2, precision: fp32, zero: 1}
evaluation: {tokens: 1024, points: 1}
cluster: {checkpoint_seconds: 1, workers: 1, sharing: false, devices: DEVICES}
"""


@pytest.fixture(scope="module")
def three() -> Iterator[Cluster]:
    with cluster(pretending(8), pretending(4), pretending(4)) as made:
        wait_for(made, 3)
        yield made


def written(folder: Path, text: str) -> Path:
    (folder / "devices.yaml").write_text(DEVICES)
    path = folder / "spec.yaml"
    path.write_text(text.replace("DEVICES", str(folder / "devices.yaml")))
    return path


def attempts(results: Path) -> list[dict[str, Any]]:
    """Claims and ends, times in seconds from the first claim."""
    with connect(open_store(results)) as connection:
        sql = "select *, epoch(claimed_at) as began, epoch(ended_at) as stopped from attempts order by claimed_at"
        rows: list[dict[str, Any]] = connection.sql(sql).to_arrow_table().to_pylist()
    first = rows[0]["began"]
    return [row | {"began": row["began"] - first, "stopped": (row["stopped"] or first) - first} for row in rows]


def timed(path: Path, results: Path, address: str) -> dict[str, tuple[float, float]]:
    """Run a sweep to its end; by trial, when it was given its devices and when the driver heard that they were free.

    The second is later than the end of the attempt in the record: on few cores, where many processes start, by seconds.
    """
    words = [sys.executable, "-m", "tests.cluster.timed", str(path), str(results), address]
    done = subprocess.run(words, cwd=ROOT, capture_output=True, text=True, timeout=1500, check=False)
    assert done.returncode == 0, done.stderr
    made: dict[str, tuple[float, float]] = json.loads(done.stdout.splitlines()[-1])
    return made


def nodes_of(made: Cluster) -> list[Node]:
    ray.init(address=made.address, log_to_driver=False, logging_level="ERROR")
    try:
        return list(members().nodes)
    finally:
        ray.shutdown()


def literal(results: Path, spec: Spec) -> Plan:
    """The plan as it ran, on the corpus in the record."""
    with connect(open_store(results)) as connection:
        (content,) = connection.execute("select distinct corpus from plans").fetchall()[0]
    return plan(spec, content, {})


def test_forty_trials_of_mixed_sizes(three: Cluster, tmp_path: Path) -> None:
    path, results = written(tmp_path, MIXED), tmp_path / "r"
    held = timed(path, results, three.address)
    rows = attempts(results)
    assert Counter(row["ended"] for row in rows) == {"completed": 40}
    assert {(row["workers"], row["devices"]) for row in rows} == {(1, 0.5), (1, 1.0), (2, 2.0), (4, 4.0), (8, 8.0)}

    # nothing is placed against the estimate: memory of a share, and GPUs of each node at each moment
    nodes = nodes_of(three)
    gpus = {node.name: node.gpus for node in nodes}
    assert sorted(gpus.values()) == [4, 4, 8]
    for row in rows:
        share = row["devices"] / row["workers"]
        assert row["memory_estimated"] <= USABLE * MEMORY_GIB * 2**30 * share
        assert row["device"] == "cpu"
        assert row["kind"] == "pretended"
        assert len(set(row["nodes"])) == 1  # each gang fits into a node
    taken: Counter[str] = Counter()
    moments = [(row[when], sign, row) for row in rows for when, sign in (("stopped", -1), ("began", 1))]
    for _, sign, row in sorted(moments, key=lambda moment: moment[:2]):
        for node in row["nodes"]:
            taken[node] += sign * row["devices"] / row["workers"]
            assert taken[node] <= gpus[node] + 1e-9

    # the simulator, given how long each trial held its devices, says when the sweep ends, and nothing starved
    spec = load_spec(path)
    made = literal(results, spec)
    assign = assigner(spec, made.trials, machines_of(nodes, devices_for(spec)))
    simulation = simulate(made, nodes, assign, durations={key: end - start for key, (start, end) in held.items()})
    first = min(start for start, _ in held.values())
    makespan = max(end for _, end in held.values()) - first
    print(json.dumps({"makespan": makespan, "simulated": simulation.makespan_seconds, "held": held}))
    assert simulation.makespan_seconds == pytest.approx(makespan, rel=0.1)
    expected = {span.key: span.start for span in simulation.spans}
    late = {key: start - first - expected[key] for key, (start, _) in held.items()}
    assert max(late.values()) <= 0.15 * makespan, late


def test_a_node_killed_in_the_middle_costs_only_its_trials(three: Cluster, tmp_path: Path) -> None:
    path, results = written(tmp_path, LONGER), tmp_path / "r"
    run = started("run", str(path), "--results", str(results), "--address", three.address)
    until(lambda: len({path.parent for path in results.glob("checkpoints/*/*.json")}) == 9, seconds=240)
    victim = next(iter(three.worker_nodes))
    name = victim.node_id
    three.remove_node(victim, allow_graceful=False)
    _, said = run.communicate(timeout=600)
    assert run.returncode == 0, said
    rows = attempts(results)
    lost = [row for row in rows if row["attempt"] == 1 and name in row["nodes"]]
    assert lost
    assert all(row["ended"] is None or row["ended"].startswith("lost") for row in lost)  # it died without a word
    again = [row for row in rows if row["attempt"] > 1]
    assert {row["trial_id"] for row in again} == {row["trial_id"] for row in lost}
    assert all(row["resume_step"] > 0 and row["ended"] == "completed" for row in again)
    others = [row for row in rows if row["attempt"] == 1 and name not in row["nodes"]]
    assert Counter(row["ended"] for row in others) == {"completed": 9 - len(lost)}


def test_without_an_address_a_run_starts_its_own_ray(three: Cluster, tmp_path: Path) -> None:
    text = MIXED.replace(", devices: DEVICES", "").replace("[8, 12, 16, 20, 24, 28], seeds: [0, 1]", "[8]")
    lines = [line for line in text.splitlines() if "shapes" not in line]
    path = written(tmp_path, "\n".join(lines))
    done = sweep("run", str(path), "--results", str(tmp_path / "r"), RAY_ADDRESS=three.address)
    assert done.returncode == 0, done.stderr
    rows = attempts(tmp_path / "r")
    assert {row["kind"] for row in rows} == {"cpu"}
    there = {node.name for node in nodes_of(three)}
    assert not there & {node for row in rows for node in row["nodes"]}
