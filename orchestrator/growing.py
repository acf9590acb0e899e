"""A cluster that grows: what it can become, and what its autoscaler is asked for while trials wait.

Trials are pinned to nodes that are there, so Ray by itself would never see that more are wanted.
"""

from __future__ import annotations

import math
from collections.abc import Iterable, Sequence

from orchestrator.devices import Devices
from orchestrator.dispatch import Dispatcher
from orchestrator.forecast import nodes_of, stated
from orchestrator.nodes import Job, Node
from sweeps.safe_yaml import SpecError
from sweeps.spec import Spec


class Growth:
    """The nodes that may come, from what the spec states (`cluster: {nodes, gpus, device, autoscale: true}`)."""

    def __init__(self, spec: Spec, devices: Devices) -> None:
        cluster = stated(spec.cluster, None)
        if cluster is None or spec.cluster.device is None:
            raise SpecError(
                f"{spec.name}: cluster.autoscale needs to know what the cluster can become; say cluster: "
                f"{{nodes: 12, gpus: 8, device: h100, autoscale: true}}"
            )
        self.kind = devices.named(cluster.device)
        self.most = nodes_of(cluster, self.kind.gpu, spec.cluster.cpus_per_worker)
        self.each = cluster.gpus
        self.asked = 0

    def expected(self, there: Sequence[Node]) -> list[Node]:
        """What to plan for: the nodes there, and as many of the stated kind as may still come."""
        same = sum(node.gpus > 0 and node.device == self.kind.gpu for node in there)
        return [*there, *self.most[min(same, len(self.most)) :]]

    def wanted(self, dispatcher: Dispatcher) -> int:
        """Nodes for all that runs or could start, as many as may come at most."""
        jobs: list[Job] = [*(order.placement.job for order in dispatcher.orders.values()), *dispatcher.queue]
        return min(len(self.most), math.ceil(sum(job.devices for job in jobs) / self.each))

    def ask(self, dispatcher: Dispatcher) -> None:
        """Tell the autoscaler how many nodes are wanted, where that has changed."""
        if (wanted := self.wanted(dispatcher)) != self.asked:
            self.asked = wanted
            request(self.bundle for _ in range(wanted))

    @property
    def bundle(self) -> dict[str, float]:
        """A whole node, as the autoscaler counts."""
        if self.kind.gpu is None:
            return {"CPU": float(self.each)}
        return {"GPU": float(self.each), f"accelerator_type:{self.kind.gpu}": 0.001}

    def close(self) -> None:
        """Want nothing more: nodes that stay idle go."""
        if self.asked:
            request(())


def request(bundles: Iterable[dict[str, float]]) -> None:
    from ray.autoscaler.sdk import request_resources

    request_resources(bundles=list(bundles))
