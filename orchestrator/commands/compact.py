"""sweep compact: finished trials in one sorted file."""

from __future__ import annotations

from orchestrator.commands.options import Results


def command(results: Results = "results") -> int:
    """Merge finished trials into one sorted file, so that queries are many times quicker; `sweep gc` then frees room.

    Safe beside a running sweep, and safe to kill.
    """
    from orchestrator.compaction import compact
    from sweeps.store import open_store

    store = open_store(results)
    name, trials = compact(store)
    if name is None:
        print(f"nothing to compact: every finished trial in {store.uri} is compacted already")
    else:
        print(f"{trials} finished trials are now read from {name}; `sweep gc` removes their parts")
    return 0
