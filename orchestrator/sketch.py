"""From a budget, devices and a corpus to a spec worth running: the largest of a ladder of grids that they pay for.

A rung of the ladder is a largest size N. Below it stand sizes a factor of two apart, at depths around the best depth
expected there, and every network sees the same tokens: about sixteen a parameter of the largest one, as in the
quickstart (docs/log.md), and never fewer than its two million.
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any

from orchestrator.assign import assigner, machines_of
from orchestrator.devices import load_devices
from orchestrator.forecast import Stated, nodes_of, rows, totals
from orchestrator.nodes import Node
from sweeps.planning import plan
from sweeps.safe_yaml import SpecError
from sweeps.spec import Spec

TOKENS_A_PARAMETER = 16
FEWEST_TOKENS = 2e6
# Depths worth comparing up to a size. The first three are the pilot's and a guess between; from 1e6 on Levine et al.
DEPTHS = (
    (1.6e5, (1, 2, 3)),
    (7e5, (1, 2, 3, 4)),
    (3e6, (2, 3, 4, 6)),
    (1.2e7, (3, 4, 6, 8, 12)),
    (5e7, (4, 6, 8, 12, 18)),
    (2e8, (6, 12, 18, 24, 30)),
    (7e8, (6, 12, 18, 24, 30, 36, 48)),
)
LADDER = tuple(2e4 * 2**rung for rung in range(3, 16))  # 1.6e5 to 6.6e8
SPARE = 0.85  # part of the budget that the estimate may take: it is one


@dataclass(frozen=True, slots=True, kw_only=True)
class Wish:
    """What a person says.

    hours     by the clock; price: in the currency of the file of devices; None: no cap
    nodes, gpus, device   the cluster; device None: this machine's `cores`
    """

    name: str
    corpus: str | dict[str, Any]
    hours: float | None
    price: float | None
    cores: int
    device: str | None = None
    nodes: int = 1
    gpus: int = 1

    @property
    def devices(self) -> int:
        return self.nodes * self.gpus if self.device else self.cores


@dataclass(frozen=True, slots=True, kw_only=True)
class Sketch:
    """A spec as plain data, and what it is expected to take."""

    spec: dict[str, Any]
    trials: int
    device_hours: float
    hours: float
    price: float


def sketch(wish: Wish) -> Sketch:
    """The largest rung that the budget pays for. Raises SpecError where not even the smallest is."""
    best: Sketch | None = None
    for largest in LADDER:
        made = estimated(wish, spec_of(wish, largest))
        if made is None or not pays(wish, made):
            break
        best = made
    if best is not None:
        return best
    if made is None:
        raise SpecError(f"--devices {wish.device}: no network of the smallest sweep fits on it; name larger ones")
    raise SpecError(
        f"the smallest sweep worth running ({made.trials} networks of up to {LADDER[0]:.2g} parameters) takes about "
        f"{made.hours:.2g} hours on {wish.devices} {wish.device or 'cores'}, {made.price:.2g} in price; give more "
        f"hours or more devices"
    )


def pays(wish: Wish, made: Sketch) -> bool:
    """Whether the estimate stays inside the budget, with some to spare."""
    hours, price = wish.hours, wish.price
    return (hours is None or made.hours <= SPARE * hours) and (price is None or made.price <= SPARE * price)


def estimated(wish: Wish, data: dict[str, Any]) -> Sketch | None:
    """What a spec takes; None where a network of it fits on no device."""
    spec = Spec.model_validate(data)
    devices = load_devices()
    if wish.device:
        stated = Stated(nodes=wish.nodes, gpus=wish.gpus, device=wish.device)
        nodes = nodes_of(stated, devices.named(wish.device).gpu, spec.cluster.cpus_per_worker)
    else:
        nodes = [Node(name="this machine", cpus=float(wish.cores))]
    made = plan(spec, None, {})
    try:
        placed = assigner(spec, made.trials, machines_of(nodes, devices))
    except SpecError:
        return None
    each = rows(made, placed)
    total = totals(each, made, devices.currency)
    longest = max(row["hours"] for row in each)
    return Sketch(
        spec=data,
        trials=total["trials"],
        device_hours=total["device_hours"],
        hours=max(longest, total["device_hours"] / wish.devices),
        price=total["price"],
    )


def spec_of(wish: Wish, largest: float) -> dict[str, Any]:
    """One rung as a spec."""
    small = largest < 1e6
    depths = next(depths for size, depths in DEPTHS if largest <= 1.1 * size)
    sizes = [float(f"{largest / 2**step:.3g}") for step in reversed(range(4 if small else 5))]
    tokens = max(FEWEST_TOKENS, TOKENS_A_PARAMETER * largest)
    model: dict[str, Any] = {"family": "gpt", "tokenizer": "bytes", "heads": 2, "context": 128}
    if not small:
        model |= {"tokenizer": "bpe", "vocabulary": 2000}
    rate = {"value": 6e-3, "width": 64, "width_power": -1} if small else {"value": 1e-3, "width": 256}
    data: dict[str, Any] = {
        "name": wish.name,
        "model": model,
        "grid": [
            {"depths": list(depths), "sizes": sizes},
            {"depths": [depths[0]], "sizes": [sizes[0], sizes[1]], "seeds": [1, 2]},
        ],
        "data": {"corpus": wish.corpus, "held_out": 0.05 if small else 0.01, "repeat": True},
        "training": {
            "tokens": int(tokens),
            "batch_tokens": batch_tokens(tokens),
            "precision": "bf16",
            "zero": 1,
            "learning_rate": rate,
            "schedule": {"kind": "cosine", "warmup": 0.1 if small else 0.02},
            "seeds": [0],
        },
        "evaluation": {"tokens": 262144 if small else 2097152, "points": 1 if small else 4},
    }
    cluster: dict[str, Any] = {}
    if wish.device:
        cluster = {"nodes": wish.nodes, "gpus": wish.gpus, "device": wish.device}
    budget: dict[str, Any] = {}
    if wish.hours is not None:
        budget["hours"] = round(wish.hours * wish.devices, 3)
    if wish.price is not None:
        budget["price"] = wish.price
    return data | ({"cluster": cluster} if cluster else {}) | ({"budget": budget} if budget else {})


def batch_tokens(tokens: float) -> int:
    """A power of two, at least 2048, that leaves about a thousand steps or more."""
    batch = 2048
    while batch < 2**19 and tokens / (2 * batch) >= 1000 and 2 * batch <= tokens**0.5 * 8:
        batch *= 2
    return batch
