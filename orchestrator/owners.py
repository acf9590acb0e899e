"""Who owns an unfinished attempt: every driver gives a sign of life, and the next one tells the living from the dead.

A driver is dead if it ran on this machine and its process is gone, or if its sign of life stays the same for a
lease. Clocks of different machines are never compared: only whether the sign changes while someone watches.
"""

from __future__ import annotations

import json
import os
import secrets
import socket
import threading
import time
from collections.abc import Iterable
from pathlib import Path
from types import TracebackType
from typing import Any

from sweeps.requests import asked_to_stop
from sweeps.store import Store, StoreError

BEAT_SECONDS = 3.0
LEASE_SECONDS = 15.0


class Heart:
    """This driver's sign of life, renewed by a thread for as long as the block lasts and removed at its end.

    asked   who asked this driver to stop (sweeps.requests); None while nobody has
    """

    def __init__(self, store: Store, sweep: str) -> None:
        self.store, self.sweep = store, sweep
        self.asked: dict[str, Any] | None = None
        self.told = False  # whether a person has heard of it
        self.driver = f"{socket.gethostname()}-{os.getpid()}-{secrets.token_hex(4)}"
        self.stopped = threading.Event()
        self.thread = threading.Thread(target=self._beat, name="heart", daemon=True)

    def __enter__(self) -> Heart:
        self._renew(0)
        self.thread.start()
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        self.stopped.set()
        self.thread.join()
        try:
            self.store.delete(f"drivers/{self.driver}.json")
        except StoreError:
            return  # it will be found dead instead

    def _beat(self) -> None:
        number = 0
        while not self.stopped.wait(BEAT_SECONDS):
            number += 1
            try:
                self._renew(number)
                self.asked = self.asked or asked_to_stop(self.store, self.driver)
            except StoreError:
                continue  # what matters to the record fails loudly elsewhere

    def _renew(self, number: int) -> None:
        sign = {"beat": number, "host": socket.gethostname(), "pid": os.getpid(), "started": started(os.getpid())}
        sign["sweep"] = self.sweep
        self.store.replace(f"drivers/{self.driver}.json", json.dumps(sign).encode())


def living(store: Store, drivers: Iterable[str]) -> set[str]:
    """Those of the drivers that are alive. Takes a lease's time if the question cannot be settled at once."""
    doubtful: dict[str, bytes] = {}
    for driver in set(drivers):
        sign = read(store, driver)
        if sign is not None and not died_here(sign):
            doubtful[driver] = sign
    alive: set[str] = set()
    deadline = time.monotonic() + LEASE_SECONDS
    while doubtful.keys() - alive and time.monotonic() < deadline:
        time.sleep(BEAT_SECONDS / 3)
        alive |= {driver for driver, sign in doubtful.items() if read(store, driver) not in (None, sign)}
    return alive


def signs(store: Store) -> dict[str, dict[str, Any]]:
    """The last sign of life of every driver that has not taken it back."""
    found: dict[str, dict[str, Any]] = {}
    for name in store.names("drivers"):
        driver = name.removesuffix(".json")
        if (sign := read(store, driver)) is not None:
            try:
                found[driver] = json.loads(sign)
            except ValueError:
                continue
    return found


def read(store: Store, driver: str) -> bytes | None:
    try:
        return store.read(f"drivers/{driver}.json")
    except FileNotFoundError:
        return None


def died_here(sign: bytes) -> bool:
    """Whether the sign is of a process of this machine that is no more."""
    try:
        facts = json.loads(sign)
    except ValueError:
        return False
    return bool(facts["host"] == socket.gethostname() and started(facts["pid"]) != facts["started"])


def started(pid: int) -> str | None:
    """When a process of this machine started, in the kernel's own count, so that a number used again is told apart."""
    try:
        return Path(f"/proc/{pid}/stat").read_text().rsplit(")", 1)[1].split()[19]
    except (OSError, IndexError):
        return None
