"""The launch files, checked without a cluster."""

import shutil
import subprocess
from pathlib import Path
from typing import Any

import pytest
import yaml

ROOT = Path(__file__).parents[2]


def test_rays_own_schema_takes_the_cluster_file() -> None:
    util = pytest.importorskip("ray.autoscaler._private.util")
    config = yaml.safe_load((ROOT / "cluster.yaml").read_text())
    util.validate_config(util.prepare_config(config))
    types = config["available_node_types"]
    assert any("InstanceMarketOptions" in t["node_config"] for t in types.values())
    starts = [*config["head_start_ray_commands"], *config["worker_start_ray_commands"]]
    assert all("RAY_AUTH_MODE=token" in line for line in starts if "ray start" in line)


def test_the_rayjob_has_what_kuberay_asks_for() -> None:
    job: dict[str, Any] = yaml.safe_load((ROOT / "launch" / "rayjob.yaml").read_text())
    assert (job["apiVersion"], job["kind"]) == ("ray.io/v1", "RayJob")
    cluster = job["spec"]["rayClusterSpec"]
    assert cluster["authOptions"] == {"mode": "token"}
    groups = [cluster["headGroupSpec"], *cluster["workerGroupSpecs"]]
    for group in groups:
        pod = group["template"]["spec"]
        volumes = {volume["name"] for volume in pod["volumes"]}
        for container in pod["containers"]:
            assert {mount["name"] for mount in container["volumeMounts"]} <= volumes
            assert container["resources"]["limits"] == container["resources"]["requests"]
    for group in cluster["workerGroupSpecs"]:
        assert group["minReplicas"] <= group["replicas"] <= group["maxReplicas"]


def test_the_slurm_script_parses() -> None:
    subprocess.run(["bash", "-n", str(ROOT / "launch" / "slurm.sh")], check=True)


def test_shellcheck_finds_nothing_in_the_slurm_script() -> None:
    if shutil.which("shellcheck") is None:
        pytest.skip("shellcheck is not installed: the Slurm script is only parsed")
    subprocess.run(["shellcheck", str(ROOT / "launch" / "slurm.sh")], check=True)
