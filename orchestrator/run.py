"""A sweep from spec to record: plan, prepare, ask the record what is finished, run the rest."""

from __future__ import annotations

import os
from collections.abc import Callable, Mapping
from dataclasses import dataclass

from orchestrator.access import guard
from orchestrator.address import answering
from orchestrator.corpora.extending import refuse_changed
from orchestrator.corpora.prepare import prepare
from orchestrator.corpora.prepared import Prepared, find_prepared
from orchestrator.corpora.watcher import Watcher
from orchestrator.display import Display
from orchestrator.failures import is_final, kind
from orchestrator.literal import resolved
from orchestrator.provenance import versions
from orchestrator.trackers.tracking import check_trackers, tracked
from sweeps.planning import Plan, plan
from sweeps.record import publish_plan
from sweeps.safe_yaml import SpecError
from sweeps.spec import Spec
from sweeps.states import TrialState
from sweeps.store import Store


@dataclass(frozen=True, slots=True, kw_only=True)
class Outcome:
    """How a run ended: trials by what became of them, and whether it was stopped before its end.

    barred   of those without a usable loss: what can never start, since the trunk it goes on from has none
    """

    plan: Plan
    trained: int
    already: int
    unusable: int
    barred: int
    left: int
    stopped: bool


def run(spec: Spec, store: Store, display: Display, stopping: Callable[[], bool], *, takeover: bool = False) -> Outcome:
    """Train what is not finished. Raises SpecError before anything starts, StoreError where the store fails."""
    check_trackers(spec)
    corpus = find_prepared(spec, store)
    if corpus is None:
        plan(spec, None, {})  # what the spec's own parts rule out is refused before anything is written
    if spec.cluster.address:  # asked before a corpus takes hours
        guard(spec.cluster.address, os.environ)
        answering(spec.cluster.address)
    if corpus is None:
        display.say(f"preparing the corpus {spec.data.corpus}")
        corpus = prepare(spec, store, Watcher(display.say, stopping))
    check_corpus(spec, corpus)
    refuse_changed(spec, store, corpus)
    made, known = resolved(spec, store, corpus)
    publish_plan(store, made, spec.model_dump(mode="json"), versions())
    retries = spec.cluster.retries
    done = {key for key, state in known.items() if is_final(state.endings, retries)}
    if len(done | barred(made, known, done)) < len(made.trials) or made.waiting:
        guard(spec.cluster.address, os.environ)  # before the import: Ray reads how it authenticates once, when it loads
        from orchestrator.conduct import conduct

        with tracked(spec, store, display.say):
            conduct(spec, store, corpus, made, known, display, stopping, takeover)
        made, known = resolved(spec, store, corpus)
        publish_plan(store, made, spec.model_dump(mode="json"), versions())
    final = {key for key, state in known.items() if is_final(state.endings, retries)}
    never = barred(made, known, final)
    # one that was stopped early fell behind in a comparison; that is an answer, and no failure
    unusable = {key for key in final if kind(known[key].endings[-1] or "") not in ("completed", "stopped")}
    return Outcome(
        plan=made,
        trained=len(final - done),
        already=len(done),
        unusable=len(unusable | never),
        barred=len(never),
        left=len(made.trials) - len(final | never) + sum(waiting.trials for waiting in made.waiting),
        stopped=stopping(),
    )


def barred(plan: Plan, known: Mapping[str, TrialState], final: set[str]) -> set[str]:
    """Trials that can never start: what they go on from has ended, and not with the weights they would begin with."""
    without = {key for key in final if kind(known[key].endings[-1] or "") != "completed"}
    never: set[str] = set()
    for planned in plan.trials:  # parents come before children
        if planned.trial.parent in without | never and planned.trial.trial_id not in final:
            never.add(planned.trial.trial_id)
    return never


def check_corpus(spec: Spec, corpus: Prepared) -> None:
    """Refuse a token budget that the corpus cannot give without repeating itself."""
    most = max(spec.training.tokens)
    if most > corpus.train_tokens and not spec.data.repeat:
        raise SpecError(
            f"{spec.name}: training.tokens asks for {most:,} tokens, and the corpus has {corpus.train_tokens:,}; "
            f"ask for fewer, bring more text, or say data.repeat: true to go over it again"
        )
