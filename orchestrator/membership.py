"""Which nodes the cluster has now, which of them are being drained, and whether there is a cluster at all."""

from __future__ import annotations

import threading
import time
from collections.abc import Callable
from dataclasses import dataclass
from typing import Any

import ray
from ray._private.state import state as ray_state

from orchestrator.nodes import Node

POLL_SECONDS = 1.0
GONE_SECONDS = 20.0


@dataclass(frozen=True, slots=True, kw_only=True)
class Members:
    """Live nodes that may take work, and the names of those being drained."""

    nodes: tuple[Node, ...]
    draining: frozenset[str]


class Watch:
    """Asks Ray for its nodes once a second, in a thread of its own, since Ray answers nothing once its head is gone.

    on_gone   called from that thread when no live node has been heard of for `GONE_SECONDS`
    """

    def __init__(self, on_gone: Callable[[], None]) -> None:
        self.on_gone = on_gone
        self.members = members()
        self.heard = time.monotonic()
        self.stopped = threading.Event()
        threading.Thread(target=self._ask, name="membership", daemon=True).start()
        threading.Thread(target=self._judge, name="membership-watchdog", daemon=True).start()

    def stop(self) -> None:
        self.stopped.set()

    def _ask(self) -> None:
        while not self.stopped.wait(POLL_SECONDS):
            try:
                now = members()
            except Exception:  # noqa: S112 – Ray raises what it likes while its head goes down; the watchdog judges
                continue
            if now.nodes or now.draining:
                self.members, self.heard = now, time.monotonic()

    def _judge(self) -> None:
        while not self.stopped.wait(POLL_SECONDS):
            if time.monotonic() - self.heard > GONE_SECONDS:
                self.on_gone()
                return


def members() -> Members:
    """The connected cluster's nodes now."""
    draining = frozenset(ray_state.get_draining_nodes())
    alive = [node for node in ray.nodes() if node["Alive"]]
    return Members(
        nodes=tuple(described(node) for node in alive if node["NodeID"] not in draining),
        draining=draining,
    )


def described(node: dict[str, Any]) -> Node:
    """A node as packing sees it, from Ray's own description."""
    resources = node["Resources"]
    kinds = (name.split(":", 1)[1] for name in resources if name.startswith("accelerator_type:"))
    return Node(
        name=node["NodeID"],
        cpus=resources.get("CPU", 0.0),
        gpus=int(resources.get("GPU", 0)),
        device=next(kinds, None),
        memory=resources.get("memory"),
    )
