"""What preparing a corpus and feeding its batches cost; see ABOUT."""

import itertools
import json
import statistics
import sys
import tempfile
import time
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import psutil

from benchmarks.rows import Curve, Row

TITLE = "Corpora"
ABOUT = """Preparing is a process of its own, start-up included: text to tokens in the record, BPE of 2,000 tokens
learned first. The large text is the source code of the installed packages, over and over with a number before each
file, as files of 50 kB; memory is resident memory of the process and all it starts, looked at ten times a second.
Feeding is the mean time to draw a batch of 32 × 128 tokens, as the training loop does, over the time of a step of the
smallest shape of the training table (31 ms on two cores)."""
PREPARE = """
import json, sys
from orchestrator.corpora.prepare import prepare
from sweeps.spec import Spec
from sweeps.store import open_store
prepare(Spec.model_validate(json.loads(sys.argv[1])), open_store(sys.argv[2]))
"""
SPEC: dict[str, Any] = {
    "name": "corpus",
    "model": {"family": "gpt", "tokenizer": "bpe", "vocabulary": 2000, "heads": 2, "context": 128},
    "grid": {"shapes": [[1, 64]]},
    "data": {"corpus": "python-stdlib"},
    "training": {"tokens": 1e6, "batch_tokens": 4096, "learning_rate": 1e-3},
    "evaluation": {"tokens": 1024, "points": 1},
}
FILE_BYTES = 50_000  # many documents, since held-out text is whole ones
STEP_SECONDS = 0.031


def prepared(spec: dict[str, Any], results: Path) -> tuple[float, float]:
    """(seconds, highest resident GiB) of preparing a spec's corpus."""
    started = time.perf_counter()
    process = psutil.Popen([sys.executable, "-c", PREPARE, json.dumps(spec), str(results)])
    most = 0
    while process.poll() is None:
        try:
            tree = [process, *process.children(recursive=True)]
            most = max(most, sum(one.memory_info().rss for one in tree))
        except psutil.NoSuchProcess:
            continue
        time.sleep(0.1)
    if process.returncode:
        raise RuntimeError(f"preparing ended with status {process.returncode}")
    return time.perf_counter() - started, most / 2**30


def text(folder: Path, megabytes: int) -> dict[str, Any]:
    """The spec of a corpus of so many megabytes, which are written."""
    folder.mkdir()
    sources = itertools.cycle(sorted(Path(json.__file__).parents[1].rglob("*.py")))
    for number in range(max(1, megabytes * 1_000_000 // FILE_BYTES)):
        (folder / f"{number:05d}.txt").write_text("".join(filled(sources, number)))
    return SPEC | {"data": {"corpus": {"files": f"{folder}/*.txt"}}}


def filled(sources: Iterator[Path], number: int) -> Iterator[str]:
    """Pieces of one file, until it is full."""
    left = FILE_BYTES
    while left > 0:
        source = next(sources)
        piece = f"# {number} {source.name}\n" + source.read_text(errors="ignore")[:left]
        left -= len(piece.encode())
        yield piece


def feeding(results: Path) -> float:
    """Mean seconds to draw one batch."""
    from orchestrator.corpora.batches import batch
    from orchestrator.corpora.prepare import prepare
    from orchestrator.corpora.tokens import open_tokens
    from sweeps.spec import Spec
    from sweeps.store import open_store

    store = open_store(results)
    tokens = open_tokens(store, prepare(Spec.model_validate(SPEC), store).content).train
    times = []
    for step in range(1, 1281):
        started = time.perf_counter()
        batch(tokens, context=128, sequences=32, seed=0, step=step, rows=slice(0, 32))
        times.append(time.perf_counter() - started)
    return statistics.mean(times)


def large(megabytes: int) -> tuple[float, float]:
    """(seconds, GiB) of preparing so much text."""
    with tempfile.TemporaryDirectory() as folder:
        return prepared(text(Path(folder) / "text", megabytes), Path(folder) / "results")


def rows() -> list[Row]:
    with tempfile.TemporaryDirectory() as folder:
        first, _ = prepared(SPEC, Path(folder))
        again = statistics.median(prepared(SPEC, Path(folder))[0] for _ in range(3))
        drawn = feeding(Path(folder))
    took, memory = large(100)
    return [
        Row(name="the quickstart's text, the first time", figure=first, unit="s", target=15.0, better="less"),
        Row(name="the same again", figure=again, unit="s", target=0.5, better="less"),
        Row(name="feeding, share of a step", figure=100 * drawn / STEP_SECONDS, unit="%", target=2.0, better="less"),
        Row(name="100 MB of text", figure=100 / took, unit="MB/s", target=5.0),
        Row(name="memory for it", figure=memory, unit="GiB", target=1.0, better="less"),
    ]


def curves() -> list[Curve]:
    """Seconds and memory against megabytes of text."""
    found = [(float(size), *large(size)) for size in (10, 100, 1000)]
    return [
        Curve(
            name="Preparing text",
            x_label="MB",
            y_label="seconds",
            points=tuple((size, took) for size, took, _ in found),
        ),
        Curve(
            name="Memory for preparing text",
            x_label="MB",
            y_label="GiB",
            points=tuple((size, memory) for size, _, memory in found),
        ),
    ]


if __name__ == "__main__":
    for row in rows():
        print(f"{row.name}: {row.figure} {row.unit}")
