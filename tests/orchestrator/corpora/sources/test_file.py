"""A file by its hash: of this machine, and from a server on the loopback; plain, and an archive."""

import functools
import hashlib
import http.server
import io
import socket
import tarfile
import threading
import zipfile
from collections.abc import Iterator
from pathlib import Path

import pytest

from orchestrator.corpora.source import corpora_of
from sweeps.safe_yaml import SpecError
from tests.orchestrator.corpora.texts import documents, text

MEMBERS = {"b/two.txt": text(2), "a/one.txt": text(1), "c/three.py": "x = 1\n", "pic.txt": "\0\1", "d.bin": "no"}
READ = [MEMBERS[name].encode() for name in ("a/one.txt", "b/two.txt", "c/three.py")]


@pytest.fixture(autouse=True)
def cache(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    monkeypatch.setenv("XDG_CACHE_HOME", str(tmp_path / "cache"))
    return tmp_path / "cache" / "interplay"


@pytest.fixture
def served(tmp_path: Path) -> Iterator[tuple[str, Path, list[str]]]:
    """Address and folder of a server, and the paths it was asked for."""
    asked: list[str] = []

    class Handler(http.server.SimpleHTTPRequestHandler):
        def log_message(self, *args: object) -> None:
            asked.append(self.path)

    (tmp_path / "www").mkdir()
    handler = functools.partial(Handler, directory=str(tmp_path / "www"))
    with http.server.ThreadingHTTPServer(("127.0.0.1", 0), handler) as server:
        thread = threading.Thread(target=server.serve_forever, daemon=True)
        thread.start()
        yield f"http://127.0.0.1:{server.server_port}", tmp_path / "www", asked
        server.shutdown()
        thread.join()


def zipped() -> bytes:
    data = io.BytesIO()
    with zipfile.ZipFile(data, "w", zipfile.ZIP_DEFLATED) as archive:
        for name, content in MEMBERS.items():
            archive.writestr(name, content)
    return data.getvalue()


def sha(data: bytes) -> str:
    return hashlib.sha256(data).hexdigest()


def test_a_local_archive_is_read_by_pattern_in_the_order_of_names(tmp_path: Path) -> None:
    (tmp_path / "x.zip").write_bytes(zipped())
    asked = {"file": str(tmp_path / "x.zip"), "sha256": sha(zipped())}
    assert documents(asked) == READ
    assert documents(asked | {"include": ["*.py"]}) == READ[2:]
    with pytest.raises(SpecError, match=r"nothing in it that is text fits \*\.rs; say other patterns by include:"):
        documents(asked | {"include": ["*.rs"]})


def test_a_tar_archive(tmp_path: Path) -> None:
    with tarfile.open(tmp_path / "x.tar.gz", "w:gz") as archive:
        for name, content in sorted(MEMBERS.items()):
            member = tarfile.TarInfo(name)
            member.size = len(content.encode())
            archive.addfile(member, io.BytesIO(content.encode()))
    data = (tmp_path / "x.tar.gz").read_bytes()
    assert documents({"file": str(tmp_path / "x.tar.gz"), "sha256": sha(data)}) == READ


def test_a_file_by_http_is_fetched_once(served: tuple[str, Path, list[str]], cache: Path) -> None:
    address, folder, asked = served
    data = "\n\n".join(MEMBERS[name] for name in ("a/one.txt", "b/two.txt")).encode()
    (folder / "x.txt").write_bytes(data)
    corpus = {"file": f"{address}/x.txt", "sha256": sha(data), "separator": "\n\n"}
    first = documents(corpus)
    assert [one.strip() for one in first] == [one.strip() for one in READ[:2]]
    assert documents(corpus) == first
    assert asked == ["/x.txt"]
    assert [path.name for path in cache.iterdir()] == [sha(data)]


def test_a_damaged_copy_in_the_cache_is_fetched_again(served: tuple[str, Path, list[str]], cache: Path) -> None:
    address, folder, asked = served
    (folder / "x.zip").write_bytes(zipped())
    corpus = {"file": f"{address}/x.zip", "sha256": sha(zipped())}
    documents(corpus)
    (cache / sha(zipped())).write_bytes(zipped()[:-1])
    assert documents(corpus) == READ
    assert len(asked) == 2


def test_another_file_than_the_one_meant_is_refused(
    served: tuple[str, Path, list[str]], tmp_path: Path, cache: Path
) -> None:
    address, folder, _ = served
    (folder / "x.txt").write_text("something else")
    found = sha(b"something else")
    for name in (f"{address}/x.txt", str(folder / "x.txt")):
        with pytest.raises(SpecError, match=rf"data\.corpus\.sha256: .*another file, of SHA-256 {found}"):
            documents({"file": name, "sha256": "0" * 64})
    assert list(cache.iterdir()) == []


def test_what_cannot_be_fetched_says_so(served: tuple[str, Path, list[str]]) -> None:
    address, _, _ = served
    with pytest.raises(SpecError, match="cannot be fetched: HTTP Error 404"):
        documents({"file": f"{address}/none.txt", "sha256": "0" * 64})
    with socket.socket() as unused:
        unused.bind(("127.0.0.1", 0))
        port = unused.getsockname()[1]
        with pytest.raises(SpecError, match=r"cannot be fetched: .*fetch it where there is a network"):
            documents({"file": f"http://127.0.0.1:{port}/x.txt", "sha256": "0" * 64})


def test_a_hash_is_needed() -> None:
    with pytest.raises(SpecError, match=r"data\.corpus\.sha256: is missing; SHA-256 of the file"):
        corpora_of({"file": "x.txt"})
    with pytest.raises(SpecError, match=r"data\.corpus\.sha256 is 'abc'"):
        corpora_of({"file": "x.txt", "sha256": "abc"})
