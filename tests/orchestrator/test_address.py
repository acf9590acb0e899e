"""A cluster that does not answer is refused within ten seconds, whatever listens there."""

import socket
import subprocess
import sys
import threading
import time
from collections.abc import Iterator

import pytest

from orchestrator.address import answering
from sweeps.safe_yaml import SpecError


@pytest.fixture
def silent() -> Iterator[int]:
    """A port that takes connections and never says a word."""
    held = []
    with socket.create_server(("127.0.0.1", 0)) as server:

        def accept() -> None:
            while True:
                try:
                    held.append(server.accept())
                except OSError:
                    return

        threading.Thread(target=accept, daemon=True).start()
        yield server.getsockname()[1]
    for connection, _ in held:
        connection.close()


def test_nothing_listens() -> None:
    with socket.socket() as probe:
        probe.bind(("127.0.0.1", 0))
        port = probe.getsockname()[1]
    started = time.monotonic()
    with pytest.raises(SpecError, match=rf"no Ray cluster answers at 127.0.0.1:{port}: .*refused; start one"):
        answering(f"127.0.0.1:{port}")
    assert time.monotonic() - started < 2


def test_what_is_no_address_is_named() -> None:
    with pytest.raises(SpecError, match=r"cluster\.address is 'somewhere'; it is host:port of a Ray head, or auto"):
        answering("somewhere")
    with pytest.raises(SpecError, match=r"Ray's client protocol; start `sweep run` on a machine of the cluster"):
        answering("ray://head:10001")


def test_what_listens_and_is_no_ray_head_is_refused_in_a_process_that_then_ends(silent: int) -> None:
    code = (
        "import sys\n"
        "from orchestrator.address import answering\n"
        "from sweeps.safe_yaml import SpecError\n"
        "try:\n    answering(sys.argv[1])\nexcept SpecError as error:\n    print(error)\n    sys.exit(2)\n"
    )
    started = time.monotonic()
    done = subprocess.run(
        [sys.executable, "-c", code, f"127.0.0.1:{silent}"], capture_output=True, text=True, timeout=60, check=False
    )
    took = time.monotonic() - started
    assert done.returncode == 2, done.stderr
    assert f"what listens at 127.0.0.1:{silent} does not answer as a Ray head: nothing in 5 seconds" in done.stdout
    assert took < 20  # 5 of them waiting; the rest, on a busy machine, loading Ray
