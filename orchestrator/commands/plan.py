"""sweep plan: what a spec asks for, before anything starts."""

from __future__ import annotations

import sys
from pathlib import Path
from typing import TYPE_CHECKING, Annotated, Any

import typer

from orchestrator.commands.options import AsJson, Results

if TYPE_CHECKING:
    from collections.abc import Sequence

    from orchestrator.assign import Assigner
    from orchestrator.budget import Ledger
    from orchestrator.history import Past
    from orchestrator.simulator import Simulation
    from sweeps.planning import Plan
    from sweeps.spec import Spec


def command(
    spec: Annotated[Path, typer.Argument(help="the sweep's YAML file")],
    simulate: Annotated[
        str | None, typer.Option(help="run it against a clock on such a cluster: nodes=16,gpus=8,device=h100")
    ] = None,
    timeline: Annotated[
        Path | None, typer.Option(help="draw the simulated run into this file (.png, .svg or .pdf)")
    ] = None,
    results: Results = "results",
    as_json: AsJson = False,
) -> int:
    """Show every network's shape, parameters, FLOPs, memory, devices, hours and price, and the totals."""
    from orchestrator.assign import assigner, devices_for, machines_of
    from orchestrator.budget import ledger_for
    from orchestrator.commands.printing import print_json
    from orchestrator.forecast import nodes_of, rows, stated, totals
    from orchestrator.nodes import Node
    from sweeps.loading import load_spec

    asked = load_spec(spec)
    made, history = planned(asked, results)
    devices = history.devices if history else devices_for(asked)
    ledger = history.ledger if history else ledger_for(asked.budget, devices, {})
    cluster = stated(asked.cluster, simulate)
    if cluster:
        nodes = nodes_of(cluster, devices.named(cluster.device).gpu, asked.cluster.cpus_per_worker)
    else:
        nodes = [Node(name="this machine", cpus=float(cores()))]
    machines = machines_of(nodes, devices)
    simulation = None
    if simulate is not None or timeline is not None:
        from orchestrator.search import best_assigner
        from orchestrator.simulator import simulate as against_a_clock

        placed, simulation = best_assigner(asked, made, nodes, machines)
        if ledger:
            bound = simulation.lower_bound_seconds
            simulation = against_a_clock(made, nodes, placed, lower_bound_seconds=bound, ledger=ledger)
    else:
        placed = assigner(asked, made.trials, machines)
    listed = rows(made, placed)
    beside_laws(listed)
    summed = totals(listed, made, devices.currency)
    if timeline is not None and simulation is not None:
        from orchestrator.timeline import draw

        draw(simulation, made, timeline)
        print(f"the timeline is in {timeline}", file=sys.stderr)
    answer: dict[str, Any] = {"trials": listed, "totals": summed, "notes": list(made.notes)}
    if simulation is not None:
        answer["simulation"] = simulated(simulation)
    if ledger:
        answer["budget"] = budgeted(made, placed, ledger, history.finished if history else frozenset())
    if as_json:
        print_json(answer)
        return 0
    kinds = ", ".join(f"{m.total} {m.device.name if m.device.gpu else 'cores'}" for m in machines)
    show(asked.name, kinds, answer)
    talk(made, devices.dated, history.notes if history else ())
    return 0


def planned(asked: Spec, results: str) -> tuple[Plan, Past | None]:
    """The plan as far as the record makes it literal, and what the record tells beside it.

    Provisional ids, and no past, where there is no record or the corpus is not prepared in it.
    """
    from sweeps.planning import plan

    if not Path(results).is_dir() and "://" not in results:
        return plan(asked, None, {}), None
    from orchestrator.corpora.prepared import find_prepared
    from orchestrator.literal import resolved
    from sweeps.safe_yaml import SpecError
    from sweeps.store import open_store

    store = open_store(results)
    try:
        corpus = find_prepared(asked, store)
    except SpecError:  # its source is not on this machine
        corpus = None
    if corpus is None:
        return plan(asked, None, {}), None
    from orchestrator.history import past

    made, known = resolved(asked, store, corpus)
    return made, past(asked, store, made, known)


def budgeted(made: Plan, placed: Assigner, ledger: Ledger, finished: frozenset[str]) -> dict[str, Any]:
    """What the budget lets start, the longest first: the keys of `budget` in the JSON."""
    from orchestrator.budget import affordable
    from orchestrator.packing import rank

    left = (planned for planned in made.trials if planned.trial.trial_id not in finished)
    jobs = sorted((placed(planned)[0] for planned in left), key=rank)
    return {
        "hours": ledger.budget.hours,
        "price": ledger.budget.price,
        "spent_hours": ledger.spent.hours,
        "spent_price": ledger.spent.price,
        "not_started": len(jobs) - len(affordable(jobs, ledger)),
    }


def beside_laws(listed: list[dict[str, Any]]) -> None:
    """Each row gets `best_depth`, by published law at its L·d², and `sides`, by these laws and by the theory."""
    import numpy as np

    from analysis.guideline import published_sources
    from analysis.theory import side_by_theory, side_of

    depths, widths = (np.array([row[name] for row in listed], float) for name in ("depth", "width"))
    # N as the paper's block would have it: a best depth hangs on L·d² alone, whatever a family's block holds.
    best = {source.name: source.depth(12.0 * depths * widths**2) for source in published_sources()}
    for place, row in enumerate(listed):
        own = {law: float(found[place]) for law, found in best.items()}
        sides = {law: str(side_of(row["depth"], depth)) for law, depth in own.items()}
        row["best_depth"] = own
        row["sides"] = {"theory": str(side_by_theory(row["depth"], row["width"])), **sides}


def cores() -> int:
    import os

    return len(os.sched_getaffinity(0)) if hasattr(os, "sched_getaffinity") else os.cpu_count() or 1


def simulated(simulation: Simulation) -> dict[str, float]:
    """The keys of `simulation` in the JSON."""
    return {
        "makespan_hours": simulation.makespan_seconds / 3600,
        "lower_bound_hours": simulation.lower_bound_seconds / 3600,
        "utilisation": simulation.utilisation,
        "devices": simulation.devices,
        "device_hours": simulation.device_seconds / 3600,
    }


def show(name: str, kinds: str, answer: dict[str, Any]) -> None:
    """The table, the totals under it, and the simulated run."""
    from orchestrator.commands.printing import print_table

    columns = [
        "trial",
        "L × d",
        "N",
        "parameters",
        "rate",
        "FLOPs",
        "GiB",
        "devices",
        "micro-batch",
        "hours",
        "price",
        "best L",
    ]
    cells = [
        [
            row["trial_id"] + ("" if row["purpose"] == "result" else f" {row['purpose']}"),
            f"{row['depth']} × {row['width']}",
            short(row["params"]),
            short(row["params_total"]),
            f"{row['learning_rate']:.2g}",
            f"{row['flops']:.2e}",
            f"{row['memory_gib']:.1f}",
            share(row["devices"]),
            f"{row['micro_batch']} × {row['accumulation']}" + (" recomputed" if row["checkpoint_activations"] else ""),
            f"{row['hours']:.3g}",
            f"{row['price']:,.2f}",
            among_laws(row),
        ]
        for row in answer["trials"]
    ]
    print_table(columns, cells, title=f"{name} on {kinds}")
    total = answer["totals"]
    print(
        f"{total['trials']} trials, {total['flops']:.3g} FLOPs, {total['device_hours']:,.1f} device-hours, "
        f"{total['price']:,.0f} {total['currency']}"
        + (f"; {total['waiting']} more wait for their learning rate" if total["waiting"] else "")
    )
    if answer["trials"]:
        print(by_side(answer["trials"]))
    if budget := answer.get("budget"):
        print(f"budget: {budget['not_started']} trials would not be started, since they would pass it")
    if made := answer.get("simulation"):
        print(
            f"simulated: {made['makespan_hours']:.3g} hours on {made['devices']} devices, "
            f"{made['utilisation']:.0%} of them busy; no schedule beats {made['lower_bound_hours']:.3g} hours"
        )


def among_laws(row: dict[str, Any]) -> str:
    """The best depths of the published laws, and on which side of them the network lies where they agree."""
    low, high = min(row["best_depth"].values()), max(row["best_depth"].values())
    sides = {side for law, side in row["sides"].items() if law != "theory"}
    return f"{low:.0f}–{high:.0f} {sides.pop() if len(sides) == 1 else 'between'}"


def by_side(listed: list[dict[str, Any]]) -> str:
    """How many networks are shallower than their best depth, by law, and by the theory's threshold log₃(d)."""
    counts = {name: sum(row["sides"][name] == "shallow" for row in listed) for name in listed[0]["sides"]}
    return f"shallow, of {len(listed)}: " + ", ".join(f"{count} by {name}" for name, count in counts.items())


def talk(made: Plan, dated: str, notes: Sequence[str]) -> None:
    """What a person should know beside the data, on standard error."""
    for note in (*made.notes, *notes):
        print(f"note: {note}", file=sys.stderr)
    if made.provisional:
        print(
            "the ids are provisional: the corpus is not prepared here, and its content is part of them", file=sys.stderr
        )
    print(f"hours and prices rest on the assumptions of devices.yaml, dated {dated}", file=sys.stderr)


def short(count: int) -> str:
    """A number of parameters as people say it: 1.3M."""
    for unit, size in (("T", 1e12), ("B", 1e9), ("M", 1e6), ("k", 1e3)):
        if count >= size:
            return f"{count / size:.3g}{unit}"
    return str(count)


def share(devices: float) -> str:
    """So many devices, or the part of one that a trial takes."""
    return f"{devices:g}" if devices >= 1 else f"1/{round(1 / devices)}"
