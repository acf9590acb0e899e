"""Ray clusters of several nodes on this machine, for tests: GPUs are pretended, and what trains there are its cores."""

import os
import subprocess
import sys
import time
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

import ray
from ray.cluster_utils import Cluster

# A kind of device that takes so little memory and is so slow that tiny networks need fractions, one, or many.
MEMORY_GIB = 1.505  # what a process has before it trains is 0.68, so that two small networks share one
DEVICES = """\
dated: 2026-01-01
currency: USD
devices:
  pretended: {gpu: PRETENDED, memory_gib: MEMORY, bf16_tflops: 0.02, fp32_tflops: 0.0003, price_hour: 1, achieved: 0.5,
              half_width: 8, block_us: 100, link_gbs: 10, network_gbs: 5, source: none, train_on: cpu}
""".replace("MEMORY", str(MEMORY_GIB))


def pretending(gpus: int, **more: object) -> dict[str, object]:
    """Arguments of a node that says it has so many GPUs."""
    return {"num_cpus": 4 * gpus, "num_gpus": gpus, "resources": {"accelerator_type:PRETENDED": 1}} | more


@contextmanager
def cluster(*nodes: dict[str, object]) -> Iterator[Cluster]:
    """A head and further nodes. Nothing is connected to it; what tests start inside goes with it."""
    memory: dict[str, object] = {"object_store_memory": 100 << 20}
    made = Cluster()
    try:
        for node in nodes:
            made.add_node(**memory | node)
        yield made
    finally:
        made.shutdown()


@contextmanager
def node_with_an_own_folder(made: Cluster, folder: Path) -> Iterator[None]:
    """A further node for which a folder is another, empty file system, as on another machine."""
    script = f"mount -t tmpfs none {folder} && exec ray start --address={made.address} --num-cpus=1 --block"
    path = f"{Path(sys.executable).parent}:{os.environ['PATH']}"
    quiet = subprocess.DEVNULL
    node = subprocess.Popen(
        ["unshare", "-m", "sh", "-c", script], env=os.environ | {"PATH": path}, stdout=quiet, stderr=quiet
    )
    try:
        wait_for(made, len(made.list_all_nodes()) + 1)
        yield
    finally:
        node.terminate()
        node.wait(30)


def wait_for(made: Cluster, nodes: int, seconds: float = 90) -> None:
    """Wait until so many nodes are alive."""
    ray.init(address=made.address, log_to_driver=False, logging_level="ERROR")
    try:
        deadline = time.monotonic() + seconds
        while sum(node["Alive"] for node in ray.nodes()) < nodes:
            assert time.monotonic() < deadline, "the node did not come"
            time.sleep(0.2)
    finally:
        ray.shutdown()
