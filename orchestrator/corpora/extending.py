"""A sweep that is extended must go on with the text it began with: losses on two texts cannot be compared."""

from __future__ import annotations

import json
from typing import Any

from orchestrator.corpora.prepared import PREPARATION, Prepared, read_manifest
from sweeps.record import attempts_by_trial, plan_names, read_plan
from sweeps.safe_yaml import SpecError
from sweeps.spec import Spec
from sweeps.store import Store


def refuse_changed(spec: Spec, store: Store, corpus: Prepared) -> None:
    """Raise SpecError where trials of this sweep were trained on other text that the spec names in the same words.

    A spec that now names other text is a choice, and is allowed.
    """
    plans = [plan for sweep, plan in plan_names(store) if sweep == spec.name]
    tried = attempts_by_trial(store) if plans else {}
    for plan in plans:
        file = read_plan(store, spec.name, plan)
        contents = set(file.rows.column("corpus").to_pylist()) - {corpus.content}
        trained = [trial for trial in file.trial_ids if trial in tried]
        if not contents or not trained or "interplay.spec" not in file.footer:
            continue
        if named(json.loads(file.footer["interplay.spec"])) != named(spec.model_dump(mode="json")):
            continue
        raise SpecError(
            f"{spec.name}: data.corpus is not the text that {len(trained)} trials of {spec.name}@{plan} were trained "
            f"on: {reason(store, min(contents), corpus)}. The new trials could not be compared with them: bring the "
            f"old text back, or give this sweep another name"
        )


def named(spec: dict[str, Any]) -> list[Any]:
    """What a spec, as plain values, says of its tokens."""
    return [spec["data"]["corpus"], spec["data"]["held_out"], spec["model"]["tokenizer"], spec["model"]["vocabulary"]]


def reason(store: Store, content: str, corpus: Prepared) -> str:
    """How the two differ, as far as the record says."""
    try:
        before = read_manifest(store, content)
    except FileNotFoundError:
        return f"its content is {corpus.content[:16]} now and was {content[:16]}"
    version = before.declared.get("preparation")
    if version != PREPARATION:
        return f"it was prepared by version {version} of the preparation, and this code has version {PREPARATION}"
    return (
        f"it has {corpus.train_tokens + corpus.held_out_tokens:,} tokens in "
        f"{corpus.train_documents + corpus.held_out_documents:,} documents now, and had "
        f"{before.train_tokens + before.held_out_tokens:,} in {before.train_documents + before.held_out_documents:,}"
    )
