"""Local files: formats, compressions, order, and what is refused."""

import gzip
from pathlib import Path
from typing import Any

import pyarrow as pa
import pyarrow.parquet as pq
import pytest

from orchestrator.corpora.source import corpora_of
from sweeps.safe_yaml import SpecError
from tests.orchestrator.corpora.texts import documents, folder, jsonl, text

TEXTS = [text(number) for number in range(6)]
BYTES = [one.encode() for one in TEXTS]


def zstd(data: bytes) -> bytes:
    sink = pa.BufferOutputStream()
    with pa.CompressedOutputStream(sink, "zstd") as stream:
        stream.write(data)
    return bytes(sink.getvalue())


def test_text_files_are_documents_in_the_order_of_their_paths(tmp_path: Path) -> None:
    folder(tmp_path / "a", files=3)
    folder(tmp_path / "b" / "c", files=2)
    found = documents({"files": str(tmp_path / "**" / "*.txt")})
    assert found == [text(n).encode() for n in (0, 1, 2, 0, 1)]


def test_a_file_that_two_patterns_fit_is_read_once(tmp_path: Path) -> None:
    folder(tmp_path, files=3)
    assert len(documents({"files": [str(tmp_path / "*.txt"), str(tmp_path / "00*.txt")]})) == 3


@pytest.mark.parametrize("ending", ["", ".gz", ".zst"])
@pytest.mark.parametrize("kind", ["txt", "jsonl"])
def test_compressed_or_not_it_is_the_same_text(tmp_path: Path, ending: str, kind: str) -> None:
    data = "<|end|>".join(TEXTS).encode() if kind == "txt" else jsonl([{"id": 1, "body": one} for one in TEXTS])
    pack = {"": bytes, ".gz": gzip.compress, ".zst": zstd}[ending]
    half = len(data) // 2
    # two members, as parallel compressors write them
    (tmp_path / f"x.{kind}{ending}").write_bytes(pack(data[:half]) + pack(data[half:]))
    options = {"separator": "<|end|>"} if kind == "txt" else {"text": "body"}
    assert documents({"files": str(tmp_path / "x.*")} | options) == BYTES


@pytest.mark.parametrize("compression", ["snappy", "zstd", None])
def test_parquet_columns(tmp_path: Path, compression: str | None) -> None:
    table = pa.table({"id": range(7), "body": pa.array([*TEXTS, None])})
    pq.write_table(table, tmp_path / "x.parquet", compression=compression or "none", row_group_size=2)
    assert documents({"files": str(tmp_path / "*.parquet"), "text": "body"}) == BYTES


def test_a_long_document_is_cut_at_ends_of_lines_and_nothing_is_lost(tmp_path: Path) -> None:
    whole = "".join(text(n, 2000) for n in range(1500))
    (tmp_path / "x.txt").write_text(whole, encoding="utf-8")
    found = documents({"files": str(tmp_path / "x.txt")})
    assert len(found) > 3
    assert b"".join(found).decode() == whole
    assert all(one.endswith(b"\n") and len(one) <= 1 << 22 for one in found)


def test_text_without_any_line_is_cut_between_characters(tmp_path: Path) -> None:
    whole = "東" * 3_000_000
    (tmp_path / "x.txt").write_text(whole, encoding="utf-8")
    assert b"".join(documents({"files": str(tmp_path / "x.txt")})).decode() == whole


REFUSED: list[tuple[str, bytes, dict[str, Any], str]] = [
    ("empty.txt", b"", {}, "empty.txt is empty; remove it, or narrow the pattern"),
    ("blank.txt", b" \n\n", {}, "blank.txt has no text; remove it"),
    ("empty.jsonl", b"", {}, "empty.jsonl is empty"),
    ("junk.txt", b"good" * 9 + b"\xff\xfe", {}, "junk.txt is not UTF-8: byte 0xff at 36; convert it, or leave it out"),
    ("zero.txt", b"good\0bad", {}, "zero.txt is not text: there is a byte 0 at 4; leave it out of the pattern"),
    ("x.jsonl", jsonl([{"id": 1, "body": "x"}]), {}, "x.jsonl, line 1: there is no column 'text'; name the one that holds the text by text:, ['id', 'body']"),
    ("x.jsonl", b'{"text": "a"}\n{"text": 3}\n', {}, "x.jsonl, line 2: column 'text' holds a int, not text"),
    ("x.jsonl", b'{"text": "a"}\nnot json\n', {}, "x.jsonl, line 2: is not JSON"),
    ("x.jsonl", b'[1]\n', {}, "x.jsonl, line 1: is a list, not an object"),
    ("x.parquet", b"PAR1 but not really", {}, "x.parquet is not a whole Parquet file"),
    ("x.txt.gz", gzip.compress(b"text" * 1000)[:-20], {}, "x.txt.gz"),
    ("x.txt.gz", b"plain text", {}, "x.txt.gz cannot be read to its end"),
    ("x.txt.zst", zstd(b"text" * 100_000)[:-9], {}, "x.txt.zst"),
]  # fmt: skip


@pytest.mark.parametrize(("name", "data", "options", "message"), REFUSED)
def test_what_cannot_serve_is_refused_by_name(
    tmp_path: Path, name: str, data: bytes, options: dict[str, Any], message: str
) -> None:
    (tmp_path / name).write_bytes(data)
    with pytest.raises(SpecError) as refusal:
        documents({"files": str(tmp_path / name)} | options)
    assert message in str(refusal.value)


def test_a_parquet_column_that_is_not_there(tmp_path: Path) -> None:
    pq.write_table(pa.table({"id": [1], "body": ["x"]}), tmp_path / "x.parquet")
    with pytest.raises(SpecError, match=r"there is no column 'text'; .* \['id', 'body'\]"):
        documents({"files": str(tmp_path / "x.parquet")})
    with pytest.raises(SpecError, match="column 'id' holds int64, not text"):
        documents({"files": str(tmp_path / "x.parquet"), "text": "id"})


def test_missing_files_and_folders(tmp_path: Path) -> None:
    with pytest.raises(SpecError, match=r"data.corpus.files: no file fits .*none\*\.txt"):
        documents({"files": str(tmp_path / "none*.txt")})
    with pytest.raises(SpecError, match=r"to read a folder's files, write .*/\*\*/\*\.txt"):
        documents({"files": str(tmp_path)})


def test_options_that_are_not_there() -> None:
    with pytest.raises(SpecError, match=r"data.corpus.colum: there is no such key; keys here are files, text"):
        corpora_of({"files": "x", "colum": "y"})
    with pytest.raises(SpecError, match=r"did you mean 'python-stdlib'\?"):
        corpora_of("python-stdlb")


def test_the_fingerprint_changes_with_a_file(tmp_path: Path) -> None:
    (corpus,) = corpora_of({"files": str(folder(tmp_path, files=2) / "*.txt")})
    before = corpus.fingerprint()
    (tmp_path / "001.txt").write_text("other")
    assert corpus.fingerprint() != before
