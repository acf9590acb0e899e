"""A corpus prepared: once, the same everywhere, split by document, and checked before use."""

import json
import os
import shutil
from pathlib import Path
from typing import Any

import numpy as np
import pytest

from orchestrator.corpora import prepare as preparing
from orchestrator.corpora.extending import refuse_changed
from orchestrator.corpora.prepare import prepare
from orchestrator.corpora.prepared import Prepared, find_prepared
from orchestrator.corpora.splitting import hash_of_document, is_held_out
from orchestrator.corpora.tokens import open_tokens, verify
from orchestrator.corpora.watcher import Interrupted, Watcher
from sweeps.planning import plan
from sweeps.record import claim, publish_plan
from sweeps.safe_yaml import SpecError
from sweeps.spec import Spec
from sweeps.store import Store, StoreError, open_store
from tests.contract.s3 import MISSING, S3_REASON, s3_server
from tests.orchestrator.corpora.texts import asking, documents, folder, text


@pytest.fixture
def texts(tmp_path: Path) -> dict[str, str]:
    return {"files": str(folder(tmp_path / "texts") / "*.txt")}


@pytest.fixture(autouse=True)
def node(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """A node's cache of this test's own."""
    (tmp_path / "node").mkdir()
    monkeypatch.setattr("tempfile.tempdir", str(tmp_path / "node"))


def files(store: Store, prepared: Prepared) -> dict[str, bytes]:
    return {name: store.read(f"{prepared.folder()}/{name}") for name in prepared.files}


@pytest.mark.parametrize("model", [{}, {"tokenizer": "bpe", "vocabulary": 300}], ids=["bytes", "bpe"])
def test_the_number_of_processes_changes_nothing(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, model: dict[str, Any]
) -> None:
    monkeypatch.setattr("orchestrator.corpora.writing.BATCH_BYTES", 1 << 14)
    spec = asking({"files": str(folder(tmp_path / "texts", 60, 1500) / "*.txt")}, **model)
    made = {}
    for processes in (1, 2, 3, None):
        store = open_store(tmp_path / f"r{processes}")
        prepared = prepare(spec, store, processes=processes)
        made[processes] = (prepared, files(store, prepared))
    assert all(one == made[1] for one in made.values())


def test_every_document_is_in_one_part_by_its_own_hash(tmp_path: Path, texts: dict[str, str]) -> None:
    store = open_store(tmp_path / "r")
    prepared = prepare(asking(texts), store)
    tokens = open_tokens(store, prepared.content)
    all_of_them = documents(texts)
    kept = sorted((hash_of_document(one), one) for one in all_of_them if is_held_out(hash_of_document(one), 0.2))
    assert bytes(tokens.held_out) == b"".join(one + b"\0" for _, one in kept)
    np.testing.assert_array_equal(tokens.held_out_ends, np.cumsum([len(one) + 1 for _, one in kept]))
    train = [one for one in all_of_them if not is_held_out(hash_of_document(one), 0.2)]
    assert bytes(tokens.train) == b"".join(one + b"\0" for one in train)
    assert (prepared.train_documents, prepared.held_out_documents) == (len(train), len(kept))
    assert 3 <= len(kept) <= 15


def test_new_documents_leave_the_split_of_the_old_ones(tmp_path: Path, texts: dict[str, str]) -> None:
    first = open_store(tmp_path / "r1")
    before = open_tokens(first, prepare(asking(texts), first).content)
    folder(tmp_path / "texts", 80)
    second = open_store(tmp_path / "r2")
    after = open_tokens(second, prepare(asking(texts), second).content)
    old = set(bytes(before.held_out).split(b"\0"))
    assert old <= set(bytes(after.held_out).split(b"\0"))


def test_a_list_of_corpora_knows_which_one_each_held_out_document_is_of(tmp_path: Path) -> None:
    folder(tmp_path / "a", 30)
    for number in range(30):
        (tmp_path / "a" / f"{number:03d}.txt").rename(tmp_path / "a" / f"{number:03d}.md")
    listed = [{"files": str(tmp_path / "a" / "*.md")}, {"files": str(folder(tmp_path / "b", 60) / "*.txt")}]
    for number in range(30):
        (tmp_path / "b" / f"{number:03d}.txt").unlink()
    store = open_store(tmp_path / "r")
    prepared = prepare(asking(listed, tokenizer="bpe", vocabulary=300), store)
    tokens = open_tokens(store, prepared.content)
    assert prepared.train_documents + prepared.held_out_documents == 60
    assert tokens.held_out_corpora is not None
    expected = sorted(
        (hash_of_document(text(n).encode()), n // 30)
        for n in range(60)
        if is_held_out(hash_of_document(text(n).encode()), 0.2)
    )
    assert tokens.held_out_corpora.tolist() == [corpus for _, corpus in expected]


def test_a_second_run_and_the_same_text_elsewhere_prepare_nothing(
    tmp_path: Path, texts: dict[str, str], monkeypatch: pytest.MonkeyPatch
) -> None:
    store = open_store(tmp_path / "r")
    spec = asking(texts)
    prepared = prepare(spec, store)
    monkeypatch.setattr(preparing, "write", None)  # would fail if it were called
    assert find_prepared(spec, store) == prepare(spec, store) == prepared
    shutil.rmtree(tmp_path / "texts")  # another node, without the text: the record has what was made of it
    assert find_prepared(spec, store) == prepared
    with pytest.raises(SpecError, match="no file fits"):
        find_prepared(asking(texts, held_out=0.3), store)


def test_the_same_text_at_another_place_is_the_same_corpus(tmp_path: Path, texts: dict[str, str]) -> None:
    store = open_store(tmp_path / "r")
    prepared = prepare(asking(texts), store)
    shutil.copytree(tmp_path / "texts", tmp_path / "moved")
    again = prepare(asking({"files": str(tmp_path / "moved" / "*.txt")}), store)
    assert again.content == prepared.content
    assert len([p for p in (tmp_path / "r" / "corpora").iterdir() if p.is_dir()]) == 1


def test_a_changed_tokenizer_file_is_another_corpus(tmp_path: Path, texts: dict[str, str]) -> None:
    store = open_store(tmp_path / "r")
    path = tmp_path / "tokenizer.json"
    contents = set()
    for seed in (0, 100):
        from orchestrator.corpora.tokenizers import train_bpe

        train_bpe([text(seed + n, 900 - seed).encode() for n in range(9)] + [b"zzz qqq" * seed], 300).save(str(path))
        contents.add(prepare(asking(texts, tokenizer=str(path), vocabulary=300), store).content)
    assert len(contents) == 2


@pytest.mark.parametrize("damage", ["flip", "cut", "remove"])
def test_a_damaged_file_is_named_before_it_is_used(tmp_path: Path, texts: dict[str, str], damage: str) -> None:
    store = open_store(tmp_path / "r")
    prepared = prepare(asking(texts), store)
    open_tokens(store, prepared.content)
    path = tmp_path / "r" / prepared.folder() / "train.bin"
    data = bytearray(path.read_bytes())
    path.unlink()
    if damage != "remove":
        data[100] ^= 1
        path.write_bytes(data[:-10] if damage == "cut" else data)
    with pytest.raises(StoreError, match=r"train\.bin is (damaged|missing).*delete its folder to prepare"):
        open_tokens(store, prepared.content)
    shutil.rmtree(path.parent)  # what the message says
    assert find_prepared(asking(texts), store) is None
    assert prepare(asking(texts), store) == prepared
    open_tokens(store, prepared.content)


def test_a_corpus_is_hashed_once_on_a_node(
    tmp_path: Path, texts: dict[str, str], monkeypatch: pytest.MonkeyPatch
) -> None:
    store = open_store(tmp_path / "r")
    prepared = prepare(asking(texts), store)
    open_tokens(store, prepared.content)
    monkeypatch.setattr("orchestrator.corpora.tokens.check", None)
    open_tokens(store, prepared.content)
    with pytest.raises(TypeError):
        verify(store, prepared)


def test_stopping_leaves_nothing(tmp_path: Path, texts: dict[str, str]) -> None:
    store = open_store(tmp_path / "r")
    with pytest.raises(Interrupted):
        prepare(asking(texts), store, Watcher(stopping=lambda: True))
    assert [path for path in (tmp_path / "r").rglob("*") if path.is_file()] == []
    assert find_prepared(asking(texts), store) is None


@pytest.mark.skipif(bool(MISSING), reason=S3_REASON)
def test_on_object_storage(tmp_path: Path, texts: dict[str, str]) -> None:
    with s3_server() as bucket:
        store = open_store(f"s3://{bucket}/corpora-{os.getpid()}")
        spec = asking(texts, tokenizer="bpe", vocabulary=300)
        prepared = prepare(spec, store)
        here = open_store(tmp_path / "r")
        assert prepare(spec, here) == find_prepared(spec, store) == prepared
        assert bytes(open_tokens(store, prepared.content).train) == bytes(open_tokens(here, prepared.content).train)
        assert store.names("preparing") == store.names("drivers") == []


def train_some(spec: Spec, store: Store) -> None:
    """As if a run had begun to train the sweep."""
    made = plan(spec, prepare(spec, store).content, {})
    publish_plan(store, made, spec.model_dump(mode="json"), {})
    claim(store, made.trials[0].trial.trial_id, 1, {"driver": "test"})


def test_a_sweep_is_not_extended_on_text_that_changed(tmp_path: Path, texts: dict[str, str]) -> None:
    store, spec = open_store(tmp_path / "r"), asking(texts)
    train_some(spec, store)
    refuse_changed(spec, store, prepare(spec, store))
    (tmp_path / "texts" / "new.txt").write_text(text(99))
    changed = prepare(spec, store)
    with pytest.raises(SpecError) as refusal:
        refuse_changed(spec, store, changed)
    said = str(refusal.value)
    assert "small: data.corpus is not the text that 1 trials of small@" in said
    assert "in 41 documents now, and had" in said
    assert "bring the old text back, or give this sweep another name" in said
    refuse_changed(spec.model_copy(update={"name": "other"}), store, changed)
    refuse_changed(asking([texts]), store, changed)  # named in other words: a choice


def test_a_plan_that_nothing_was_trained_of_holds_nothing(tmp_path: Path, texts: dict[str, str]) -> None:
    store, spec = open_store(tmp_path / "r"), asking(texts)
    publish_plan(store, plan(spec, prepare(spec, store).content, {}), spec.model_dump(mode="json"), {})
    (tmp_path / "texts" / "new.txt").write_text(text(99))
    refuse_changed(spec, store, prepare(spec, store))


def test_too_few_documents_to_hold_one_out(tmp_path: Path) -> None:
    spec = asking({"files": str(folder(tmp_path / "texts", 1) / "*.txt")}, held_out=1e-9)
    with pytest.raises(SpecError, match=r"1 documents leave none for held-out text; bring more, split them by sep"):
        prepare(spec, open_store(tmp_path / "r"))
    assert not list((tmp_path / "r").rglob("*.bin"))


def test_the_manifest_says_what_is_there(tmp_path: Path, texts: dict[str, str]) -> None:
    store = open_store(tmp_path / "r")
    prepared = prepare(asking(texts), store)
    manifest = json.loads(store.read(f"{prepared.folder()}/manifest.json"))
    assert manifest["text_bytes"] == sum(len(one) for one in documents(texts))
    assert manifest["train_tokens"] + manifest["held_out_tokens"] == manifest["text_bytes"] + 40
