"""An analyst's SQL over the record, in a box: one SELECT that reaches only the views, bounded in time and memory.

The box is a process of its own. DuckDB keeps files, network, extensions and settings out (sweeps/boxed.py), but a
single expression such as a string of gigabytes heeds neither its memory limit nor an interrupt; the kernel does.
"""

from __future__ import annotations

import json
import subprocess
import sys
from typing import TYPE_CHECKING

from sweeps.safe_yaml import SpecError
from sweeps.store import Store

if TYPE_CHECKING:
    import pyarrow as pa

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
    command = [sys.executable, "-P", "-m", "sweeps.box"]
    pipe = subprocess.PIPE
    with subprocess.Popen(command, stdin=pipe, stdout=pipe, stderr=pipe) as box:  # noqa: S603 – our own interpreter
        try:
            import pyarrow as pa  # while the box loads the same: each would wait for the other otherwise

            from sweeps.record import RecordError

            out, err = box.communicate(request.encode(), timeout=seconds)
        except subprocess.TimeoutExpired:
            raise SpecError(f"the query took longer than {seconds:g} s and was stopped; narrow it down") from None
        finally:
            box.kill()
    if box.returncode == 0:
        sys.stderr.write(err.decode(errors="replace") if allow_partial else "")
        with pa.ipc.open_stream(out) as stream:
            return stream.read_all()
    said = err.decode(errors="replace").strip()
    if box.returncode in (2, 4):
        raise (SpecError if box.returncode == 2 else RecordError)(said)
    if box.returncode < 0 or b"MemoryError" in err or b"bad_alloc" in err:
        raise SpecError(f"the query needs more than {memory_mb} MB of memory; narrow it down")
    raise RuntimeError(said)
