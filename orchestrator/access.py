"""Who may talk to the Ray cluster of a run: whoever has its token. An open one is joined on its own machine alone.

Whoever reaches a Ray cluster can run any code on it, so a cluster without a token belongs to everybody on the
network. One that we start has a token of its own that lives in the environment of its processes and ends with it.
"""

from __future__ import annotations

import ipaddress
import os
import secrets
import socket
import subprocess
import sys
from collections.abc import Callable, MutableMapping
from pathlib import Path

from sweeps.safe_yaml import SpecError

MODE, TOKEN, TOKEN_PATH = "RAY_AUTH_MODE", "RAY_AUTH_TOKEN", "RAY_AUTH_TOKEN_PATH"


# Asks a cluster's head for its keys without a token, in a process of its own: Ray reads how it authenticates once.
ASK = """
import sys
from ray._private.services import canonicalize_bootstrap_address
from ray._raylet import GcsClient
GcsClient(address=canonicalize_bootstrap_address(sys.argv[1])).internal_kv_keys(b"", None, timeout=5)
"""
ASK_SECONDS = 8.0


def open_to_all(address: str) -> bool:
    """Whether a cluster answers to whoever asks, without a token."""
    host, _, port = address.rpartition(":")
    if port.isdigit():
        try:
            socket.create_connection((host, int(port)), timeout=1).close()
        except OSError:
            return False  # that nothing answers is told elsewhere (orchestrator/address.py)
    environment = {key: value for key, value in os.environ.items() if key not in (TOKEN, TOKEN_PATH)}
    command = [sys.executable, "-c", ASK, address]
    try:
        done = subprocess.run(  # noqa: S603
            command, env=environment | {MODE: "disabled"}, capture_output=True, timeout=ASK_SECONDS, check=False
        )
    except subprocess.TimeoutExpired:
        return False
    return done.returncode == 0


def guard(
    address: str | None, environment: MutableMapping[str, str], is_open: Callable[[str], bool] = open_to_all
) -> None:
    """Set the environment so that Ray asks for a token. Call it before Ray is imported.

    Raises SpecError for a cluster of ours without a token, and for one elsewhere that is joined without one.
    """
    disabled = environment.get(MODE, "").lower() == "disabled"
    if address is None:
        if disabled:
            raise SpecError(
                f"{MODE}=disabled would let everybody who reaches this machine run code in the sweep; unset it, "
                f"and a token is made for this run alone"
            )
        environment[MODE] = "token"
        if not environment.get(TOKEN) and not environment.get(TOKEN_PATH):
            environment[TOKEN] = secrets.token_hex(32)
        return
    known = environment.get(TOKEN) or environment.get(TOKEN_PATH) or (Path.home() / ".ray" / "auth_token").exists()
    if here(address) and not disabled and is_open(address):
        environment[MODE] = "disabled"  # with a token of ours we would not answer to a head that sends none
    elif known and not disabled:
        environment[MODE] = "token"
    elif not here(address):
        raise SpecError(
            f"cluster.address: {address} would be joined without a token: whoever reaches such a cluster can run code "
            f"on it. Start it with {MODE}=token (docs/cluster.md), copy its token to ~/.ray/auth_token (mode 0600), "
            f"and unset {MODE}=disabled"
        )


def here(address: str) -> bool:
    """Whether an address is of this machine: `auto`, a loopback, or one of its own."""
    if address in ("auto", "local"):
        return True
    host = address.split("://", 1)[-1].rsplit(":", 1)[0].strip("[]")
    try:
        resolved = socket.gethostbyname(host)
    except OSError:
        return False
    if ipaddress.ip_address(resolved).is_loopback:
        return True
    with socket.socket(socket.AF_INET, socket.SOCK_DGRAM) as probe:
        try:
            probe.bind((resolved, 0))
        except OSError:
            return False
    return True
