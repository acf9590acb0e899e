"""A wheel by name, version and hash, through pip itself, from a folder that stands for the package index."""

import base64
import hashlib
import zipfile
from pathlib import Path

import pytest

from orchestrator.corpora.source import corpora_of
from sweeps.safe_yaml import SpecError
from tests.orchestrator.corpora.texts import documents, text

FILES = {
    "corpus_of_tests/b.py": "def b() -> int:\n    return 2\n",
    "corpus_of_tests/a.md": text(1),
    "corpus_of_tests/data.json": "{}",
}


def build(folder: Path, version: str, tag: str = "py3-none-any") -> str:
    """A wheel of FILES; its SHA-256."""
    info = f"corpus_of_tests-{version}.dist-info"
    members = FILES | {
        f"{info}/METADATA": f"Metadata-Version: 2.1\nName: corpus-of-tests\nVersion: {version}\nRequires-Python: >=99\n",
        f"{info}/WHEEL": f"Wheel-Version: 1.0\nGenerator: test\nRoot-Is-Purelib: true\nTag: {tag}\n",
    }
    record = "".join(
        f"{name},sha256={base64.urlsafe_b64encode(hashlib.sha256(data.encode()).digest()).rstrip(b'=').decode()},{len(data.encode())}\n"
        for name, data in members.items()
    )
    path = folder / f"corpus_of_tests-{version}-{tag}.whl"
    with zipfile.ZipFile(path, "w") as archive:
        for name, data in members.items():
            archive.writestr(name, data)
        archive.writestr(f"{info}/RECORD", record + f"{info}/RECORD,,\n")
    return hashlib.sha256(path.read_bytes()).hexdigest()


@pytest.fixture
def index(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    (tmp_path / "index").mkdir()
    monkeypatch.setenv("XDG_CACHE_HOME", str(tmp_path / "cache"))
    monkeypatch.setenv("PIP_NO_INDEX", "1")
    monkeypatch.setenv("PIP_FIND_LINKS", str(tmp_path / "index"))
    monkeypatch.setenv("PIP_CONFIG_FILE", "/dev/null")
    return tmp_path / "index"


def test_the_text_of_a_pinned_wheel_whatever_python_it_is_for(index: Path) -> None:
    build(index, "1.0")
    corpus = {"package": "corpus-of-tests==0.9", "sha256": build(index, "0.9")}
    assert documents(corpus) == [FILES[name].encode() for name in sorted(FILES) if not name.endswith("json")]
    for path in index.iterdir():
        path.unlink()
    assert len(documents(corpus | {"include": ["*.py"]})) == 1  # out of the cache: the index is gone


def test_another_wheel_of_that_version_is_refused(index: Path) -> None:
    build(index, "1.0")
    with pytest.raises(SpecError, match=r"data\.corpus\.package: pip could not bring corpus-of-tests==1\.0: "):
        documents({"package": "corpus-of-tests==1.0", "sha256": "0" * 64})


def test_a_version_that_is_not_there(index: Path) -> None:
    sha256 = build(index, "1.0")
    with pytest.raises(SpecError, match=r"pip could not bring corpus-of-tests==2\.0.*`pip hash`"):
        documents({"package": "corpus-of-tests==2.0", "sha256": sha256})


def test_a_wheel_for_one_platform_is_refused(index: Path) -> None:
    sha256 = build(index, "1.0", "cp311-cp311-linux_x86_64")
    with pytest.raises(SpecError, match="pip could not bring"):
        documents({"package": "corpus-of-tests==1.0", "sha256": sha256})


@pytest.mark.parametrize("package", ["ansible", "ansible>=1", "--index-url=x==1", "a b==1", "x @ file:///y==1"])
def test_a_package_without_one_version_is_refused(package: str) -> None:
    with pytest.raises(SpecError, match=r"data\.corpus\.package is .*; name==version; its wheel"):
        corpora_of({"package": package, "sha256": "0" * 64})
