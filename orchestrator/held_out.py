"""Held-out loss and its standard error from sums by document: over all text, and over each corpus of several."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

Sums = NDArray[np.float64]


@dataclass(frozen=True, slots=True, kw_only=True)
class HeldOut:
    """Nats per token.

    error     standard error over documents; None with fewer than two
    corpora   loss and error by the place of a corpus in the spec's list; empty where there is one corpus
    """

    loss: float
    error: float | None
    corpora: dict[int, tuple[float, float | None]]

    def extra(self) -> list[tuple[str, float]]:
        """What is said of each corpus, as the record's `extra`: eval_loss/0, eval_loss_se/0, …"""
        named = [
            (name, value)
            for place, (loss, error) in self.corpora.items()
            for name, value in ((f"eval_loss/{place}", loss), (f"eval_loss_se/{place}", error))
        ]
        return [(name, value) for name, value in named if value is not None and np.isfinite(value)]


def held_out(nats: Sums, tokens: Sums, corpora: NDArray[np.uint8] | None) -> HeldOut:
    """From each document's nats and tokens, (documents,), and which corpus it is of, if there are several."""
    loss, error = ratio(nats, tokens)
    places = [] if corpora is None else np.unique(corpora[tokens > 0]).tolist()
    by_corpus = {place: ratio(nats[corpora == place], tokens[corpora == place]) for place in places}
    return HeldOut(loss=loss, error=error, corpora=by_corpus)


def ratio(nats: Sums, tokens: Sums) -> tuple[float, float | None]:
    """Σ nats / Σ tokens and its standard error: that of a ratio of sums over documents, which differ in length and are
    the independent units (Cochran 1977, "Sampling Techniques", section 6.3)."""
    loss = float(nats.sum() / tokens.sum())
    used = tokens > 0
    if used.sum() < 2:
        return loss, None
    spread = ((nats - loss * tokens)[used] ** 2).sum() * used.sum() / (used.sum() - 1)
    return loss, float(np.sqrt(spread) / tokens.sum())
