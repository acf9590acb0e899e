"""The launch files, checked without a cluster."""

import copy
import json
import os
import shutil
import signal
import subprocess
import sys
import time
from pathlib import Path
from typing import Any

import pytest
import yaml

ROOT = Path(__file__).parents[2]
RAYJOB = ROOT / "launch" / "rayjob.yaml"
SCHEMA = Path(__file__).with_name("rayjob.schema.json")


def test_rays_own_schema_takes_the_cluster_file() -> None:
    util = pytest.importorskip("ray.autoscaler._private.util")
    config = yaml.safe_load((ROOT / "cluster.yaml").read_text())
    util.validate_config(util.prepare_config(copy.deepcopy(config)))
    types = config["available_node_types"]
    assert any("InstanceMarketOptions" in t["node_config"] for t in types.values())
    starts = [*config["head_start_ray_commands"], *config["worker_start_ray_commands"]]
    assert all("RAY_AUTH_MODE=token" in line for line in starts if "ray start" in line)
    config["available_node_types"]["head"]["min_wrokers"] = 1
    with pytest.raises(Exception, match="min_wrokers"):
        util.validate_config(util.prepare_config(config))


def validate(job: dict[str, Any]) -> None:
    jsonschema = pytest.importorskip("jsonschema")
    jsonschema.Draft7Validator(json.loads(SCHEMA.read_text())).validate(job)


def test_the_rayjob_is_one_and_holds_together() -> None:
    job: dict[str, Any] = yaml.safe_load(RAYJOB.read_text())
    validate(job)
    cluster = job["spec"]["rayClusterSpec"]
    assert cluster["authOptions"] == {"mode": "token"}
    assert "--address auto" in job["spec"]["entrypoint"]  # else the head would train alone
    groups = [cluster["headGroupSpec"], *cluster["workerGroupSpecs"]]
    for group in groups:
        pod = group["template"]["spec"]
        volumes = {volume["name"] for volume in pod["volumes"]}
        for container in pod["containers"]:
            assert {mount["name"] for mount in container["volumeMounts"]} <= volumes
            assert container["resources"]["limits"] == container["resources"]["requests"]
    for group in cluster["workerGroupSpecs"]:
        assert group["minReplicas"] <= group["replicas"] <= group["maxReplicas"]


@pytest.mark.parametrize(
    ("old", "new"),
    [
        ("maxReplicas: 8", "maxReplicas: eight"),
        ("minReplicas: 0\n", "minReplicsa: 0\n"),
        ('num-cpus: "2"', "num-cpus: 2"),
        ("mountPath: /shared", "mountpath: /shared"),
        ("mode: token", "mode: none"),
        ("memory: 256Gi", "memory: 256 GB"),
        ("submissionMode: K8sJobMode", "submissionMode: K8SJobMode"),
    ],
)
def test_a_mistake_in_a_rayjob_is_seen(old: str, new: str) -> None:
    jsonschema = pytest.importorskip("jsonschema")
    text = RAYJOB.read_text()
    assert old in text
    with pytest.raises(jsonschema.ValidationError):
        validate(yaml.safe_load(text.replace(old, new)))


def test_shellcheck_finds_nothing_in_the_slurm_script() -> None:
    subprocess.run(["bash", "-n", str(ROOT / "launch" / "slurm.sh")], check=True)
    beside = Path(sys.executable).with_name("shellcheck")
    tool = str(beside) if beside.exists() else shutil.which("shellcheck")
    if tool is None:
        pytest.skip("shellcheck is not installed: the Slurm script is only parsed")
    subprocess.run([tool, str(ROOT / "launch" / "slurm.sh")], check=True)


# Stand-ins for what only a cluster has: each writes down how it was called; srun and ray then run what they are given.
STAND_INS = {
    "scontrol": 'echo "scontrol $*" >>"$CALLS"; [ "$1" = show ] && printf "node1\\nnode2\\n"; exit 0',
    "srun": 'echo "srun $1" >>"$CALLS"; shift; exec "$@"',
    "ray": 'echo "ray $*" >>"$CALLS"; stat -c %a "$RAY_AUTH_TOKEN_PATH" >>"$CALLS"; while [ "$1" != -- ]; do shift; done; '
    'shift; trap "exit 99" TERM; "$@"',
    "sweep": 'trap "echo saved >>$CALLS; exit 143" TERM; echo "sweep $*" >>"$CALLS"; while :; do sleep 0.05; done',
}


def test_before_the_time_limit_the_sweep_alone_is_told_and_the_job_is_queued_again(tmp_path: Path) -> None:
    calls = tmp_path / "calls"
    tools = tmp_path / "bin"
    tools.mkdir()
    for name, body in STAND_INS.items():
        (tools / name).write_text(f"#!/bin/bash\n{body}\n")
        (tools / name).chmod(0o755)
    environment = os.environ | {
        "PATH": f"{tools}:{os.environ['PATH']}",
        "HOME": str(tmp_path),
        "CALLS": str(calls),
        "SLURM_JOB_ID": "77",
        "SLURM_JOB_NODELIST": "node[1-2]",
        "SLURM_JOB_NUM_NODES": "2",
    }
    (tools / "python").symlink_to(shutil.which("python3") or "python3")
    script = subprocess.Popen(["bash", str(ROOT / "launch" / "slurm.sh"), "a spec.yaml", "/shared/r"], env=environment)
    deadline = time.monotonic() + 30
    while not (calls.exists() and "\nsweep " in calls.read_text()):
        assert time.monotonic() < deadline
        time.sleep(0.05)
    script.send_signal(signal.SIGTERM)
    assert script.wait(30) == 143
    said = calls.read_text().splitlines()
    assert said == [
        "scontrol show hostnames node[1-2]",
        "srun --kill-on-bad-exit=1",
        next(line for line in said if line.startswith("ray symmetric-run --address node1:20077 --min-nodes 2 -- bash")),
        "600",
        "sweep run a spec.yaml --results /shared/r --address node1:20077",
        "saved",
        "scontrol requeue 77",
    ]
    assert list((tmp_path / ".ray").iterdir()) == []
