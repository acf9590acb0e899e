"""Whether a Ray cluster answers at an address, asked before anything is started and with little patience.

Ray itself waits 40 seconds and more for a cluster that is not there.
"""

from __future__ import annotations

import os
import socket
import threading

from sweeps.safe_yaml import SpecError

CONNECT_SECONDS = 3.0
ANSWER_SECONDS = 5.0


def answering(address: str) -> str:
    """The address as `host:port`. Raises SpecError, within ten seconds, where nothing or something else answers."""
    if address.startswith("ray://"):
        raise SpecError(
            f"cluster.address is {address}, Ray's client protocol; start `sweep run` on a machine of the cluster, and "
            f"give the head's own address, such as {address.removeprefix('ray://').split(':')[0]}:6379, or auto"
        )
    found = resolved(address)
    host, _, port = found.rpartition(":")
    if not host or not port.isdigit():
        raise SpecError(f"cluster.address is {address!r}; it is host:port of a Ray head, or auto")
    try:
        socket.create_connection((host, int(port)), timeout=CONNECT_SECONDS).close()
    except OSError as error:
        raise SpecError(
            f"no Ray cluster answers at {found}: {error}; start one (docs/cluster.md), or leave --address and "
            f"cluster.address out to train on this machine"
        ) from error
    ask(found)
    return found


def resolved(address: str) -> str:
    """`auto` as the cluster that this machine belongs to. Raises SpecError where it belongs to none."""
    if address != "auto":
        return address
    from ray._private.services import canonicalize_bootstrap_address

    found: str | None = canonicalize_bootstrap_address("auto")
    if found is None:
        raise SpecError(
            "cluster.address is auto, and this machine is not part of a Ray cluster (no RAY_ADDRESS, and no "
            "`ray start` here); start one, or give its head as host:port"
        )
    return found


def ask(address: str) -> None:
    """Raise SpecError unless a Ray head says its name there in time."""
    from ray._raylet import GcsClient  # type: ignore[attr-defined]

    answers: list[Exception | None] = []

    def call() -> None:
        try:
            GcsClient(address=address).internal_kv_keys(b"", None, timeout=ANSWER_SECONDS)
        except Exception as error:
            answers.append(error)
        else:
            answers.append(None)

    asking = threading.Thread(target=call, name="address", daemon=True)
    asking.start()
    asking.join(ANSWER_SECONDS)
    if answers == [None]:
        return
    token = "" if os.environ.get("RAY_AUTH_MODE") == "token" else "; if it wants a token, set RAY_AUTH_MODE=token"
    said = " ".join(str(answers[0]).split()) if answers else f"nothing in {ANSWER_SECONDS:.0f} seconds"
    raise SpecError(f"what listens at {address} does not answer as a Ray head: {said[:300]}{token}")
