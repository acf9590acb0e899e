"""A Hugging Face dataset: by its name on the hub, streamed; or a folder that `save_to_disk` wrote; or local files.

The hub's name without a revision means the newest one at the time of preparing; what was prepared then stays.
"""

from __future__ import annotations

import socket
from collections.abc import Iterator
from pathlib import Path
from typing import Any
from urllib.parse import urlsplit
from urllib.request import getproxies

from pydantic import Field

from orchestrator.corpora.documents import checked, no_column, pieces
from orchestrator.corpora.sources.files import matching
from sweeps.safe_yaml import SpecError
from sweeps.strict import Strict

SAVED = ("state.json", "dataset_dict.json")  # what save_to_disk leaves in a folder


class Options(Strict):
    """{dataset: Skylion007/openwebtext, split: train, text: text}"""

    dataset: str = Field(
        description="a name on the hub, a folder written by save_to_disk, or json, parquet, csv or text with `files`"
    )
    config: str | None = Field(None, description="the dataset's configuration, where it has several")
    split: str = Field("train", description="the split that is read; our own held-out part is taken from it")
    revision: str | None = Field(None, description="commit or tag on the hub; the newest if left out: pin it")
    text: str = Field("text", description="the column of text")
    files: str | list[str] | None = Field(None, description="json, parquet, csv or text: paths or patterns")


def fingerprint(options: Options) -> list[object]:
    """Name and revision of a dataset on the hub; path, size and modification time (ns) of every local file."""
    if options.files is not None:
        paths = matching(options.files, "data.corpus.files")
    elif is_saved(options):
        paths = sorted(path for path in Path(options.dataset).rglob("*") if path.is_file())
    else:
        return [options.dataset, options.config, options.split, options.revision]
    states = [(path, path.stat()) for path in paths]
    return [[path.as_posix(), state.st_size, state.st_mtime_ns] for path, state in states]


def documents(options: Options) -> Iterator[bytes]:
    """The text column of every row that has text, in the dataset's own order. Raises SpecError."""
    place = f"data.corpus.dataset: {options.dataset}"
    rows = opened(options, place)
    features = getattr(rows, "features", None)
    if features is not None and options.text not in features:
        raise no_column(place, options.text, features)
    number = 0
    try:
        for number, row in enumerate(rows, 1):
            if options.text not in row:
                raise no_column(place, options.text, row)
            value = row[options.text]
            if value is None:
                continue
            if not isinstance(value, str):
                kind = type(value).__name__
                raise SpecError(f"{place}, row {number}: column {options.text!r} holds a {kind}, not text")
            yield from pieces(checked(value.encode(errors="replace"), f"{place}, row {number}", 0))
    except (OSError, RuntimeError) as error:
        raise unreachable(place, error, f"after row {number:,}") from error
    if not number:
        raise SpecError(f"{place}: split {options.split!r} has no rows")


def opened(options: Options, place: str) -> Any:
    """The rows, to be iterated over. Raises SpecError for what is not there or cannot be reached."""
    try:
        import datasets
    except ImportError as error:
        raise SpecError(f"{place}: needs the package datasets; pip install 'interplay[datasets]'") from error
    datasets.disable_progress_bars()
    try:
        if is_saved(options):
            saved = datasets.load_from_disk(options.dataset)
            if not isinstance(saved, datasets.DatasetDict):
                return saved
            if options.split not in saved:
                raise SpecError(f"{place}: there is no split {options.split!r}; splits are {', '.join(saved)}")
            return saved[options.split]
        files = None
        if options.files is None and "/" in options.dataset:
            check_network()
        if options.files is not None:
            files = [str(path.absolute()) for path in matching(options.files, "data.corpus.files")]
        return datasets.load_dataset(
            options.dataset,
            options.config,
            split=options.split,
            revision=options.revision,
            data_files=files,
            streaming=True,
        )
    except SpecError:
        raise
    except Exception as error:  # the library, its network client and its builders each raise their own
        raise unreachable(place, error, "before the first row") from error


def check_network() -> None:
    """Raise OSError at once where the hub's name cannot be resolved; its client would try for half a minute."""
    from huggingface_hub.constants import ENDPOINT, HF_HUB_OFFLINE

    if not HF_HUB_OFFLINE and not getproxies():
        socket.getaddrinfo(urlsplit(ENDPOINT).hostname, urlsplit(ENDPOINT).port or 443)


def is_saved(options: Options) -> bool:
    return any(Path(options.dataset, name).is_file() for name in SAVED)


def unreachable(place: str, error: Exception, when: str) -> SpecError:
    said = " ".join(str(error).split())[:300]
    return SpecError(
        f"{place} cannot be read ({when}): {type(error).__name__}: {said}. Is there a network, and does it exist? A "
        f"machine without one can use what was prepared elsewhere (--results), a folder written by save_to_disk, or "
        f"{{files: …}}"
    )
