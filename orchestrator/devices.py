"""Kinds of device and what is known or assumed of each: devices.yaml, or a file of the user's in its form."""

from __future__ import annotations

import difflib
from dataclasses import dataclass, fields
from functools import cache
from pathlib import Path
from typing import Any, Literal

from sweeps.safe_yaml import Document, SpecError, load

SHIPPED = Path(__file__).with_name("devices.yaml")
CPU = "cpu"
# Keys that an entry may leave out.
OPTIONAL = ("train_on",)


@dataclass(frozen=True, slots=True, kw_only=True)
class Device:
    """One kind; devices.yaml says what each figure means and which are assumptions."""

    name: str
    gpu: str | None
    memory_gib: float
    bf16_tflops: float
    fp32_tflops: float
    price_hour: float
    achieved: float
    half_width: float
    block_us: float
    link_gbs: float
    network_gbs: float
    source: str
    train_on: Literal["cuda", "cpu"] | None = None

    @property
    def memory_bytes(self) -> float:
        return self.memory_gib * 2**30

    @property
    def trains_on(self) -> Literal["cuda", "cpu"]:
        """What torch computes on there: CUDA where the kind is an accelerator, unless its entry says otherwise."""
        return self.train_on or ("cpu" if self.gpu is None else "cuda")

    def flops_per_second(self, width: int, precision: str) -> float:
        """What a network of a width reaches: peak · achieved · width / (width + half_width)."""
        peak = self.bf16_tflops if precision == "bf16" else self.fp32_tflops
        return peak * 1e12 * self.achieved * width / (width + self.half_width)


@dataclass(frozen=True, slots=True, kw_only=True)
class Devices:
    """The kinds of one file, and its date and currency."""

    dated: str
    currency: str
    kinds: tuple[Device, ...]

    def named(self, name: str) -> Device:
        """The kind of that name, ours or Ray's for its accelerator. Raises SpecError, listing those there are."""
        for device in self.kinds:
            if name.lower() in (device.name, (device.gpu or "").lower()):
                return device
        known = [device.name for device in self.kinds]
        close = difflib.get_close_matches(name, known, 1)
        hint = f"did you mean {close[0]!r}? " if close else ""
        raise SpecError(
            f"there is no kind of device {name!r}; {hint}kinds are {', '.join(known)}; "
            f"add yours to a copy of devices.yaml and name it in cluster.devices"
        )


@cache
def load_devices(path: Path = SHIPPED) -> Devices:
    """Read a file of devices. Raises SpecError naming the line of what is missing, unknown or not positive."""
    document = load(path)
    data = document.data
    if not isinstance(data, dict) or not isinstance(data.get("devices"), dict) or not data["devices"]:
        raise SpecError(f"{path}: a file of devices has dated:, currency: and devices:, a mapping by name")
    kinds = tuple(device_of(document, str(name), entry) for name, entry in data["devices"].items())
    return Devices(dated=str(data.get("dated", "")), currency=str(data.get("currency", "USD")), kinds=kinds)


def device_of(document: Document, name: str, entry: Any) -> Device:
    """One entry of a file."""
    where = f"{document.where(('devices', name))}: devices.{name}"
    wanted = [field.name for field in fields(Device) if field.name not in ("name", *OPTIONAL)]
    if not isinstance(entry, dict):
        raise SpecError(f"{where} is {entry!r}; it is a mapping of {', '.join(wanted)}")
    if missing := [key for key in wanted if key not in entry]:
        raise SpecError(f"{where}: {', '.join(missing)} missing; see the comments of devices.yaml")
    if unknown := [key for key in entry if key not in (*wanted, *OPTIONAL)]:
        raise SpecError(f"{where}: there is no key {unknown[0]!r}; keys are {', '.join([*wanted, *OPTIONAL])}")
    if entry.get("train_on") not in (None, "cuda", "cpu"):
        raise SpecError(f"{where}.train_on is {entry['train_on']!r}; it is cuda or cpu")
    for key in wanted:
        value = entry[key]
        if key in ("gpu", "source"):
            if not isinstance(value, str) and not (key == "gpu" and value is None):
                raise SpecError(f"{where}.{key} is {value!r}; it is a word")
        elif (
            isinstance(value, bool)
            or not isinstance(value, (int, float))
            or value < 0
            or (not value and key != "price_hour")
        ):
            raise SpecError(f"{where}.{key} is {value!r}; it is a number above 0")
    if entry["achieved"] > 1:
        raise SpecError(f"{where}.achieved is {entry['achieved']}; it is a part of the peak, at most 1")
    return Device(name=name, **entry)
