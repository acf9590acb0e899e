"""A shape for a budget, and what it rests on. Needs no results: python examples/recommend.py 70e9"""

import sys

from analysis.budget import Budget
from analysis.catalogue import published
from analysis.guideline import published_sources, recommend
from analysis.practical import Hardware

params = float(sys.argv[1]) if len(sys.argv) > 1 else 70e9

# A law is a value: ask it anything.
law, constants = published("levine2020")
print(f"{law.card.formula} with {law.values} ({constants.source})")
print(f"best depth at {params:.3g}: {float(law.depth(params)):.1f} layers; 48 are best at {float(law.params(48)):.3g}")

# A guideline is a law's answer to a budget on your hardware. Laws disagree far beyond their data, so ask them all.
hardware = Hardware(head_dim=128, tensor_parallel=8)
for source in published_sources():
    answer = recommend(source, Budget(params=params), hardware=hardware)
    low, high = answer.depth_interval or (None, None)
    interval = "no interval" if low is None else f"{low:.0f} to {high:.0f}"
    beyond = (
        "inside its data or unknown" if answer.extrapolation is None else f"{answer.extrapolation:.3g}× beyond its data"
    )
    print(f"{answer.law:38} {answer.shape.depth:4} × {answer.shape.width:<6} ({interval}; {beyond})")
