"""A spec's plan as far as the record makes it literal: what waits for proxies is asked again as they finish."""

from __future__ import annotations

from orchestrator.corpora.prepared import Prepared
from orchestrator.failures import is_final, kind
from sweeps.planning import Plan, plan
from sweeps.spec import Spec
from sweeps.states import TrialState, states
from sweeps.store import Store
from sweeps.views import connect


def resolved(spec: Spec, store: Store, corpus: Prepared | None) -> tuple[Plan, dict[str, TrialState]]:
    """The plan as far as the record makes it literal, and what the record knows of its trials."""
    losses: dict[str, float | None] = {}
    while True:
        made = plan(spec, corpus.content if corpus else None, losses)
        with connect(store) as connection:
            known = states(connection, [planned.trial.trial_id for planned in made.trials])
        found = {
            key: state.eval_loss if kind(state.endings[-1] or "") == "completed" else None
            for key, state in known.items()
            if is_final(state.endings, spec.cluster.retries)
        }
        if found.keys() <= losses.keys() or not made.waiting:
            return made, known
        losses |= found
