"""Well-known models beside each law: which are too shallow, which too deep, and what that is thought to cost."""

import json
from collections.abc import Iterable
from dataclasses import dataclass
from importlib.resources import files

from analysis.source import Source
from analysis.theory import Side, side_by_theory


@dataclass(frozen=True, slots=True, kw_only=True)
class KnownModel:
    """A published shape. Without heads it is counted as the paper's block, N = 12·L·d².

    date     of publication, year and month; source and mark say how the shape is known ("S" read, "M" from memory)
    """

    name: str
    date: str
    depth: int
    width: int
    source: str
    mark: str
    query_heads: int | None = None
    kv_heads: int | None = None
    head_dim: int | None = None
    feed_forward: int | None = None
    feed_forward_matrices: int | None = None

    @property
    def params(self) -> float:
        """N, the blocks' weight matrices."""
        if None in (self.query_heads, self.kv_heads, self.head_dim, self.feed_forward, self.feed_forward_matrices):
            return 12.0 * self.depth * self.width**2
        attention = 2 * (self.query_heads or 0) * (self.head_dim or 0) + 2 * (self.kv_heads or 0) * (self.head_dim or 0)
        forward = (self.feed_forward_matrices or 0) * (self.feed_forward or 0)
        return float(self.depth * self.width * (attention + forward))


@dataclass(frozen=True, slots=True, kw_only=True)
class Comparison:
    """A model against a law: its best depth at the model's N, the ratio of depths, the side, the price in nats."""

    model: KnownModel
    law: str
    best_depth: float
    best_width: float
    ratio: float
    side: Side
    penalty_nats: float
    penalty_from: str

    def as_json(self) -> dict[str, object]:
        """What `sweep recommend --models --json` prints."""
        own = {name: getattr(self.model, name) for name in ("name", "date", "depth", "width", "params", "source")}
        theory = side_by_theory(self.model.depth, self.model.width)
        said = {name: getattr(self, name) for name in ("best_depth", "best_width", "ratio", "penalty_nats")}
        return {
            **own,
            "law": self.law,
            **said,
            "side": str(self.side),
            "penalty_from": self.penalty_from,
            "theory": str(theory),
        }


def known_models() -> tuple[KnownModel, ...]:
    """From analysis/data/known_models.json, which may be edited."""
    rows = json.loads((files("analysis") / "data" / "known_models.json").read_text(encoding="utf-8"))
    return tuple(KnownModel(**row) for row in rows["models"])


def compare(models: Iterable[KnownModel], sources: Iterable[Source]) -> tuple[Comparison, ...]:
    """Every model with every law that has a depth."""
    sources = tuple(sources)
    return tuple(_compare(model, source) for model in models for source in sources)


def _compare(model: KnownModel, source: Source) -> Comparison:
    best = float(source.depth(model.params))
    price, lender = source.penalty(model.params, float(model.depth))
    return Comparison(
        model=model,
        law=source.name,
        best_depth=best,
        best_width=float(source.width(model.params, best)),
        ratio=model.depth / best,
        side=Side.SHALLOW if model.depth < best else Side.DEEP,
        penalty_nats=float(price),
        penalty_from=lender,
    )
