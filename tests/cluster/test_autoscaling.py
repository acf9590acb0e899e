"""A cluster that begins without a GPU and grows because trials wait: Ray's own autoscaler, with pretended machines."""

import json
import os
import shutil
import socket
import subprocess
import sys
import tempfile
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

import psutil
import pytest
import ray

from sweeps.store import open_store
from sweeps.views import connect
from tests.cluster.clusters import DEVICES
from tests.e2e.sweeping import sweep, until

PORT = 6379  # where the nodes that Ray's pretended provider starts look for their head


def taken() -> bool:
    with socket.socket() as probe:
        return probe.connect_ex((ray.util.get_node_ip_address(), PORT)) == 0


pytestmark = [pytest.mark.long, pytest.mark.skipif(taken(), reason=f"another Ray's head has port {PORT}")]

SPEC = """\
name: growing
model: {family: gpt, tokenizer: bytes, heads: 2, context: 32}
grid: {depths: [1], widths: [8, 16], seeds: [0, 1]}
data: {corpus: python-stdlib}
training: {tokens: 25600, batch_tokens: 256, learning_rate: 1e-2, zero: 1}
evaluation: {tokens: 1024, points: 1}
cluster: {nodes: 2, gpus: 1, device: pretended, autoscale: true, workers: 1, sharing: false, devices: DEVICES}
"""


@contextmanager
def growing(folder: Path) -> Iterator[str]:
    """A head of one CPU, whose autoscaler may start two nodes with a pretended GPU each; its address."""
    config = {
        "cluster_name": "growing",
        "max_workers": 2,
        "idle_timeout_minutes": 1,
        "provider": {
            "type": "fake_multinode",
            "use_node_id_as_ip": True,  # all nodes have the same address
            "disable_node_updaters": True,  # there is nothing to log in to
            "disable_launch_config_check": True,
        },
        "available_node_types": {
            "ray.head.default": {"resources": {"CPU": 1}, "node_config": {}, "max_workers": 0},
            "gpu": {
                "resources": {"CPU": 2, "GPU": 1, "accelerator_type:PRETENDED": 1},
                "node_config": {},
                "min_workers": 0,
                "max_workers": 2,
            },
        },
        "head_node_type": "ray.head.default",
        "upscaling_speed": 1.0,
        "auth": {"ssh_user": "nobody"},
        "docker": {},
        "file_mounts": {},
        "file_mounts_sync_continuously": False,
    }
    lists = ("cluster_synced_files", "rsync_exclude", "rsync_filter", "initialization_commands", "setup_commands")
    more = ("head_setup_commands", "worker_setup_commands", "head_start_ray_commands", "worker_start_ray_commands")
    config |= {name: [] for name in (*lists, *more)}
    path = folder / "autoscaling.json"
    path.write_text(json.dumps(config))
    words = f"--head --port={PORT} --num-cpus=1 --include-dashboard=false --autoscaling-config={path} --block"
    fake = {"AUTOSCALER_UPDATE_INTERVAL_S": "1", "RAY_FAKE_CLUSTER": "1", "RAY_AUTH_MODE": "disabled"}
    tools = f"{Path(sys.executable).parent}:{os.environ['PATH']}"
    place = tempfile.mkdtemp(prefix="iray-")  # short, for sockets; and no other Ray of this machine is forgotten
    fake |= {"RAY_TMPDIR": place}
    with (folder / "ray.log").open("w") as log:
        head = subprocess.Popen(
            ["ray", "start", *words.split()],
            env=os.environ | fake | {"PATH": tools},
            stdout=log,
            stderr=log,
        )
    try:
        until(lambda: "Ray runtime started" in (folder / "ray.log").read_text(), seconds=90)
        yield f"{ray.util.get_node_ip_address()}:{PORT}"
    finally:
        below = psutil.Process(head.pid).children(recursive=True)
        head.terminate()
        head.wait(60)
        for process in psutil.wait_procs(below, timeout=20)[1]:
            process.kill()
        shutil.rmtree(place, ignore_errors=True)


def test_nodes_come_because_trials_wait(tmp_path: Path) -> None:
    (tmp_path / "devices.yaml").write_text(DEVICES)
    path = tmp_path / "spec.yaml"
    path.write_text(SPEC.replace("DEVICES", str(tmp_path / "devices.yaml")))
    with growing(tmp_path) as address:
        done = sweep("run", str(path), "--results", str(tmp_path / "r"), "--address", address, timeout=600)
    assert done.returncode == 0, done.stderr
    with connect(open_store(tmp_path / "r")) as connection:
        rows = connection.execute("select ended, kind, nodes from attempts").fetchall()
    assert {(ended, kind) for ended, kind, _ in rows} == {("completed", "pretended")}
    assert len(rows) == 4
    assert len({node for _, _, nodes in rows for node in nodes}) == 2
