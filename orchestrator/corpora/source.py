"""Where text comes from, and how a spec's `data.corpus` names it.

A source is one module in `orchestrator/corpora/sources/`: `python-stdlib` is python_stdlib.py, and a mapping
`{files: …}` is read by files.py, its Options taking the mapping's keys. A list names several, read one after the
other.
"""

import difflib
import importlib
import pkgutil
from collections.abc import Iterator
from dataclasses import dataclass
from typing import Any, Protocol, cast

import numpy as np
from numpy.typing import NDArray
from pydantic import BaseModel, ValidationError

import orchestrator.corpora.sources
from sweeps.safe_yaml import SpecError

Document = bytes | NDArray[np.unsignedinteger]


class Source(Protocol):
    """The functions of a source's module."""

    Options: type[BaseModel]

    def fingerprint(self, options: Any) -> list[object]:
        """Cheap values that change whenever the text may have; raises SpecError where there is no text."""

    def documents(self, options: Any) -> Iterator[Document]:
        """Each document once, in a stable order: UTF-8, or the token ids of a source with TOKENS = True."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Corpus:
    """One of the corpora that a spec names: its source and what the source is told."""

    source: Source
    options: BaseModel

    @property
    def tokenised(self) -> bool:
        return getattr(self.source, "TOKENS", False)

    def fingerprint(self) -> list[object]:
        return self.source.fingerprint(self.options)

    def documents(self) -> Iterator[Document]:
        return self.source.documents(self.options)


def corpora_of(named: str | dict[str, Any] | list[str | dict[str, Any]]) -> list[Corpus]:
    """The corpora a spec names, in order. Raises SpecError."""
    found = [corpus_of(one) for one in (named if isinstance(named, list) else [named])]
    if len({corpus.tokenised for corpus in found}) > 1:
        raise SpecError("data.corpus: text and token ids stand in one list; name corpora of one kind")
    return found


def corpus_of(corpus: str | dict[str, Any]) -> Corpus:
    """The source and its validated options. Raises SpecError."""
    known = sorted(module.name for module in pkgutil.iter_modules(orchestrator.corpora.sources.__path__))
    if isinstance(corpus, dict):
        named = [key for key in corpus if key in known]
        name, options = (named[0] if named else next(iter(corpus), "")), corpus
    else:
        name, options = corpus.replace("-", "_"), {}
    if name not in known:
        close = difflib.get_close_matches(name, known, 1)
        hint = f"did you mean {close[0].replace('_', '-')!r}? " if close else ""
        there = ", ".join(name.replace("_", "-") for name in known)
        raise SpecError(f"data.corpus: there is no source of text called {corpus!r}; {hint}sources are {there}")
    source = cast(Source, importlib.import_module(f"orchestrator.corpora.sources.{name}"))
    try:
        return Corpus(source=source, options=source.Options.model_validate(options))
    except ValidationError as error:
        raise SpecError("\n".join(explain(fault, source.Options) for fault in error.errors())) from None


def explain(fault: Any, options: type[BaseModel]) -> str:
    """One line for one of pydantic's errors in a corpus's options."""
    place = ".".join(map(str, fault["loc"]))
    field = options.model_fields.get(str(fault["loc"][0])) if fault["loc"] else None
    about = f"; {field.description}" if field and field.description else ""
    match fault["type"]:
        case "missing":
            return f"data.corpus.{place}: is missing{about}"
        case "extra_forbidden":
            return f"data.corpus.{place}: there is no such key; keys here are {', '.join(options.model_fields)}"
        case _:
            return f"data.corpus.{place} is {fault['input']!r}: {fault['msg']}{about}"
