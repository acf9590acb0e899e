"""An analyst's SQL over the record, in a box: one SELECT that reaches only the views, bounded in time and memory.

The box is a process of its own. DuckDB keeps files, network, extensions and settings out (sweeps/boxed.py), but a
single expression such as a string of gigabytes heeds neither its memory limit nor an interrupt; the kernel does.
"""

from __future__ import annotations

import json
import subprocess
import sys

import pyarrow as pa

from sweeps.record import RecordError
from sweeps.safe_yaml import SpecError
from sweeps.store import Store

SECONDS = 300.0
MEMORY_MB = 4000


def answer(
    store: Store, sql: str, *, seconds: float = SECONDS, memory_mb: int = MEMORY_MB, allow_partial: bool = False
) -> pa.Table:
    """The answer to one SELECT. Raises SpecError for anything else, for what the box refuses and past its
    limits, RecordError where the record is damaged; with `allow_partial` the damaged files are left out instead,
    and named on standard error."""
    request = json.dumps({"uri": store.uri, "sql": sql, "memory_mb": memory_mb, "allow_partial": allow_partial})
    # -P: a module in the folder the user happens to stand in must not be taken for one of ours
    command = [sys.executable, "-P", "-m", "sweeps.boxed"]
    try:
        done = subprocess.run(command, input=request.encode(), capture_output=True, timeout=seconds, check=False)  # noqa: S603
    except subprocess.TimeoutExpired:
        raise SpecError(f"the query took longer than {seconds:g} s and was stopped; narrow it down") from None
    if done.returncode == 0:
        sys.stderr.write(done.stderr.decode(errors="replace") if allow_partial else "")
        with pa.ipc.open_stream(done.stdout) as stream:
            return stream.read_all()
    said = done.stderr.decode(errors="replace").strip()
    if done.returncode in (2, 4):
        raise (SpecError if done.returncode == 2 else RecordError)(said)
    if done.returncode < 0 or b"MemoryError" in done.stderr or b"bad_alloc" in done.stderr:
        raise SpecError(f"the query needs more than {memory_mb} MB of memory; narrow it down")
    raise RuntimeError(said)
