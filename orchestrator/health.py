"""What a machine has and lacks for a sweep: what, whether it is good, and what repairs it."""

from __future__ import annotations

import importlib.metadata
import os
import platform
import shutil
import sys
from typing import Any

Finding = dict[str, Any]

PACKAGES = {
    "torch": "training; pip install 'interplay[train]'",
    "deepspeed": "training; pip install 'interplay[train]'",
    "ray": "scheduling; pip install 'interplay[train]'",
    "tokenizers": "BPE corpora; pip install 'interplay[train]'",
    "safetensors": "checkpoints; pip install 'interplay[train]'",
    "s3fs": "records on S3; pip install 'interplay[s3]'",
    "datasets": "Hugging Face datasets; pip install 'interplay[datasets]'",
    "tensorboardX": "tracking by TensorBoard; pip install 'interplay[tensorboard]'",
    "mlflow-skinny": "tracking by MLflow; pip install 'interplay[mlflow]'",
    "wandb": "tracking by Weights & Biases; pip install 'interplay[wandb]'",
}


def machine_findings() -> list[Finding]:
    """Python, packages, processors, memory for Ray's object store and room for results."""
    found = [finding("python", platform.python_version(), sys.version_info >= (3, 11), "use Python 3.11 or newer")]
    for name, why in PACKAGES.items():
        try:
            found.append(finding(name, importlib.metadata.version(name), True, ""))
        except importlib.metadata.PackageNotFoundError:
            found.append({"what": name, "value": None, "verdict": "absent", "repair": f"needed for {why}"})
    found.append(finding("processors", os.cpu_count(), True, ""))
    if os.path.isdir("/dev/shm"):  # noqa: PTH112, S108 – asked about, not written to
        free = shutil.disk_usage("/dev/shm").free >> 20  # noqa: S108
        cure = "Ray needs 256 MB in /dev/shm; give the container more"
        found.append(finding("shared memory, MB", free, free >= 256, cure))
    free = shutil.disk_usage(".").free >> 20
    cure = "results need room: free some, or use --results elsewhere"
    return [*found, finding("room here, MB", free, free >= 2000, cure)]


def finding(what: str, value: object, good: bool, repair: str) -> Finding:
    return {"what": what, "value": value, "verdict": "good" if good else "bad", "repair": None if good else repair}
