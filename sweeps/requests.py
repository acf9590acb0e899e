"""What people ask of a sweep, as facts in its record: that a driver stop, and that a trial be given another go.

stops/<driver>.json              read by that driver every few seconds; drivers' names are never used again
pardons/<trial>-a<attempt>.json  how this attempt ended no longer counts

Immutable, made by exclusive creation; nothing of what happened is deleted or changed by them.
"""

from __future__ import annotations

import getpass
import json
import re
import socket
from datetime import UTC, datetime
from typing import Any

from sweeps.store import AlreadyPublished, Store

PARDON_FILE = re.compile(r"(?P<trial>[0-9a-f]{16})-a(?P<attempt>\d{4,})\.json")


def ask_to_stop(store: Store, driver: str) -> dict[str, Any]:
    """Ask a driver to stop; the request that stands: this one, or an earlier one's facts."""
    request = who()
    try:
        store.publish(stop_name(driver), json.dumps(request).encode())
    except AlreadyPublished:
        return asked_to_stop(store, driver) or request
    return request


def asked_to_stop(store: Store, driver: str) -> dict[str, Any] | None:
    """Who asked this driver to stop, and when; None where nobody has."""
    try:
        request: dict[str, Any] = json.loads(store.read(stop_name(driver)))
    except FileNotFoundError:
        return None
    return request


def pardon(store: Store, trial_id: str, attempt: int) -> bool:
    """Let the end of an attempt no longer count; whether it did until now."""
    try:
        store.publish(f"pardons/{trial_id}-a{attempt:04d}.json", json.dumps(who()).encode())
    except AlreadyPublished:
        return False
    return True


def pardons(store: Store) -> list[tuple[str, int]]:
    """(trial, attempt) of every end that no longer counts."""
    matches = (PARDON_FILE.fullmatch(name) for name in store.names("pardons"))
    return [(match["trial"], int(match["attempt"])) for match in matches if match]


def stop_name(driver: str) -> str:
    return f"stops/{driver}.json"


def who() -> dict[str, Any]:
    """Who asks, for whoever wonders later."""
    try:
        user = getpass.getuser()
    except (KeyError, OSError):  # a container's user without a name
        user = "somebody"
    return {"user": user, "host": socket.gethostname(), "at": datetime.now(UTC).isoformat(timespec="seconds")}
