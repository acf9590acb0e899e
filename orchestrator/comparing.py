"""Two sweeps side by side: trials are the same where their identities are, wherever they were asked for."""

from __future__ import annotations

import json
from collections import Counter
from dataclasses import dataclass
from pathlib import Path
from typing import Any

Config = dict[str, Any]


@dataclass(frozen=True, slots=True, kw_only=True)
class Trials:
    """A sweep's trials: identity (sweeps.trial) by id; provisional where its corpus is not prepared here."""

    name: str
    configs: dict[str, Config]
    provisional: bool


def trials_of(named: str, results: str) -> Trials:
    """Of a YAML file, or of a sweep in the record. Raises SpecError, NoSuchSweep."""
    if Path(named).suffix in (".yaml", ".yml") or Path(named).is_file():
        from orchestrator.commands.plan import planned
        from sweeps.loading import load_spec

        made, _ = planned(load_spec(Path(named)), results)
        configs = {one.trial.trial_id: json.loads(json.dumps(one.trial.config)) for one in made.trials}
        return Trials(name=made.name, configs=configs, provisional=made.provisional)
    from sweeps.record import find_plan
    from sweeps.store import open_store

    rows = find_plan(open_store(results), named).rows.to_pylist()
    return Trials(name=named, configs={row["trial_id"]: json.loads(row["config"]) for row in rows}, provisional=False)


def compared(one: Trials, other: Trials) -> dict[str, Any]:
    """Counts, every trial with where it is, and by dotted key what differs between networks that match in shape,
    seed and length without being the same trial."""
    trials = []
    for key in [*one.configs, *(key for key in other.configs if key not in one.configs)]:
        where = "both" if key in one.configs and key in other.configs else "A" if key in one.configs else "B"
        config = one.configs.get(key) or other.configs[key]
        trials.append({"where": where, "trial_id": key, **facts(config)})
    count = Counter(trial["where"] for trial in trials)
    notes = []
    if one.provisional or other.provisional:
        notes.append("ids are provisional where the corpus is not prepared here: its content is part of them")
    return {
        "shared": count["both"],
        "only_a": count["A"],
        "only_b": count["B"],
        "differences": differences(one, other),
        "notes": notes,
        "trials": trials,
    }


def facts(config: Config) -> dict[str, Any]:
    return {
        "depth": config["shape"]["depth"],
        "width": config["shape"]["width"],
        "tokens": config["last"] * config["recipe"]["batch_sequences"] * config["shape"]["context"],
        "seed": config["seed"],
        "learning_rate": config["recipe"]["learning_rate"],
    }


def differences(one: Trials, other: Trials) -> dict[str, dict[str, Any]]:
    """By dotted key: an example of each side's value, and in how many pairs it differs."""

    def cell(config: Config) -> tuple[Any, ...]:
        return config["shape"]["depth"], config["shape"]["width"], config["seed"], config["first"]

    there = {cell(config): config for key, config in other.configs.items() if key not in one.configs}
    found: dict[str, dict[str, Any]] = {}
    for key, config in one.configs.items():
        twin = there.get(cell(config))
        if key in other.configs or twin is None:
            continue
        a, b = flat(config), flat(twin)
        for name in sorted(a.keys() | b.keys()):
            if a.get(name) != b.get(name) and name != "parent":
                entry = found.setdefault(name, {"a": a.get(name), "b": b.get(name), "pairs": 0})
                entry["pairs"] += 1
    return found


def flat(value: Any, name: str = "") -> dict[str, Any]:
    """Leaves of nested mappings by dotted key."""
    if not isinstance(value, dict):
        return {name: value}
    leaves: dict[str, Any] = {}
    for key, inner in value.items():
        leaves |= flat(inner, f"{name}.{key}".lstrip("."))
    return leaves
