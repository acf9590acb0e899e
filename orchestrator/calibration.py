"""How fast devices really are, from the trials in the record: a file of devices with its assumptions corrected.

For each kind three assumptions are fitted to the measured seconds of a step: the part of the peak that is achieved,
the width at which half of that is, and what launching a block costs. The file's own values are the prior, known to a
factor of three, and a measured step is believed to a tenth, so a single trial moves the speed and many the shape.
"""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, replace
from math import exp, log
from typing import TYPE_CHECKING

import duckdb

if TYPE_CHECKING:
    import numpy as np
    from numpy.typing import NDArray

from orchestrator.devices import Device, Devices
from orchestrator.pace import step_seconds
from sweeps.trial import Trial

PRIOR = log(3)  # standard deviation of the logarithm of an assumption
BELIEVED = 0.1  # the same of a measured step, placement beside others included
FEWEST_STEPS = 5  # the first steps of an attempt are slow; an attempt with fewer says nothing
FIT_AT_MOST = 200  # attempts of a kind, the latest: more say nothing new, and planning should be quick


@dataclass(frozen=True, slots=True, kw_only=True)
class Measured:
    """An attempt in the record: how it ran, and the median of its steps' seconds."""

    trial: Trial
    kind: str
    workers: int
    micro_batch: int
    devices: float
    nodes: int
    recomputed: bool
    seconds: float


@dataclass(frozen=True, slots=True, kw_only=True)
class Calibration:
    """What became of one kind: attempts used, the typical factor by which steps were slower than the file says, and
    the typical relative error that is left."""

    kind: str
    attempts: int
    slower: float
    error: float


def measured(connection: duckdb.DuckDBPyConnection) -> list[Measured]:
    """Attempts with enough steps, the latest first, from a connection with the record's views."""
    found = connection.execute(
        """
        with paces as (select trial_id, attempt, median(step_seconds) as seconds
                       from metrics where step > resume_step + 1 group by all having count(step_seconds) >= ?)
        select any_value(p.config), any_value(c.kind), any_value(c.workers), any_value(c.micro_batch),
               any_value(c.devices), any_value(len(list_distinct(c.nodes))),
               any_value(c.checkpoint_activations), any_value(s.seconds)
        from paces s join claims c using (trial_id, attempt) join plans p using (trial_id)
        where c.kind is not null and c.devices is not null
        group by trial_id, attempt order by any_value(c.claimed_at) desc
        """,
        [FEWEST_STEPS],
    ).fetchall()
    made = []
    for config, kind, workers, micro_batch, devices, nodes, recomputed, seconds in found:
        try:
            trial = trial_from(config)
        except ValueError:  # another version of the code trained it: another pace
            continue
        made.append(
            Measured(
                trial=trial,
                kind=kind,
                workers=workers,
                micro_batch=micro_batch,
                devices=devices,
                nodes=max(1, nodes or 1),
                recomputed=bool(recomputed),
                seconds=seconds,
            )
        )
    return made


def trial_from(config: str) -> Trial:
    import json

    return Trial.from_config(json.loads(config))


def calibrated(devices: Devices, attempts: Sequence[Measured]) -> tuple[Devices, list[Calibration]]:
    """The devices, those that the attempts ran on corrected, and what was found of each of these."""
    by_kind: dict[str, list[Measured]] = defaultdict(list)
    for attempt in attempts:
        by_kind[attempt.kind].append(attempt)
    known: Mapping[str, Device] = {device.name: device for device in devices.kinds}
    fitted = {kind: fit(known[kind], found[:FIT_AT_MOST]) for kind, found in by_kind.items() if kind in known}
    kinds = tuple(fitted[d.name][0] if d.name in fitted else d for d in devices.kinds)
    return replace(devices, kinds=kinds), [calibration for _, calibration in fitted.values()]


def fit(device: Device, attempts: Sequence[Measured]) -> tuple[Device, Calibration]:
    """One kind's assumptions at the least sum of squares of the logarithms, the prior's included."""
    import numpy as np
    from scipy.optimize import least_squares

    def corrected(logs: NDArray[np.float64]) -> Device:
        achieved, half_width, block_us = (exp(value) for value in logs)
        return replace(device, achieved=achieved, half_width=half_width, block_us=block_us)

    start = [log(device.achieved), log(device.half_width), log(device.block_us)]

    def residuals(logs: NDArray[np.float64], /) -> list[float]:
        made = corrected(logs)
        prior = [(value - first) / PRIOR for value, first in zip(logs, start, strict=True)]
        return [log(expected(made, each) / each.seconds) / BELIEVED for each in attempts] + prior

    # a step takes the longer of two times, so from one start the other's constant may never be felt
    tries = [np.array([start[0], start[1], start[2] + log(factor)]) for factor in (1.0, 10.0, 30.0)]
    found = corrected(min((least_squares(residuals, each, max_nfev=60) for each in tries), key=lambda fit: fit.cost).x)
    errors = sorted(abs(log(expected(found, each) / each.seconds)) for each in attempts)
    slower = sorted(each.seconds / expected(device, each) for each in attempts)
    middle = len(attempts) // 2
    return found, Calibration(kind=device.name, attempts=len(attempts), slower=slower[middle], error=errors[middle])


def expected(device: Device, attempt: Measured) -> float:
    """Seconds of a step as the planner would have it."""
    share = 1 if device.gpu is None else max(1, round(attempt.workers / attempt.devices))
    return step_seconds(
        attempt.trial.shape,
        attempt.trial.recipe,
        device,
        workers=attempt.workers,
        micro_batch=attempt.micro_batch,
        recomputed=attempt.recomputed,
        share=share,
        spans=attempt.nodes > 1,
    )


def says(calibration: Calibration) -> str:
    """For a person: what the record has changed."""
    pace = (
        f"{calibration.slower:.2g} times as slow"
        if calibration.slower >= 1
        else f"{1 / calibration.slower:.2g} times as fast"
    )
    return (
        f"{calibration.kind}: {calibration.attempts} attempts in the record were {pace} as the file of devices says; "
        f"hours and prices go by them, and are within {calibration.error:.0%} of a typical one"
    )
