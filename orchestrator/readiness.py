"""Whether a node can take part: it sees the record's storage as the driver does, and runs the same code.

Asked of every node before it gets a trial, by a task on that node: it reads a file that the driver has just
published, and publishes one that the driver then reads.
"""

from __future__ import annotations

import platform
import secrets
import time
from collections.abc import Sequence
from importlib.metadata import PackageNotFoundError, version
from typing import Any

import ray
from ray.exceptions import RayError, RayTaskError
from ray.util.scheduling_strategies import NodeAffinitySchedulingStrategy

from orchestrator.failures import ClusterError
from orchestrator.nodes import Node
from sweeps.safe_yaml import SpecError
from sweeps.store import Store, StoreError, open_store

ANSWER_SECONDS = 60.0
# What must be the same everywhere: other versions give other numbers, or cannot speak with each other.
SAME = ("interplay", "torch", "deepspeed")


class Readiness:
    """Nodes that have been asked and answered well. The file it publishes goes at `close`."""

    def __init__(self, store: Store) -> None:
        self.store, self.token = store, secrets.token_hex(8)
        self.mine = f"drivers/storage-{self.token}.json"
        store.publish(self.mine, self.token.encode())
        self.versions = versions()
        self.asked: dict[str, tuple[Any, float]] = {}
        self.ready: set[str] = set()
        self.unfit: dict[str, str] = {}
        self.lost: set[str] = set()

    def ask(self, name: str, since: float) -> None:
        where = NodeAffinitySchedulingStrategy(name, soft=False)
        self.asked[name] = LOOK.options(scheduling_strategy=where).remote(self.store.uri, self.token, name), since

    def update(self, nodes: Sequence[Node]) -> list[Node]:
        """Those of the nodes that are ready now; ones not seen before are asked, without waiting for the answer."""
        for node in nodes:
            if node.name not in self.asked and node.name not in self.unfit:
                self.ask(node.name, time.monotonic())
        for name, (looking, since) in list(self.asked.items()):
            if name in self.ready or name in self.unfit:
                continue
            if ray.wait([looking], timeout=0)[0]:
                self.judge(name, looking, since)
            elif time.monotonic() - since > ANSWER_SECONDS:
                self.unfit[name] = f"gave no answer in {ANSWER_SECONDS:.0f} seconds"
        return [node for node in nodes if node.name in self.ready]

    def judge(self, name: str, looking: Any, since: float) -> None:
        """Note what a node answered. One whose process or machine died over the question is asked again."""
        try:
            there: dict[str, str] = ray.get(looking)
        except Exception as error:  # whatever its import or its storage raises
            if isinstance(error, RayError) and not isinstance(error, RayTaskError):
                if time.monotonic() - since <= ANSWER_SECONDS:
                    self.ask(name, since)
                    return
                self.lost.add(name)
            cause = getattr(error, "cause", None) or error
            self.unfit[name] = " ".join(f"{type(cause).__name__}: {cause}".split())[:300]
            return
        answer = f"drivers/storage-{self.token}-{name}.json"
        other = [f"{what} {there[what]} and not {mine}" for what, mine in self.versions.items() if there[what] != mine]
        if other:
            self.unfit[name] = f"has {', '.join(other)}"
        elif not self.store.exists(answer):
            self.unfit[name] = f"published {answer}, and it is not here: what it writes does not arrive"
        else:
            self.ready.add(name)
        self.store.delete(answer)

    def require(self, nodes: Sequence[Node]) -> None:
        """Wait for the nodes' answers. Raises SpecError naming every node that cannot take part, and why; ClusterError
        where all of those died over the question, which is nobody's fault and may be tried again."""
        deadline = time.monotonic() + ANSWER_SECONDS + 1
        while len(self.update(nodes)) + len(self.unfit) < len(nodes) and time.monotonic() < deadline:
            time.sleep(0.05)
        if self.unfit:
            found = "; ".join(f"node {name[:12]}: {why}" for name, why in sorted(self.unfit.items()))
            if self.lost == self.unfit.keys():
                raise ClusterError(f"{len(self.lost)} of {len(nodes)} nodes were lost before anything started: {found}")
            raise SpecError(
                f"{len(self.unfit)} of {len(nodes)} nodes cannot take part with results in {self.store.uri}: {found}. "
                f"All nodes must see the same storage under that name (a mounted shared folder, or s3://…) and have "
                f"the same versions of {', '.join(SAME)} (docs/cluster.md)"
            )

    def close(self) -> None:
        try:
            self.store.delete(self.mine)
        except StoreError:
            return  # a sign of life that is left over; readers of the record never look at it


def look(results: str, token: str, node: str) -> dict[str, str]:
    """On a node: read the driver's file, answer with one of its own; the versions there. Raises what is wrong."""
    store = open_store(results)
    try:
        found = store.read(f"drivers/storage-{token}.json")
    except FileNotFoundError as error:
        raise FileNotFoundError(f"{store.uri} there is not what it is for the driver: its file is missing") from error
    if found != token.encode():
        raise ValueError(f"{store.uri} there is not what it is for the driver: its file has other bytes")
    store.publish(f"drivers/storage-{token}-{node}.json", token.encode())
    return versions()


LOOK = ray.remote(num_cpus=0, max_retries=0)(look)


def versions() -> dict[str, str]:
    """Python's minor version, and those of what must be the same everywhere; "none" for what is not installed."""
    found = {"python": ".".join(platform.python_version_tuple()[:2])}
    for name in SAME:
        try:
            found[name] = version(name)
        except PackageNotFoundError:
            found[name] = "none"
    return found
