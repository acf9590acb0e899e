"""sweep doctor on a machine: what is missing is said with the command that brings it."""

import importlib.metadata
from pathlib import Path

import pytest

from orchestrator import health
from orchestrator.cli import guarded


def by_name() -> dict[str, health.Finding]:
    return {row["what"]: row for row in health.machine_findings()}


def test_this_machine_is_fit_to_train() -> None:
    found = by_name()
    assert {found[name]["verdict"] for name in ("python", "torch", "ray", "deepspeed", "duckdb", "s3fs")} == {"good"}
    assert all(row["repair"] for row in found.values() if row["verdict"] != "good")


def test_what_is_absent_is_named_with_its_extra(monkeypatch: pytest.MonkeyPatch) -> None:
    real = importlib.metadata.version

    def version(name: str) -> str:
        if name in ("ray", "s3fs", "duckdb"):
            raise importlib.metadata.PackageNotFoundError(name)
        return "2.0.0" if name == "torch" else real(name)

    monkeypatch.setattr(importlib.metadata, "version", version)
    found = by_name()
    assert (found["ray"]["verdict"], found["ray"]["repair"]) == (
        "absent",
        "pip install 'interplay[train]'  to train (sweep run)",
    )
    assert "interplay[s3]" in found["s3fs"]["repair"]
    assert (found["duckdb"]["verdict"], found["duckdb"]["repair"]) == ("bad", "pip install interplay")
    assert (found["torch"]["verdict"], found["torch"]["repair"][:9]) == ("bad", ">=2.8 is ")


def test_gpus_that_this_torch_cannot_use(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    program = tmp_path / "nvidia-smi"
    program.write_text("#!/bin/sh\necho 'NVIDIA H100 80GB HBM3, 81559 MiB'\n")
    program.chmod(0o755)
    monkeypatch.setenv("PATH", f"{tmp_path}:/bin:/usr/bin")
    real = importlib.metadata.version
    monkeypatch.setattr(importlib.metadata, "version", lambda name: "2.13.0+cpu" if name == "torch" else real(name))
    found = by_name()
    assert found["GPUs"]["value"] == "NVIDIA H100 80GB HBM3, 81559 MiB"
    assert (found["torch for GPUs"]["verdict"], "without CUDA" in found["torch for GPUs"]["repair"]) == ("bad", True)


def test_a_package_that_shadows_one_of_ours(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    (tmp_path / "models").mkdir()
    (tmp_path / "models" / "__init__.py").touch()
    found = importlib.util.spec_from_file_location("models", tmp_path / "models" / "__init__.py")
    real = importlib.util.find_spec
    monkeypatch.setattr(importlib.util, "find_spec", lambda name: found if name == "models" else real(name))
    assert "another package called models comes first" in by_name()["package models"]["repair"]


def test_the_doctor_prints_the_command_whole(
    monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    """Square brackets mean a style to rich."""
    real = importlib.metadata.version

    def version(name: str) -> str:
        if name == "ray":
            raise importlib.metadata.PackageNotFoundError(name)
        return real(name)

    monkeypatch.setattr(importlib.metadata, "version", version)
    monkeypatch.setattr("sys.argv", ["sweep", "doctor"])
    guarded()
    assert "pip install 'interplay[train]'  to train (sweep run)" in capsys.readouterr().out
