"""Every mistake of tests/errors.yaml, made for real: its exit code, and all that its message must say."""

import shlex
import shutil
import subprocess
import sys
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest

from orchestrator.cli import main
from orchestrator.corpora.prepare import prepare
from sweeps.loading import load_spec
from sweeps.planning import plan
from sweeps.record import find_plan, publish_plan
from sweeps.store import open_store
from tests.errors_page import errors, page
from tests.sweeps.test_views import attempt

LIST = errors()
ROOT = Path(__file__).parents[2]


@pytest.fixture(scope="module")
def prepared(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A record with the corpus and the plan of the list's spec, and no attempt yet."""
    folder = tmp_path_factory.mktemp("prepared")
    (folder / "mine.yaml").write_text(LIST["spec"])
    spec, store = load_spec(folder / "mine.yaml"), open_store(folder / "results")
    made = plan(spec, prepare(spec, store).content, {})
    publish_plan(store, made, spec.model_dump(mode="json"), {})
    return folder / "results"


@pytest.fixture
def record(request: pytest.FixtureRequest, tmp_path: Path) -> Iterator[None]:
    """The results folder that an error of the list asks for, at tmp_path/results."""
    wanted, results = request.param.get("record", "none"), tmp_path / "results"
    if wanted == "file":
        results.touch()
    elif wanted == "full":
        results.mkdir()
        mount = subprocess.run(
            ["mount", "-t", "tmpfs", "-o", "size=64k", "tmpfs", str(results)], capture_output=True, check=False
        )
        if mount.returncode:
            pytest.skip("a small disk cannot be mounted here (it takes root)")
        yield
        subprocess.run(["umount", str(results)], check=True)
        return
    elif wanted in ("planned", "half", "finished"):
        shutil.copytree(request.getfixturevalue("prepared"), results, copy_function=link)
        store = open_store(results)
        ended = {"planned": 0, "half": 2, "finished": 4}[wanted]
        for trial in find_plan(store, "mine").trial_ids[:ended]:
            attempt(store, trial, 1, 0, 100, "completed")
    yield


def link(source: str, target: str) -> None:
    Path(target).hardlink_to(source)


@pytest.mark.parametrize(
    ("error", "record"), [(one, one) for one in LIST["errors"]], ids=[one["name"] for one in LIST["errors"]], indirect=["record"]
)  # fmt: skip
def test_the_message_says_where_what_why_and_what_next(
    error: dict[str, Any],
    record: None,
    tmp_path: Path,
    monkeypatch: pytest.MonkeyPatch,
    capfd: pytest.CaptureFixture[str],
) -> None:
    text = LIST["spec"]
    for old, new in error.get("spec", ()):
        assert old in text
        text = text.replace(old, new)
    (tmp_path / "mine.yaml").write_text(text)
    monkeypatch.chdir(tmp_path)
    for name in error.get("absent", ()):
        for loaded in [loaded for loaded in sys.modules if loaded == "orchestrator.conduct"]:
            monkeypatch.delitem(sys.modules, loaded)
        monkeypatch.setitem(sys.modules, name, None)
    monkeypatch.setattr("sys.argv", shlex.split(error["command"]))
    monkeypatch.setattr("signal.signal", lambda *_: None)  # `run` would keep this process's
    with pytest.raises(SystemExit) as ended:
        main()
    said = capfd.readouterr().err
    assert ended.value.code == error["exit"], said
    for phrase in error["says"]:
        assert phrase in " ".join(said.split()), said
    assert "Traceback" not in said


def test_there_are_enough_and_each_has_its_cure() -> None:
    assert len(LIST["errors"]) >= 20
    assert all(one["why"] and one["cure"] and len(one["says"]) >= 2 for one in LIST["errors"])


def test_the_page_is_what_the_list_says() -> None:
    assert (ROOT / "docs" / "errors.md").read_text() == page(), "run: python -m tests.errors_page > docs/errors.md"
