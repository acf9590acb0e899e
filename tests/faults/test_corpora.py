"""A preparation killed at any moment leaves nothing half-made in use, and two drivers prepare a corpus once."""

import json
import os
import random
import signal
import subprocess
import sys
import time
from pathlib import Path
from typing import Any

import pytest

from orchestrator.corpora.prepare import prepare
from orchestrator.corpora.prepared import Prepared, find_prepared
from orchestrator.corpora.tokens import open_tokens, verify
from sweeps.spec import Spec
from sweeps.store import Store, open_store
from tests.orchestrator.corpora.texts import asking, folder

ROOT = Path(__file__).parents[2]
CODE = """
import sys, json
from orchestrator.corpora import writing
from orchestrator.corpora.prepare import prepare
from orchestrator.corpora.watcher import Watcher
from sweeps.spec import Spec
from sweeps.store import open_store
writing.BATCH_BYTES = 1 << 15
made = writing.write
def told(*words):
    print("prepares", flush=True)
    return made(*words)
import orchestrator.corpora.prepare as module
module.write = told
print("starts", flush=True)
prepared = prepare(Spec.model_validate(json.loads(sys.argv[1])), open_store(sys.argv[2]), Watcher(print), processes=2)
print(prepared.content)
"""

POINTS = [
    "corpus: tokenizer", "corpus: batch#9", "corpus: written", "corpus: file published", "corpus: file published#4",
    "publish: written#1", "publish: written#2", "corpus: manifest published",
]  # fmt: skip


def start(spec: Spec, results: Path, **environment: str) -> subprocess.Popen[str]:
    command = [sys.executable, "-c", CODE, spec.model_dump_json(exclude_unset=True), str(results)]
    return subprocess.Popen(command, stdout=subprocess.PIPE, text=True, cwd=ROOT, env=os.environ | environment)


@pytest.fixture(scope="module")
def undisturbed(tmp_path_factory: pytest.TempPathFactory) -> tuple[Spec, Prepared]:
    """A corpus of some megabytes of BPE, and what an undisturbed preparation makes of it."""
    path = tmp_path_factory.mktemp("texts")
    spec = asking({"files": str(folder(path, 60, 4000) / "*.txt")}, tokenizer="bpe", vocabulary=300)
    return spec, prepare(spec, open_store(path / "r"), processes=1)


def whole_or_absent(spec: Spec, store: Store, expected: Prepared) -> bool:
    """Whether the corpus is there; if it is, it is all right."""
    found = find_prepared(spec, store)
    if found is not None:
        assert found == expected
        verify(store, found)
    return found is not None


def assert_prepared_once_more(spec: Spec, results: Path, expected: Prepared) -> None:
    """The next run makes the corpus, and leaves nothing of the one before."""
    store = open_store(results)
    assert prepare(spec, store, processes=1) == expected
    assert whole_or_absent(spec, store, expected)
    open_tokens(store, expected.content)
    assert [path.name for path in results.rglob(".*")] == []
    assert store.names("preparing") == []


@pytest.mark.parametrize("point", POINTS)
def test_killed_at_every_step(tmp_path: Path, undisturbed: tuple[Spec, Prepared], point: str) -> None:
    spec, expected = undisturbed
    killed = start(spec, tmp_path, INTERPLAY_FAULT=point)
    killed.communicate(timeout=120)
    assert killed.returncode == -signal.SIGKILL
    assert not whole_or_absent(spec, open_store(tmp_path), expected)
    assert_prepared_once_more(spec, tmp_path, expected)


@pytest.mark.slow
def test_killed_at_any_moment(tmp_path: Path, undisturbed: tuple[Spec, Prepared]) -> None:
    spec, expected = undisturbed
    chosen = random.Random(0)
    took = time.monotonic()
    start(spec, tmp_path / "first").communicate(timeout=120)
    took = time.monotonic() - took
    absent = 0
    for number in range(4):
        results = tmp_path / str(number)
        killed = start(spec, results)
        time.sleep(chosen.uniform(0.2, 1.0) * took)
        killed.kill()
        killed.communicate()
        absent += not whole_or_absent(spec, open_store(results), expected)
        assert_prepared_once_more(spec, results, expected)
    assert absent > 0


@pytest.mark.slow
def test_three_drivers_at_once_prepare_it_once(tmp_path: Path, undisturbed: tuple[Spec, Prepared]) -> None:
    spec, expected = undisturbed
    said = [driver.communicate(timeout=200)[0] for driver in [start(spec, tmp_path) for _ in range(3)]]
    assert all(text.splitlines()[-1] == expected.content for text in said), said
    assert sum("prepares" in text.splitlines() for text in said) == 1
    assert_prepared_once_more(spec, tmp_path, expected)


@pytest.mark.slow
def test_a_waiting_driver_takes_over_from_a_dead_one(tmp_path: Path, undisturbed: tuple[Spec, Prepared]) -> None:
    spec, expected = undisturbed
    first = start(spec, tmp_path)
    assert first.stdout is not None
    assert [first.stdout.readline() for _ in range(2)] == ["starts\n", "prepares\n"]
    first.send_signal(signal.SIGSTOP)
    second = start(spec, tmp_path)
    time.sleep(3)
    assert second.poll() is None
    first.kill()
    first.communicate()
    said, _ = second.communicate(timeout=120)
    assert said.splitlines()[-1] == expected.content
    assert_prepared_once_more(spec, tmp_path, expected)


def test_the_files_are_what_the_manifest_says(tmp_path: Path, undisturbed: tuple[Spec, Prepared]) -> None:
    spec, expected = undisturbed
    prepare(spec, open_store(tmp_path), processes=1)
    found: dict[str, Any] = json.loads((tmp_path / expected.folder() / "manifest.json").read_text())
    assert sorted(found["files"]) == ["held_out.bin", "held_out_ends.bin", "tokenizer.json", "train.bin"]
