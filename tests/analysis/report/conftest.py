from collections.abc import Callable
from pathlib import Path

import pytest

from analysis.report.contents import Contents, conclude, contents
from analysis.report.reading import Reading, read
from sweeps.store import open_store
from tests.analysis.report.records import publish, shapes_of

# Half the sweep to come, one trial running, two that failed.
RUNNING = {0: "diverged: loss is nan at step 30", 3: "error: RuntimeError: no luck", 5: None} | dict.fromkeys(
    range(30, 60), ""
)


@pytest.fixture(scope="session")
def reading_of(tmp_path_factory: pytest.TempPathFactory) -> Callable[..., Reading]:
    """A reading of a record made by `publish` with these arguments."""

    def make(**arguments: object) -> Reading:
        store = open_store(tmp_path_factory.mktemp("record"))
        publish(store, **arguments)
        return read(store, "world")

    return make


@pytest.fixture(scope="session")
def whole(reading_of: Callable[..., Reading]) -> Contents:
    """Of a finished sweep of 40 networks in a world with a known transition."""
    reading = reading_of()
    return contents(reading, conclude(reading.losses, replicates=60))


@pytest.fixture(scope="session")
def running(reading_of: Callable[..., Reading]) -> Contents:
    reading = reading_of(ends=RUNNING)
    return contents(reading, conclude(reading.losses, replicates=60))


@pytest.fixture(scope="session")
def few(reading_of: Callable[..., Reading]) -> Contents:
    """Three trials of one depth have ended: nothing can be said."""
    reading = reading_of(shapes=shapes_of(12), ends=dict.fromkeys(range(3, 60), ""))
    return contents(reading, conclude(reading.losses, replicates=60))


@pytest.fixture(scope="session")
def results(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A folder with the finished sweep's record."""
    folder = tmp_path_factory.mktemp("results")
    publish(open_store(folder))
    return folder
