"""Shards of token ids: types, documents, and what is refused."""

from pathlib import Path
from typing import Any

import numpy as np
import pytest

from orchestrator.corpora.prepare import prepare
from orchestrator.corpora.tokens import open_tokens
from sweeps.safe_yaml import SpecError
from sweeps.store import open_store
from tests.orchestrator.corpora.texts import asking, documents

IDS = np.random.default_rng(0).integers(1, 500, 5000)
IDS[99::100] = 0  # fifty documents of a hundred ids


def shards(folder: Path, kind: str = "uint16", header: int = 0) -> str:
    for number, part in enumerate(np.split(IDS, 2)):
        (folder / f"{number}.bin").write_bytes(b"\7" * header + part.astype(kind).tobytes())
    return str(folder / "*.bin")


@pytest.mark.parametrize("kind", ["uint16", "uint32", "int32", "int64"])
@pytest.mark.parametrize("header", [0, 1024])
def test_raw_shards_split_at_the_id_that_ends_a_document(tmp_path: Path, kind: str, header: int) -> None:
    corpus = {"tokens": shards(tmp_path, kind, header), "dtype": kind, "vocabulary": 500, "end": 0}
    found = documents(corpus | {"header_bytes": header})
    assert [len(one) for one in found] == [100] * 50
    np.testing.assert_array_equal(np.concatenate(found), IDS)


def test_numpy_shards_in_documents_of_equal_length(tmp_path: Path) -> None:
    np.save(tmp_path / "x.npy", IDS.astype(np.uint16))
    found = documents({"tokens": str(tmp_path / "x.npy"), "vocabulary": 500, "document": 999})
    assert [len(one) for one in found] == [999] * 5 + [5]
    np.testing.assert_array_equal(np.concatenate(found), IDS)


def test_prepared_every_id_is_in_one_of_the_two_parts(tmp_path: Path) -> None:
    corpus = {"tokens": shards(tmp_path), "dtype": "uint16", "vocabulary": 500, "end": 0}
    store = open_store(tmp_path / "r")
    prepared = prepare(asking(corpus, tokenizer="none", vocabulary=500), store)
    tokens = open_tokens(store, prepared.content)
    whole = {tuple(one) for one in IDS.reshape(50, 100)}
    parts = np.concatenate([tokens.train, tokens.held_out]).reshape(-1, 100)
    assert {tuple(one) for one in parts} == whole
    assert prepared.held_out_documents == len(tokens.held_out_ends) > 0
    assert "tokenizer.json" not in prepared.files


REFUSED: list[tuple[dict[str, Any], str]] = [
    ({"dtype": None}, "data.corpus.dtype is missing; raw shards"),
    ({"vocabulary": 400}, r"holds the id 4\d\d near 0, outside the vocabulary of 400; is dtype right"),
    ({"end": 500}, "data.corpus.end is 500, outside the vocabulary of 500"),
    ({"header_bytes": 1}, "which is no whole number of uint16 ids"),
    ({"header_bytes": 5000}, "0.bin is empty"),
    ({"tokens": "none*.bin"}, r"data.corpus.tokens: no file fits 'none\*.bin'"),
]


@pytest.mark.parametrize(("change", "message"), REFUSED)
def test_shards_that_are_not_what_is_stated(tmp_path: Path, change: dict[str, Any], message: str) -> None:
    corpus = {"tokens": shards(tmp_path), "dtype": "uint16", "vocabulary": 500, "end": 0}
    with pytest.raises(SpecError, match=message):
        documents(corpus | change)


def test_numpy_files_that_are_no_ids(tmp_path: Path) -> None:
    for number, array in enumerate((IDS.astype(np.float32), IDS.reshape(2, -1))):
        np.save(tmp_path / f"{number}.npy", array)
        with pytest.raises(SpecError, match="ids are integers in one dimension"):
            documents({"tokens": str(tmp_path / f"{number}.npy"), "vocabulary": 500})
    (tmp_path / "x.npy").write_bytes(b"junk")
    with pytest.raises(SpecError, match=r"x\.npy is not a NumPy array"):
        documents({"tokens": str(tmp_path / "x.npy"), "vocabulary": 500})


@pytest.mark.parametrize(
    ("model", "message"),
    [
        ({"tokenizer": "bytes"}, "model.tokenizer is bytes, but the corpus is token ids already; write none"),
        ({"tokenizer": "none", "vocabulary": 512}, "data.corpus.vocabulary is 500, and model.vocabulary 512"),
    ],
)
def test_a_model_that_does_not_fit_the_ids(tmp_path: Path, model: dict[str, Any], message: str) -> None:
    corpus = {"tokens": shards(tmp_path), "dtype": "uint16", "vocabulary": 500, "end": 0}
    with pytest.raises(SpecError, match=message):
        prepare(asking(corpus, **model), open_store(tmp_path / "r"))


def test_text_needs_a_tokenizer(tmp_path: Path) -> None:
    (tmp_path / "x.txt").write_text("text")
    spec = asking({"files": str(tmp_path / "x.txt")}, tokenizer="none", vocabulary=500)
    with pytest.raises(SpecError, match=r"model\.tokenizer is none, but the corpus is text"):
        prepare(spec, open_store(tmp_path / "r"))
