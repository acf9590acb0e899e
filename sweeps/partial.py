"""A record without its damaged files, for who says that a partial answer will do (--allow-partial)."""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Callable
from pathlib import Path
from typing import Any, final

from sweeps.store import Store


def without_damaged(store: Store, say: Callable[[str], None]) -> Store:
    """The store, its damaged Parquet files hidden and each named through `say`; itself where it has none."""
    from sweeps.intact import damaged

    hidden: dict[str, set[str]] = defaultdict(set)
    for file, what in damaged(store):
        say(f"left out: {store.uri}/{file} {what}")
        folder, name = file.split("/", 1)
        hidden[folder].add(name)
    return Partial(store, hidden) if hidden else store


@final
class Partial(Store):
    """A store that does not list some of its files, and writes nothing."""

    def __init__(self, whole: Store, hidden: dict[str, set[str]]) -> None:
        self.whole, self.hidden, self.uri = whole, hidden, whole.uri

    def names(self, folder: str) -> list[str]:
        return [name for name in self.whole.names(folder) if name not in self.hidden.get(folder, ())]

    def read(self, name: str) -> bytes:
        return self.whole.read(name)

    def exists(self, name: str) -> bool:
        return self.whole.exists(name)

    def local(self, name: str, cache: Path) -> Path:
        return self.whole.local(name, cache)

    def arrow(self) -> tuple[Any, str]:
        return self.whole.arrow()

    def publish(self, name: str, data: bytes) -> None:
        raise self.refusal()

    def publish_file(self, name: str, path: Path) -> None:
        raise self.refusal()

    def replace(self, name: str, data: bytes) -> None:
        raise self.refusal()

    def delete(self, name: str) -> None:
        raise self.refusal()

    def refusal(self) -> TypeError:
        return TypeError(f"{self.uri} was opened without its damaged files, for reading alone")
