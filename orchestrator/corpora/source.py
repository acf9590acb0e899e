"""Where text comes from, and how a spec's `data.corpus` names it.

A source is one module in `orchestrator/corpora/sources/`: `python-stdlib` is python_stdlib.py, and a mapping
`{files: …}` is read by files.py, its Options taking the mapping's keys.
"""

import difflib
import importlib
import pkgutil
from collections.abc import Iterator
from typing import Any, Protocol, cast

from pydantic import BaseModel, ValidationError

import orchestrator.corpora.sources
from sweeps.safe_yaml import SpecError


class Source(Protocol):
    """The functions of a source's module."""

    Options: type[BaseModel]

    def fingerprint(self, options: Any) -> list[object]:
        """Cheap values that change whenever the text may have; raises SpecError where there is no text."""

    def documents(self, options: Any) -> Iterator[bytes]:
        """Each document once, UTF-8, in a stable order."""


def source_of(corpus: str | dict[str, Any]) -> tuple[Source, BaseModel]:
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
        return source, source.Options.model_validate(options)
    except ValidationError as error:
        faults = [f"data.corpus.{'.'.join(map(str, e['loc']))}: {e['msg']}" for e in error.errors()]
        raise SpecError("\n".join(faults)) from None
