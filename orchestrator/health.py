"""What a machine has and lacks for a sweep: what, whether it is good, and what repairs it. Nothing heavy is imported:
what is installed is read from its metadata."""

from __future__ import annotations

import importlib.metadata
import importlib.util
import os
import platform
import shutil
import subprocess
import sys
from collections.abc import Iterator
from pathlib import Path
from typing import Any

from packaging.requirements import Requirement

Finding = dict[str, Any]

PURPOSES = {
    "train": "to train (sweep run)",
    "s3": "for records on S3",
    "datasets": "for corpora of Hugging Face",
    "huggingface": "to load what `sweep export` writes",
    "tensorboard": "to follow a sweep in TensorBoard",
    "mlflow": "to follow a sweep in MLflow",
    "wandb": "to follow a sweep in Weights & Biases",
}
OURS = ("models", "sweeps", "analysis", "orchestrator")


def machine_findings() -> list[Finding]:
    """Python, our own packages, what each extra needs, processors and GPUs, memory and room."""
    return [
        finding("python", platform.python_version(), sys.version_info >= (3, 11), "use Python 3.11 or newer"),
        *shadows(),
        *packages(),
        *devices(),
        *room(),
    ]


def finding(what: str, value: object, good: bool, repair: str) -> Finding:
    return {"what": what, "value": value, "verdict": "good" if good else "bad", "repair": None if good else repair}


def shadows() -> Iterator[Finding]:
    """Whether another installed package has the name of one of ours and comes first."""
    home = Path(__file__).parents[1]
    for name in OURS:
        spec = importlib.util.find_spec(name)
        place = Path(spec.origin).parents[1] if spec and spec.origin else None
        if place != home:
            cure = f"another package called {name} comes first; use a virtual environment without it"
            yield finding(f"package {name}", str(place), False, cure)


def packages() -> Iterator[Finding]:
    """What every extra needs: there, too old, or absent, which is no defect unless one wants what it is for."""
    try:
        declared = importlib.metadata.requires("interplay") or []
    except importlib.metadata.PackageNotFoundError:
        cure = "install it: pip install -e . in its folder"
        yield finding("interplay", "not installed, only found", False, cure)
        return
    for text in declared:
        wanted = Requirement(text)
        extra = next((extra for extra in PURPOSES if wanted.marker and wanted.marker.evaluate({"extra": extra})), None)
        if wanted.marker and extra is None:
            continue
        cure = f"pip install 'interplay[{extra}]'  {PURPOSES[extra]}" if extra else "pip install interplay"
        try:
            version = importlib.metadata.version(wanted.name)
        except importlib.metadata.PackageNotFoundError:
            verdict = "absent" if extra else "bad"
            yield {"what": wanted.name, "value": None, "verdict": verdict, "repair": cure}
        else:
            good = wanted.specifier.contains(version, prereleases=True)
            yield finding(wanted.name, version, good, f"{wanted.specifier} is needed: {cure}")


def devices() -> Iterator[Finding]:
    """Cores, GPUs as their driver names them, and whether the torch that is installed can use them."""
    yield finding("processors", os.cpu_count(), True, "")
    names = gpus()
    if names is None:
        yield {"what": "GPUs", "value": 0, "verdict": "good", "repair": None}
        return
    yield finding("GPUs", ", ".join(names), bool(names), "nvidia-smi names none; look at the driver")
    try:
        version = importlib.metadata.version("torch")
    except importlib.metadata.PackageNotFoundError:
        return
    cure = "this torch is built without CUDA; pip install the one that PyTorch's own page names for your driver"
    yield finding("torch for GPUs", version, "+cpu" not in version, cure)


def gpus() -> list[str] | None:
    """Names of NVIDIA's GPUs; None where there is no driver."""
    program = shutil.which("nvidia-smi")
    if program is None:
        return None
    ask = [program, "--query-gpu=name,memory.total", "--format=csv,noheader"]
    try:
        said = subprocess.run(ask, capture_output=True, text=True, timeout=20, check=False)  # noqa: S603
    except (OSError, subprocess.TimeoutExpired):
        return []
    return [line for line in said.stdout.splitlines() if line.strip()] if said.returncode == 0 else []


def room() -> Iterator[Finding]:
    """Shared memory for Ray's object store, open files, and disk for results."""
    if os.path.isdir("/dev/shm"):  # noqa: PTH112, S108 – asked about, not written to
        free = shutil.disk_usage("/dev/shm").free >> 20  # noqa: S108
        cure = "Ray needs 256 MB in /dev/shm; give the container more (docker run --shm-size=2g)"
        yield finding("shared memory, MB", free, free >= 256, cure)
    free = shutil.disk_usage(".").free >> 20
    yield finding("room here, MB", free, free >= 2000, "results need room: free some, or use --results elsewhere")
    good = os.access(".", os.W_OK)
    yield finding("may write here", good, good, "go to a folder of yours, or use --results elsewhere")
