"""How the report writes numbers and times, so that a reader meets each in one spelling."""

from __future__ import annotations

import math
from collections.abc import Callable
from datetime import UTC, datetime

SUFFIXES = ((1e12, "T"), (1e9, "B"), (1e6, "M"), (1e3, "K"))
MISSING = "–"


def size(value: float | None, digits: int = 2) -> str:
    """A count as the field says it: 24K, 1.3M, 70B; 1e15 and more in powers of ten."""
    if value is None or not math.isfinite(value):
        return MISSING
    if value >= 1e15:
        return f"{value:.{digits}g}"
    rounded = float(f"{value:.{digits}g}")
    for unit, letter in SUFFIXES:
        if rounded >= unit:
            return f"{plain(rounded / unit)}{letter}"
    return plain(rounded)


def plain(value: float) -> str:
    """A number without an exponent and without noughts that say nothing; thousands apart."""
    return f"{value:,.10g}" if value != round(value) else f"{value:,.0f}"


def number(value: float | None, digits: int = 3) -> str:
    """Any number to so many significant digits."""
    return MISSING if value is None or not math.isfinite(value) else f"{value:.{digits}g}"


def nats(value: float | None) -> str:
    """A loss."""
    return MISSING if value is None or not math.isfinite(value) else f"{value:.4f}"


def layers(value: float | None) -> str:
    """A continuous depth: a decimal below ten layers, where it matters."""
    if value is None or not math.isfinite(value):
        return MISSING
    return f"{value:.1f}" if value < 9.95 else f"{value:,.0f}"


def fine_layers(value: float | None) -> str:
    """A continuous depth as an end of an interval: two decimals below ten layers, so that its width is seen."""
    return f"{value:.2f}" if value is not None and value < 9.95 else layers(value)


def shape(depth: float, width: float) -> str:
    """depth × width; a law may want less than one layer of a small network, and then there is no such shape."""
    return "under 1 layer" if depth < 1 else f"{layers(depth)} × {width:,.0f}"


def between(pair: tuple[float | None, float | None] | None, word: Callable[[float | None], str] = fine_layers) -> str:
    """An interval; an open end is said to be open."""
    if pair is None or pair == (None, None):
        return MISSING
    low, high = (None if end is None or not math.isfinite(end) else word(end) for end in pair)
    if low is None:
        return f"up to {high}"
    return f"{low} or more" if high is None else f"{low} to {high}"


def moment(when: datetime | None) -> str:
    """A time, to the minute, in UTC."""
    return MISSING if when is None else when.astimezone(UTC).strftime("%Y-%m-%d %H:%M UTC")


def span(seconds: float | None) -> str:
    """A duration in its two largest units."""
    if seconds is None or not math.isfinite(seconds):
        return MISSING
    whole = round(seconds)
    days, hours, minutes = whole // 86400, whole // 3600 % 24, whole // 60 % 60
    if days:
        return f"{days} d {hours} h"
    if hours:
        return f"{hours} h {minutes} min"
    return f"{minutes} min {whole % 60} s" if minutes else f"{whole} s"


def count(number: int, noun: str) -> str:
    """1 trial, 2 trials."""
    return f"{number:,} {noun}{'' if number == 1 else 's'}"


def sentence(text: str) -> str:
    """With a capital and a full stop."""
    return text[0].upper() + text[1:] + ("" if text.endswith(".") else ".")


def listed(words: list[str]) -> str:
    """a, b and c."""
    return words[0] if len(words) == 1 else f"{', '.join(words[:-1])} and {words[-1]}" if words else ""
