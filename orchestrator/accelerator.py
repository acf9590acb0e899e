"""What DeepSpeed computes on in this process."""

from __future__ import annotations

import os

from orchestrator.work import Device


def compute_on(device: Device) -> None:
    """Before DeepSpeed is imported, which looks once: a worker on cores may see a GPU that is not for it."""
    os.environ["DS_ACCELERATOR"] = device
