"""Early stopping by successive halving (ASHA; Li et al. 2020, arXiv 1810.05934), on tokens, without waiting.

A trial is compared when it reaches a rung, at the same step as those before it, by the loss on that step's batch:
trials of one seed see the same batches, so the comparison is paired. It goes on if it is among the best 1/factor of
those that have reached the rung so far; the best one always is, so of every set of trials at least one ends.
"""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Iterable
from dataclasses import asdict, replace

import duckdb
import pyarrow as pa

from sweeps.planning import Planned
from sweeps.spec import EarlyStopping
from sweeps.trial import Trial, canonical


class Halving:
    """Which trials stop. A trial with nothing to compare it with never does, nor one that continues another, or is
    continued.

    `rungs` gives a trial's steps of comparison, `heard` the reason to stop there, if there is one.
    """

    def __init__(self, rule: EarlyStopping, planned: Iterable[Planned]) -> None:
        self.rule = rule
        members: dict[str, list[Trial]] = defaultdict(list)
        for trial in (p.trial for p in planned if p.purpose != "trunk" and p.trial.parent is None):
            members[self.compared_with(trial)].append(trial)
        self.sets = {
            trial.trial_id: (name, self.steps(trial))
            for name, trials in members.items()
            if len(trials) > 1
            for trial in trials
        }
        self.reached: dict[tuple[str, int], dict[str, float]] = defaultdict(dict)

    def compared_with(self, trial: Trial) -> str:
        """A name that the trials have in common with which this one is compared."""
        if self.rule.needed:
            return canonical([trial.tokens, trial.batch_tokens])
        alike = replace(trial.recipe, learning_rate=0.0)
        return canonical([trial.shape.as_dict(), asdict(alike), trial.seed, trial.last])

    def steps(self, trial: Trial) -> tuple[int, ...]:
        found = []
        tokens = self.rule.tokens
        while (step := max(1, round(tokens / trial.batch_tokens))) < trial.last:
            found.append(step)
            tokens *= self.rule.factor
        return tuple(sorted(set(found)))

    def rungs(self, trial_id: str) -> tuple[int, ...]:
        """Steps at which the trial is compared; none where it never is."""
        return self.sets[trial_id][1] if trial_id in self.sets else ()

    def heard(self, trial_id: str, step: int, loss: float | None) -> str | None:
        """The trial stands at a step with this loss: why it should stop, None where it should not."""
        if loss is None or step not in self.rungs(trial_id):
            return None
        there = self.reached[self.sets[trial_id][0], step]
        there.setdefault(trial_id, loss)
        better = sum(other < there[trial_id] for other in there.values())
        allowed = max(1, int(len(there) / self.rule.factor))
        if better < allowed:
            return None
        return f"at step {step} its loss {loss:.4f} is number {better + 1} of {len(there)}, and {allowed} go on"

    def learn(self, connection: duckdb.DuckDBPyConnection) -> None:
        """Take up what the record says of rungs that were reached in earlier runs."""
        places = [(trial_id, step) for trial_id, (_, steps) in self.sets.items() for step in steps]
        wanted = {"trial_id": pa.array([p[0] for p in places], pa.string()), "step": pa.array([p[1] for p in places])}
        connection.register("rungs", pa.table(wanted).cast(pa.schema({"trial_id": pa.string(), "step": pa.int64()})))
        sql = "select trial_id, step, loss from metrics join rungs using (trial_id, step) where loss is not null"
        for trial_id, step, loss in connection.execute(sql).fetchall():
            self.reached[self.sets[trial_id][0], step][trial_id] = loss
        connection.unregister("rungs")
