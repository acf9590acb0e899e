"""Which nodes the cluster has now, which of them are being drained or in doubt, and whether there is a cluster at all.

Ray takes up to half a minute to notice that a node has died; what ran on it is known to be lost at once, and would be
sent to the same node again. So a node that lost something gets no work until its raylet answers a connection.
"""

from __future__ import annotations

import socket
import threading
import time
from collections.abc import Callable, Iterable, Mapping
from dataclasses import dataclass
from typing import Any

import ray
from ray._private.state import state as ray_state

from orchestrator.nodes import Node

POLL_SECONDS = 1.0
GONE_SECONDS = 20.0
ANSWER_SECONDS = 2.0  # for a connection to a raylet


@dataclass(frozen=True, slots=True, kw_only=True)
class Members:
    """Live nodes that may take work, and the names of those being drained.

    raylets   host and port at which each live node's raylet listens
    """

    nodes: tuple[Node, ...]
    draining: frozenset[str]
    raylets: Mapping[str, tuple[str, int]]


class Watch:
    """Asks Ray for its nodes once a second, in a thread of its own, since Ray answers nothing once its head is gone.

    on_gone   called from that thread when no live node has been heard of for `GONE_SECONDS`
    """

    def __init__(self, on_gone: Callable[[], None]) -> None:
        self.on_gone = on_gone
        self.members = members()
        self.doubted: frozenset[str] = frozenset()
        self.changing = threading.Lock()
        self.heard = time.monotonic()
        self.stopped = threading.Event()
        threading.Thread(target=self._ask, name="membership", daemon=True).start()
        threading.Thread(target=self._judge, name="membership-watchdog", daemon=True).start()

    def stop(self) -> None:
        self.stopped.set()

    def nodes(self) -> tuple[Node, ...]:
        """Live nodes that may take work and are not in doubt."""
        return tuple(node for node in self.members.nodes if node.name not in self.doubted)

    def doubt(self, names: Iterable[str]) -> None:
        """Nodes lost something: leave them out until they are seen to live."""
        with self.changing:
            self.doubted |= set(names)

    def _settle(self, doubted: frozenset[str], raylets: Mapping[str, tuple[str, int]]) -> None:
        """Doubt no longer what answers, or what Ray has noticed to be gone."""
        settled = {name for name in doubted if name not in raylets or answers(*raylets[name])}
        with self.changing:
            self.doubted -= settled

    def _ask(self) -> None:
        while not self.stopped.wait(POLL_SECONDS):
            doubted = self.doubted  # as it was before Ray is asked: a later doubt is about a later moment
            try:
                now = members()
            except Exception:  # noqa: S112 – Ray raises what it likes while its head goes down; the watchdog judges
                continue
            if now.nodes or now.draining:
                self.members, self.heard = now, time.monotonic()
                self._settle(doubted, now.raylets)

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
        raylets={node["NodeID"]: (node["NodeManagerAddress"], node["NodeManagerPort"]) for node in alive},
    )


def answers(host: str, port: int) -> bool:
    """Whether something listens there."""
    try:
        socket.create_connection((host, port), timeout=ANSWER_SECONDS).close()
    except OSError:
        return False
    return True


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
