"""Hugging Face datasets without a network: saved folders, local builders, and the hub out of reach."""

from pathlib import Path
from typing import Any

import pytest

from sweeps.safe_yaml import SpecError
from tests.orchestrator.corpora.texts import documents, jsonl, text

datasets = pytest.importorskip("datasets", reason="no dataset tests: datasets is not installed")

TEXTS = [text(number) for number in range(30)]
BYTES = [one.encode() for one in TEXTS]


@pytest.fixture(autouse=True)
def cache(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(datasets.config, "HF_DATASETS_CACHE", tmp_path / "hf")


@pytest.fixture
def saved(tmp_path: Path) -> str:
    rows = datasets.Dataset.from_dict({"id": range(31), "body": [*TEXTS, None]})
    rows.save_to_disk(str(tmp_path / "one"), num_shards=3)
    datasets.DatasetDict({"train": rows, "test": rows.select([0, 1])}).save_to_disk(str(tmp_path / "several"))
    return str(tmp_path)


def test_a_saved_dataset_in_its_order(saved: str) -> None:
    assert documents({"dataset": f"{saved}/one", "text": "body"}) == BYTES
    assert documents({"dataset": f"{saved}/several", "text": "body"}) == BYTES
    assert documents({"dataset": f"{saved}/several", "text": "body", "split": "test"}) == BYTES[:2]


def test_local_builders_are_streamed(tmp_path: Path) -> None:
    rows = datasets.Dataset.from_dict({"body": TEXTS})
    (tmp_path / "a.jsonl").write_bytes(jsonl([{"body": one} for one in TEXTS]))
    rows.to_parquet(str(tmp_path / "a.parquet"))
    for builder, name in (("json", "a.jsonl"), ("parquet", "a.parquet")):
        assert documents({"dataset": builder, "files": str(tmp_path / name), "text": "body"}) == BYTES
    (tmp_path / "a.txt").write_text("one\ntwo\n")
    assert documents({"dataset": "text", "files": str(tmp_path / "a.txt")}) == [b"one", b"two"]


def test_a_column_or_a_split_that_is_not_there(saved: str) -> None:
    with pytest.raises(SpecError, match=r"there is no column 'text'; name the one .* \['id', 'body'\]"):
        documents({"dataset": f"{saved}/one"})
    with pytest.raises(SpecError, match=r"row 1: column 'id' holds a int, not text"):
        documents({"dataset": f"{saved}/one", "text": "id"})
    with pytest.raises(SpecError, match=r"there is no split 'dev'; splits are train, test"):
        documents({"dataset": f"{saved}/several", "split": "dev", "text": "body"})


def test_the_hub_out_of_reach_is_a_message_at_once(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("huggingface_hub.constants.ENDPOINT", "https://hub.invalid")
    monkeypatch.setattr("orchestrator.corpora.sources.dataset.getproxies", dict)
    wanted: dict[str, Any] = {"dataset": "Skylion007/openwebtext", "split": "train", "text": "text"}
    with pytest.raises(SpecError, match=r"openwebtext cannot be read \(before the first row\): .*Is there a network"):
        documents(wanted)
