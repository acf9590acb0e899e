"""How long it takes to simulate ten thousand trials on a thousand GPUs, planning apart.

python benchmarks/simulator.py        the paper's grid with 197 seeds, on 128 nodes of eight H100
"""

from __future__ import annotations

import time
from pathlib import Path

from orchestrator.assign import devices_for, machines_of
from orchestrator.nodes import Node
from orchestrator.search import best_assigner
from sweeps.loading import load_spec
from sweeps.planning import plan

PAPER = Path(__file__).parents[1] / "sweeps" / "paper.yaml"
SEEDS = 197
NODES = 128


def main() -> None:
    spec = load_spec(PAPER)
    started = time.perf_counter()
    spec = spec.model_copy(update={"training": spec.training.model_copy(update={"seeds": list(range(SEEDS))})})
    made = plan(spec, None, {})
    planned = time.perf_counter()
    nodes = [Node(name=f"n{index:03d}", cpus=64, gpus=8, device="H100") for index in range(NODES)]
    _, simulation = best_assigner(spec, made, nodes, machines_of(nodes, devices_for(spec)))
    ended = time.perf_counter()
    print(f"{len(made.trials)} trials on {8 * NODES} GPUs: planned in {planned - started:.1f} s")
    print(f"assigned and simulated in {ended - planned:.1f} s")
    ratio = simulation.makespan_seconds / simulation.lower_bound_seconds
    print(f"makespan over lower bound {ratio:.3f}, {simulation.utilisation:.0%} busy")


if __name__ == "__main__":
    main()
