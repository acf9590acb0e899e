"""Undisturbed runs, each made once a session, and the page that the suite writes at its end."""

from collections.abc import Callable, Iterator
from pathlib import Path

import pytest

from tests.faults import report
from tests.faults.invariants import Rows, Scene, metrics, scene, spec


@pytest.fixture(scope="session")
def undisturbed(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """The record of an undisturbed run of the spec."""
    folder = tmp_path_factory.mktemp("undisturbed")
    with scene(folder) as made:
        done = made.run(spec(folder))
        assert done.returncode == 0, done.stderr
    return folder / "r"


@pytest.fixture(scope="session")
def reference(undisturbed: Path) -> Rows:
    return metrics(undisturbed)


@pytest.fixture
def stage(tmp_path: Path, undisturbed: Path) -> Iterator[Scene]:
    """A results folder that has the corpus already."""
    with scene(tmp_path, undisturbed / "corpora") as made:
        yield made


@pytest.fixture(scope="session")
def of_spec(tmp_path_factory: pytest.TempPathFactory, undisturbed: Path) -> Callable[..., Rows]:
    """Rows of an undisturbed run of a changed spec, made once for each change."""
    known: dict[str, Rows] = {}

    def made(steps: int, changes: dict[str, str]) -> Rows:
        key = f"{steps} {changes}"
        if key not in known:
            folder = tmp_path_factory.mktemp("reference")
            with scene(folder, undisturbed / "corpora") as place:
                done = place.run(spec(folder, steps=steps, changes=changes))
                assert done.returncode == 0, done.stderr
            known[key] = metrics(folder / "r")
        return known[key]

    return made


def pytest_sessionfinish(session: pytest.Session) -> None:
    """Write docs/reliability.md when the whole suite was asked for (`make test-faults`)."""
    report.write_if_asked()
