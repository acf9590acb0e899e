"""Gang sizes with the end of the whole sweep in view: the assignment under which the simulator ends soonest.

Trials so few that each matters leave a sweep's end ragged: some devices idle while the last large gangs run. So
several horizons are tried (orchestrator/assign.py), and from the best of them single trials are run in other ways,
by chance but always the same, and what makes the simulated end no later is kept.
"""

from __future__ import annotations

import random
from collections.abc import Mapping, Sequence

from orchestrator.assign import Assigner, horizon, options, within
from orchestrator.choices import Choice, Machines
from orchestrator.nodes import Node
from orchestrator.simulator import Simulation, lower_bound, simulate
from sweeps.planning import Plan
from sweeps.spec import Spec

# With more trials than this no search is worth its time.
FEW = 1000
HORIZONS = 24
# The part of the horizon within which each of many trials should end, for a smooth end of the whole.
SMOOTH = 0.25
# Simulations at most, and the distance from the lower bound at which the search is content.
TRIES = 600
CONTENT = 1.045
# How much later an end the search bears with at first, as a part of the bound: to leave a dead end again.
WARMTH = 0.01


def best_assigner(
    spec: Spec, plan: Plan, nodes: Sequence[Node], machines: Sequence[Machines]
) -> tuple[Assigner, Simulation]:
    """The assigner to run a plan's trials with on these nodes, and what it comes to. Raises SpecError where some
    trial fits nowhere."""
    found = options(spec, plan.trials, machines)
    devices = sum(m.total for m in machines)
    bound = lower_bound(found.values(), devices)
    longest = horizon(found.values(), devices)

    def tried(picked: Mapping[str, Choice]) -> tuple[Assigner, Simulation]:
        assigner = Assigner(spec=spec, machines=tuple(machines), horizon=longest, picked=picked)
        return assigner, simulate(plan, nodes, assigner, lower_bound_seconds=bound)

    def at(end: float) -> dict[str, Choice]:
        return {key: within(each, end) for key, each in found.items()}

    if len(plan.trials) > FEW:
        return tried(at(longest * SMOOTH))
    best = tried(at(longest))
    for number in range(1, HORIZONS):
        if best[1].makespan_seconds <= bound * CONTENT:
            return best
        best = min(best, tried(at(longest * 0.9**number)), key=lambda pair: score(pair[1]))
    chance = random.Random(0)
    here = best
    for number in range(TRIES):
        if best[1].makespan_seconds <= bound * CONTENT:
            break
        other = tried({**here[0].picked, **change(here, found, chance)})
        allowed = WARMTH * bound * (1 - number / TRIES) * chance.random()
        if score(other[1]) <= score(here[1]) + allowed:
            here = other
        best = min(best, here, key=lambda pair: pair[1].makespan_seconds)
    return best


def score(made: Simulation) -> float:
    """Seconds: the end, and for a half the work, so that what does not move the end at least wastes less."""
    return made.makespan_seconds + 0.5 * made.device_seconds / made.devices


def change(
    now: tuple[Assigner, Simulation], found: Mapping[str, Sequence[Choice]], chance: random.Random
) -> dict[str, Choice]:
    """Another way for one trial, or two: of those that end last a quicker one, of any a cheaper or another one."""
    picked, keys = now[0].picked, list(found)
    last = [span.key for span in sorted(now[1].spans, key=lambda span: -span.end)[:8]]
    made: dict[str, Choice] = {}
    for key in [chance.choice(last if chance.random() < 0.5 else keys) for _ in range(chance.choice((1, 1, 2)))]:
        others = [c for c in found[key] if c != picked[key]]
        near = sorted(others, key=lambda c: abs(c.seconds - picked[key].seconds))[:3]
        if near:
            made[key] = chance.choice(near)
    return made
