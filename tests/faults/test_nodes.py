"""A node that goes without a word, and one that is given ten seconds: the trials on it go on elsewhere."""

import os
import subprocess
import sys
from collections.abc import Iterator

import pytest

from tests.e2e.sweeping import MARK, MARKED, PATIENCE, ROOT, until
from tests.faults.invariants import Rows, Scene, checkpoints, endings, spec, survived

TOKEN = {"RAY_AUTH_MODE": "token", "RAY_AUTH_TOKEN": "7" * 64}


@pytest.fixture
def cluster(stage: Scene) -> Iterator[subprocess.Popen[str]]:
    with subprocess.Popen(
        [sys.executable, "-m", "tests.faults.nodes"],
        stdin=subprocess.PIPE,
        stdout=subprocess.PIPE,
        stderr=subprocess.DEVNULL,
        text=True,
        cwd=ROOT,
        env=os.environ | {MARK: MARKED} | stage.environment(**TOKEN),
    ) as process:
        yield process  # it ends when its input does


@pytest.mark.slow
@pytest.mark.faults
@pytest.mark.parametrize("order", ["remove", "drain 10"])
def test_a_node_goes(stage: Scene, cluster: subprocess.Popen[str], reference: Rows, order: str) -> None:
    assert cluster.stdin
    assert cluster.stdout
    address = cluster.stdout.readline().strip()
    path = spec(stage.folder, changes={"cluster: {": f'cluster: {{address: "{address}", '})
    run = stage.start(path, **TOKEN)
    until(lambda: checkpoints(stage.results) >= 2)
    cluster.stdin.write(f"{order}\n")
    cluster.stdin.flush()
    _, said = run.communicate(timeout=280 * PATIENCE)
    assert run.returncode == 0, said
    ends = [end for ends in endings(stage.results).values() for end in ends[:-1]]
    if order == "remove":
        assert "lost" in said
    else:
        assert any(end and end.startswith("interrupted: node") and "is being drained" in end for end in ends), ends
    cluster.stdin.close()
    cluster.wait(timeout=60 * PATIENCE)
    survived("node removed without grace" if order == "remove" else "node drained with 10 s notice", stage, reference)
