"""A small valid spec to vary in tests."""

from typing import Any

from sweeps.spec import Spec

SMALL: dict[str, Any] = {
    "name": "small",
    "model": {"family": "gpt", "tokenizer": "bytes", "heads": 2, "context": 32},
    "grid": {"depths": [1, 2], "widths": [8, 16]},
    "data": {"corpus": "python-stdlib"},
    "training": {"tokens": 6400, "batch_tokens": 256, "learning_rate": 1e-2, "precision": "fp32"},
    "evaluation": {"tokens": 1024, "points": 1},
}


def small(**sections: Any) -> Spec:
    """SMALL with the keys of whole sections replaced: small(training={"zero": 0}) changes only the stage."""
    changed = {}
    for name, section in SMALL.items():
        change = sections.get(name, {})
        changed[name] = (
            section | change if isinstance(section, dict) and isinstance(change, dict) else change or section
        )
    changed |= {name: section for name, section in sections.items() if name not in SMALL}
    return Spec.model_validate(changed)
