"""Results as Arrow, pandas and polars, and what they say: python examples/ask_results.py RESULTS SWEEP"""

import sys

import polars as pl

from analysis.budget import Budget
from analysis.guideline import recommend
from analysis.record_losses import record_losses
from analysis.source import source_of_fit
from analysis.study import study
from sweeps.asking import answer
from sweeps.store import open_store

results, sweep = sys.argv[1:3]
store = open_store(results)  # a folder, or s3://bucket/prefix

# SQL over the views trials, metrics, attempts and plans; the answer is an Arrow table.
trials = answer(store, "select depth, width, params, eval_loss from trials where status = 'completed' order by params")
print(f"{trials.num_rows} trials as Arrow; the columns are {trials.column_names}")

best = pl.from_arrow(trials).sort("eval_loss").group_by("depth", maintain_order=True).first()
print("best of each depth, as polars:", best, sep="\n")
print("the same as pandas:", trials.to_pandas().groupby("depth")["eval_loss"].min(), sep="\n")

# The loss table is a pandas frame too; a study is everything that it says about depth and width.
made = study(record_losses(store, sweep), laws=("levine2020", "transition-power"), replicates=100)
print(made.transition)
for name, fit in made.fits.items():
    print(name, fit.status, fit.law.values, fit.intervals)
    guideline = recommend(source_of_fit(f"fit:{sweep}", fit), Budget(params=1e9))
    print(f"  at 1e9 parameters: {guideline.depth:.1f} layers, {guideline.depth_interval}")
for name, reason in made.refused.items():
    print(name, "was not fitted:", reason)
