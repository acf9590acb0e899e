"""Where laws are found: every module of `analysis/laws/` is one, under its own name with dashes for underscores."""

import difflib
import importlib
import pkgutil
from functools import cache
from typing import cast

import analysis.laws
from analysis.additive import AdditiveLaw
from analysis.law import Card, LawError, Published
from analysis.transition_law import TransitionLaw

LawType = type[TransitionLaw] | type[AdditiveLaw]
AnyLaw = TransitionLaw | AdditiveLaw


@cache
def law_names() -> tuple[str, ...]:
    """Of all laws, sorted."""
    return tuple(sorted(module.name.replace("_", "-") for module in pkgutil.iter_modules(analysis.laws.__path__)))


@cache
def find(name: str) -> LawType:
    """The law called `name`. Raises LawError, naming those there are."""
    if name not in law_names():
        close = difflib.get_close_matches(name, law_names(), 1)
        hint = f"; did you mean {close[0]!r}?" if close else ""
        raise LawError(f"there is no law {name!r}{hint} The laws are {', '.join(law_names())}")
    return cast(LawType, importlib.import_module(f"analysis.laws.{name.replace('-', '_')}").LAW)


def card(name: str) -> Card:
    """The description of the law called `name`. Raises LawError."""
    return find(name).card


def published(name: str, label: str | None = None) -> tuple[AnyLaw, Published]:
    """A law with published constants, the first listed unless `label` names others, and where they are from.

    Raises LawError where the law has none: it is only fitted.
    """
    law = find(name)
    sets = [constants for constants in law.card.published if label is None or constants.label == label]
    if not sets:
        known = ", ".join(repr(constants.label) for constants in law.card.published)
        raise LawError(
            f"{name} has no published constants{f' {label!r}; it has {known}' if known else ''}: "
            f"fit it to a sweep (sweep fit SWEEP --law {name}) and ask for fit:SWEEP"
        )
    return of_values(law, sets[0].values), sets[0]


def of_values(law: LawType, values: dict[str, float]) -> AnyLaw:
    """The law with these constants by name."""
    if issubclass(law, AdditiveLaw):
        return law.of_values(values)
    return law(**values)
