"""What every store promises."""

import os
import threading
from collections.abc import Iterator
from pathlib import Path
from uuid import uuid4

import pytest

from sweeps.safe_yaml import SpecError
from sweeps.store import AlreadyPublished, FolderStore, Store, StoreError, open_store
from tests.contract.s3 import S3_REASON, s3_server


@pytest.fixture(params=["folder", "s3"])
def store(request: pytest.FixtureRequest, tmp_path: Path) -> Iterator[Store]:
    if request.param == "folder":
        yield open_store(tmp_path / "record")
        return
    if S3_REASON:
        pytest.skip(S3_REASON)
    bucket = request.getfixturevalue("s3_bucket")
    yield open_store(f"s3://{bucket}/{uuid4().hex}")


@pytest.fixture(scope="session")
def s3_bucket() -> Iterator[str]:
    with s3_server() as bucket:
        yield bucket


def test_what_is_published_can_be_read(store: Store) -> None:
    store.publish("metrics/a.parquet", b"123")
    assert store.read("metrics/a.parquet") == b"123"
    assert store.exists("metrics/a.parquet")
    assert store.names("metrics") == ["a.parquet"]


def test_what_is_not_there(store: Store) -> None:
    assert store.names("metrics") == []
    assert not store.exists("metrics/a.parquet")
    with pytest.raises(FileNotFoundError):
        store.read("metrics/a.parquet")
    store.delete("metrics/a.parquet")


def test_nothing_is_overwritten(store: Store, tmp_path: Path) -> None:
    store.publish("a/b", b"first")
    with pytest.raises(AlreadyPublished):
        store.publish("a/b", b"second")
    (tmp_path / "local").write_bytes(b"third")
    with pytest.raises(AlreadyPublished):
        store.publish_file("a/b", tmp_path / "local")
    assert store.read("a/b") == b"first"


def test_of_many_writers_exactly_one_succeeds(store: Store) -> None:
    winners: list[int] = []
    barrier = threading.Barrier(8)

    def write(number: int) -> None:
        barrier.wait()
        try:
            store.publish("claims/one", str(number).encode())
            winners.append(number)
        except AlreadyPublished:
            pass

    threads = [threading.Thread(target=write, args=(number,)) for number in range(8)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    assert len(winners) == 1
    assert store.read("claims/one") == str(winners[0]).encode()


def test_a_local_file_is_published_and_kept(store: Store, tmp_path: Path) -> None:
    local = tmp_path / "local"
    local.write_bytes(b"x" * 100_000)
    store.publish_file("corpora/c/train.bin", local)
    assert local.read_bytes() == store.read("corpora/c/train.bin")
    assert store.local("corpora/c/train.bin", tmp_path / "cache").read_bytes() == local.read_bytes()


def test_signs_of_life_are_overwritten(store: Store) -> None:
    store.replace("drivers/d", b"1")
    store.replace("drivers/d", b"2")
    assert store.read("drivers/d") == b"2"


def test_deleted_files_are_gone(store: Store) -> None:
    store.publish("a/b", b"1")
    store.delete("a/b")
    assert store.names("a") == []


@pytest.mark.parametrize(
    "name", ["../x", "/etc/x", "a/../../x", "a\0b", "", ".hidden", "a//b", "ä/b", "a/" + "b/" * 9 + "c"]
)
def test_names_that_are_none_are_refused(store: Store, name: str) -> None:
    with pytest.raises(ValueError, match="is not a name in a record"):
        store.publish(name, b"1")


def test_a_folder_that_leads_out_of_the_root_is_not_written_through(tmp_path: Path) -> None:
    outside = tmp_path / "outside"
    outside.mkdir()
    (tmp_path / "record").mkdir()
    (tmp_path / "record" / "metrics").symlink_to(outside)
    with pytest.raises(StoreError, match="leads out of"):
        open_store(tmp_path / "record").publish("metrics/a", b"1")
    assert list(outside.iterdir()) == []


def test_a_folder_that_cannot_be_written_says_so(tmp_path: Path) -> None:
    (tmp_path / "file").write_text("")
    with pytest.raises(StoreError, match=r"file/metrics/a"):
        open_store(tmp_path / "file").publish("metrics/a", b"1")


def test_a_filesystem_without_unnamed_files_works_as_well(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.delattr(os, "O_TMPFILE")
    store = FolderStore(tmp_path)
    store.publish("a/b", b"1")
    with pytest.raises(AlreadyPublished):
        store.publish("a/b", b"2")
    assert sorted(path.name for path in (tmp_path / "a").iterdir()) == ["b"]


def test_a_root_that_went_away_is_not_made_again(tmp_path: Path) -> None:
    store = open_store(tmp_path / "record")
    store.publish("a/b", b"1")
    (tmp_path / "record").rename(tmp_path / "away")
    with pytest.raises(StoreError, match=r"record was there when the run began, and is gone; bring it back"):
        store.publish("a/c", b"1")
    assert not (tmp_path / "record").exists()
    (tmp_path / "away").rename(tmp_path / "record")
    store.publish("a/c", b"1")


def test_an_address_with_credentials_is_refused() -> None:
    with pytest.raises(SpecError, match="credentials belong in the environment") as refused:
        open_store("s3://AKIA:topsecret@bucket/x")
    assert "topsecret" not in str(refused.value)
