"""What goes on from a trunk without an end that can be used is not waited for."""

from typing import Any

from orchestrator.run import barred
from sweeps.planning import plan
from sweeps.spec import Spec
from sweeps.states import TrialState

ASKED: dict[str, Any] = {
    "name": "budgets",
    "model": {"family": "gpt", "tokenizer": "bytes", "heads": 2, "context": 32},
    "grid": {"shapes": [[1, 16], [2, 16]]},
    "data": {"corpus": "python-stdlib"},
    "training": {
        "tokens": [25600, 51200],
        "batch_tokens": 256,
        "learning_rate": 1e-2,
        "schedule": {"kind": "wsd", "warmup": 0.1, "decay": 0.2},
    },
    "evaluation": {"tokens": 1024, "points": 1},
}


def test_what_follows_a_diverged_trunk_never_starts() -> None:
    made = plan(Spec.model_validate(ASKED), None, {})
    first, second = (p.trial for p in made.trials if p.purpose == "trunk" and p.trial.parent is None)
    follow = {p.trial.trial_id for p in made.trials if p.trial.shape == first.shape} - {first.trial_id}
    assert len(follow) == 3  # the shorter budget's tail, the trunk's second piece and its tail
    for reason in ("diverged: no number", "stopped: behind"):
        known = {first.trial_id: TrialState(endings=(reason,))}
        assert barred(made, known, {first.trial_id}) == follow
    fine = {first.trial_id: TrialState(endings=("completed",)), second.trial_id: TrialState(endings=("lost",))}
    assert barred(made, fine, {first.trial_id}) == set()
