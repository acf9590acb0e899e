"""What a spec asks for, and whether its grid could show a transition: python examples/before_training.py SPEC"""

import sys
from pathlib import Path

import numpy as np

from analysis.laws.levine2020 import Levine2020
from analysis.study import study
from analysis.worlds import VALLEYS, World
from models.counts import flops_per_token, parameters
from sweeps.loading import load_spec
from sweeps.planning import plan

spec = load_spec(Path(sys.argv[1]))
made = plan(spec, None, {})  # no corpus here: the ids are provisional, the shapes are not
shapes = [planned.trial.shape for planned in made.trials]
flops = sum(planned.trial.tokens * flops_per_token(planned.trial.shape) for planned in made.trials)
sizes = [parameters(shape) for shape in shapes]
print(f"{len(shapes)} trainings of {min(sizes):.3g} to {max(sizes):.3g} parameters, {flops:.3g} FLOPs")

# A world in which the truth is known: 2 layers are best from about 8e4 parameters on, one loss is good to 0.01 nats.
truth = Levine2020(a=3.0, b=0.5)
world = World(law=truth, valley=VALLEYS["gemstones"], noise_sd=0.01)
seeds: dict[tuple[int, int], int] = {}
for shape in shapes:
    seeds[shape.depth, shape.width] = seeds.get((shape.depth, shape.width), 0) + 1
table = world.table(list(seeds), list(seeds.values()), np.random.default_rng(0))
found = study(table, laws=("levine2020",), replicates=100)
print("in that world this grid says:", found.transition)
if fit := found.fits.get("levine2020"):
    print("fitted:", fit.law.values, "the truth:", truth.values, "status:", fit.status)
else:
    print("no law could be fitted:", found.refused["levine2020"])
