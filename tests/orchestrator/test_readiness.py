"""Nodes that cannot take part are refused with the reason: storage they do not share, other versions."""

import os
import shutil
import subprocess
from pathlib import Path

import pytest
import ray

import orchestrator.readiness
from orchestrator.failures import ClusterError
from orchestrator.membership import members
from sweeps.safe_yaml import SpecError
from sweeps.store import open_store
from tests.cluster.clusters import DEVICES, cluster, node_with_an_own_folder, pretending, wait_for
from tests.e2e.sweeping import spec, sweep


def mount_namespaces() -> bool:
    """Whether this user may give a process file systems of its own."""
    if shutil.which("unshare") is None:
        return False
    return subprocess.run(["unshare", "-m", "true"], capture_output=True, check=False).returncode == 0


@pytest.mark.slow
def test_nodes_that_share_the_storage_and_nodes_that_do_not(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    ray.init(address="local", num_cpus=1, include_dashboard=False, object_store_memory=100 << 20, log_to_driver=False)
    try:
        nodes = members().nodes
        shared = orchestrator.readiness.Readiness(open_store(tmp_path))
        shared.require(nodes)
        assert shared.update(nodes) == list(nodes)
        shared.close()
        assert list((tmp_path / "drivers").iterdir()) == []

        alone = orchestrator.readiness.Readiness(open_store("memory://results"))  # of each process's own
        with pytest.raises(SpecError, match=r"1 of 1 nodes cannot take part .* memory://results: .*file is missing"):
            alone.require(nodes)
        assert alone.update(nodes) == []

        dying, real = tmp_path / "dying", orchestrator.readiness.look

        def killed_once(results: str, token: str, node: str) -> dict[str, str]:
            if dying.exists():
                return real(results, token, node)
            dying.touch()
            os._exit(9)

        with monkeypatch.context() as patch:
            patch.setattr(orchestrator.readiness, "LOOK", ray.remote(num_cpus=0, max_retries=0)(killed_once))
            again = orchestrator.readiness.Readiness(open_store(tmp_path))
            again.require(nodes)
            assert again.update(nodes) == list(nodes)
            again.close()

            dying.unlink()
            patch.setattr(orchestrator.readiness, "ANSWER_SECONDS", -1.0)
            lost = orchestrator.readiness.Readiness(open_store(tmp_path))
            lost.asked = {nodes[0].name: (orchestrator.readiness.LOOK.remote("", "", ""), 0.0)}
            ray.wait([lost.asked[nodes[0].name][0]])
            with pytest.raises(ClusterError, match=r"1 of 1 nodes were lost before anything started: .*Crashed"):
                lost.require(nodes)

        monkeypatch.setattr(orchestrator.readiness, "versions", lambda: {"torch": "1.0"})
        other = orchestrator.readiness.Readiness(open_store(tmp_path))
        with pytest.raises(SpecError, match=r"has torch 2\.\S+ and not 1.0"):
            other.require(nodes)
    finally:
        ray.shutdown()


@pytest.mark.slow
def test_sweep_run_refuses_what_the_cluster_can_never_do(tmp_path: Path) -> None:
    """One cluster of 4 pretended GPUs, and whatever of it is refused before anything starts."""
    results = tmp_path / "results"
    results.mkdir()
    with cluster(pretending(0), pretending(4)) as made:
        wait_for(made, 2)

        def refused(old: str = "cluster: {", new: str = "cluster: {") -> str:
            asked = spec(tmp_path, old=old, new=new)
            done = sweep("run", str(asked), "--results", str(results), "--address", made.address)
            assert done.returncode == 2, done.stderr
            assert not (results / "attempts").exists()
            return done.stderr

        assert "there is no kind of device 'PRETENDED'; kinds are h100" in refused()
        devices = f"cluster: {{devices: {tmp_path / 'devices.yaml'}, "
        (tmp_path / "devices.yaml").write_text(DEVICES)
        said = refused(new=devices + "workers: 8, ")
        assert "cluster.workers is 8, and the cluster can have 4 at a time (4 pretended)" in said
        if mount_namespaces():
            with node_with_an_own_folder(made, results):
                said = refused(new=devices)
            assert "1 of 3 nodes cannot take part" in said
            assert "is not what it is for the driver: its file is missing" in said
