"""Secrets in the environment, in the spec and in an address: in nothing that is written or told to Ray."""

import os
import subprocess
import sys
from pathlib import Path

import psutil
import pyarrow.parquet as pq
import pytest

from tests.e2e.sweeping import PATIENCE, sweep, until
from tests.faults.invariants import Rows, Scene, checkpoints, counted, processes, spec, survived

CANARY = "canary-4f1c0a77"
SECRETS = {
    "AWS_SECRET_ACCESS_KEY": f"{CANARY}-aws",
    "HF_TOKEN": f"{CANARY}-hf",
    "WANDB_API_KEY": f"{CANARY}-wandb",
    "RAY_AUTH_TOKEN": f"{CANARY}-ray-" + "0" * 40,
}


@pytest.mark.slow
@pytest.mark.faults
def test_in_the_environment(stage: Scene, reference: Rows) -> None:
    done = stage.run(spec(stage.folder), **SECRETS)
    assert done.returncode == 0, done.stderr
    assert CANARY not in done.stdout + done.stderr
    for path in stage.results.rglob("*.parquet"):
        table = pq.read_table(path)
        assert CANARY not in str(table.to_pylist()) + str(table.schema.metadata), path
    for root in (stage.results, stage.temporary):
        for path in root.rglob("*"):
            if path.is_file() and not path.is_relative_to(stage.results / "corpora"):
                assert CANARY.encode() not in path.read_bytes(), path
    survived("secrets in the environment", stage, reference)


@pytest.mark.parametrize(
    "secret",
    ["hf_abcdefghijklmnopqrstuvwxyzABCDEFGH", "AKIAABCDEFGHIJKLMNOP", "https://user:password@host/x", "ghp_abcdefghijklmnopqrstuvwxyz0123456789"],
)  # fmt: skip
def test_in_the_spec(tmp_path: Path, secret: str) -> None:
    with counted("secrets in the spec"):
        path = spec(tmp_path, changes={"python-stdlib": f'"{secret}"'})
        done = sweep("run", str(path), "--results", str(tmp_path / "r"), timeout=60)
        assert done.returncode == 2
        assert "data.corpus: this looks like a secret" in done.stderr
        assert secret not in done.stderr
        assert not (tmp_path / "r").exists()


def test_in_an_address(tmp_path: Path) -> None:
    with counted("a secret in an address"):
        done = sweep("status", "--results", "s3://AKIAABCDEFGHIJKLMNOP:topsecret@bucket/x", timeout=60)
        assert done.returncode == 2
        assert "topsecret" not in done.stderr + done.stdout
        assert "credentials belong in the environment" in done.stderr


INTRUDER = """
import ray
try:
    ray.init(address={address!r}, log_to_driver=False)
    print(ray.get(ray.remote(num_cpus=0)(lambda: "inside").remote(), timeout=20))
except BaseException as error:
    print(type(error).__name__)
"""


def heads(run: subprocess.Popen[str]) -> list[tuple[int, dict[str, str]]]:
    """Port and environment of the head of a run's cluster, once it listens."""
    return [
        (connection.laddr.port, {name: value for name, value in head.environ().items() if name.startswith("RAY_AUTH")})
        for head in processes(run, "gcs_server")
        for connection in head.net_connections()
        if connection.status == psutil.CONN_LISTEN
    ]


def enters(port: int, environment: dict[str, str]) -> bool:
    """Whether a stranger's process can have something done on a cluster; one that is refused asks on and on."""
    words = [sys.executable, "-c", INTRUDER.format(address=f"127.0.0.1:{port}")]
    try:
        done = subprocess.run(
            words, env=os.environ | environment, capture_output=True, text=True, timeout=40 * PATIENCE, check=False
        )
    except subprocess.TimeoutExpired:
        return False
    return "inside" in done.stdout


@pytest.mark.slow
@pytest.mark.faults
def test_an_intruder_on_the_cluster(stage: Scene) -> None:
    """Somebody who finds the cluster's port: with its token they would get in, without it and with a wrong one not."""
    with counted("an intruder on the Ray cluster"):
        run = stage.start(spec(stage.folder, steps=100_000))
        try:
            until(lambda: checkpoints(stage.results) >= 1)
            ((port, own),) = heads(run)
            assert enters(port, own)
            assert not enters(port, {"RAY_AUTH_MODE": "disabled"})
            assert not enters(port, {"RAY_AUTH_MODE": "token", "RAY_AUTH_TOKEN": "wrong" * 8})
            assert run.poll() is None  # the cluster was there all the time
        finally:
            run.terminate()
            run.communicate(timeout=60 * PATIENCE)
        stage.left.assert_none()
