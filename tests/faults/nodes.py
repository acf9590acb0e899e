"""A Ray cluster of two nodes beside an empty head on this machine, told what to do on standard input.

Prints the address, then does a line at a time: `remove` (without grace) or `drain SECONDS` (a notice), each of the
second node, then a new node joins; ends with its input.
"""

import sys
import time

import ray
from ray._raylet import GcsClient
from ray.cluster_utils import Cluster
from ray.core.generated import autoscaler_pb2


def main() -> None:
    cluster = Cluster(initialize_head=True, head_node_args={"num_cpus": 0, "include_dashboard": False})
    cluster.add_node(num_cpus=1)
    victim = cluster.add_node(num_cpus=1)
    cluster.wait_for_nodes()
    print(cluster.address, flush=True)
    for line in sys.stdin:
        match line.split():
            case ["remove"]:
                cluster.remove_node(victim, allow_graceful=False)
            case ["drain", seconds]:
                client = GcsClient(address=cluster.address)
                deadline = int((time.time() + float(seconds)) * 1000)
                reason = autoscaler_pb2.DrainNodeReason.Value("DRAIN_NODE_REASON_PREEMPTION")
                client.drain_node(victim.node_id, reason, "preemption", deadline)
                time.sleep(float(seconds))
                cluster.remove_node(victim, allow_graceful=False)
        victim = cluster.add_node(num_cpus=1)
        print("done", flush=True)
    cluster.shutdown()
    ray.shutdown()


if __name__ == "__main__":
    main()
