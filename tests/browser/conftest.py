"""A real browser: Debian's Chromium, headless. Where it or Playwright is not installed these tests are skipped."""

import shutil
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest

from analysis.report.contents import conclude, contents
from analysis.report.page import page
from analysis.report.reading import read
from sweeps.store import open_store
from tests.analysis.report.records import publish, shapes_of

CHROMIUM = next(filter(None, map(shutil.which, ("chromium", "chromium-browser", "google-chrome"))), None)
FLAGS = [
    "--no-sandbox",
    "--disable-gpu",
    "--disable-quic",
    "--no-first-run",
    "--disable-background-networking",
    "--disable-component-update",
    "--disable-sync",
]
DRAWN = "html[data-figures=drawn]"
ATTACK = "</script><script>window.struck=1</script><img src=x onerror=window.struck=1>"


@pytest.fixture(scope="session")
def chromium() -> Iterator[Any]:
    if CHROMIUM is None:
        pytest.skip("Chromium is not installed: apt-get install chromium")
    playwright = pytest.importorskip(
        "playwright.sync_api", reason="Playwright is not installed: pip install playwright"
    )
    with playwright.sync_playwright() as driver:
        browser = driver.chromium.launch(executable_path=CHROMIUM, args=FLAGS)
        yield browser
        browser.close()


class Tab:
    """A page, and what went wrong in it: errors, refused scripts, and every address it asked for but its own."""

    def __init__(self, browser: Any, **options: Any) -> None:
        self.context = browser.new_context(viewport={"width": 1280, "height": 800}, **options)
        self.page = self.context.new_page()
        self.troubles: list[str] = []
        self.asked: list[str] = []
        self.page.on("console", lambda m: self.troubles.append(m.text) if m.type in ("error", "warning") else None)
        self.page.on("pageerror", lambda error: self.troubles.append(str(error)))
        self.page.on("request", lambda request: self.asked.append(request.url))

    def open(self, url: str) -> Any:
        self.page.goto(url)
        self.page.wait_for_selector(DRAWN, state="attached", timeout=30_000)
        return self.page


@pytest.fixture
def tab(chromium: Any) -> Iterator[Tab]:
    tab = Tab(chromium)
    yield tab
    tab.context.close()


@pytest.fixture
def dark(chromium: Any) -> Iterator[Tab]:
    tab = Tab(chromium, color_scheme="dark")
    yield tab
    tab.context.close()


def write(folder: Path, **arguments: Any) -> str:
    """The address of a report on a made record."""
    store = open_store(folder / "results")
    publish(store, **arguments)
    reading = read(store, "world")
    path = folder / "report.html"
    path.write_text(page(contents(reading, conclude(reading.losses, replicates=40))), encoding="utf-8")
    return path.as_uri()


@pytest.fixture(scope="session")
def small(tmp_path_factory: pytest.TempPathFactory) -> str:
    """As large as the quickstart: sixteen trials; one failed with markup in its reason, one has only begun."""
    shapes = [(depth, width) for depth in (1, 2, 3) for width in (24, 36, 50, 72)]
    return write(tmp_path_factory.mktemp("small"), shapes=shapes, ends={2: f"error: {ATTACK}", 7: None})


@pytest.fixture(scope="session")
def large(tmp_path_factory: pytest.TempPathFactory) -> str:
    """Of 255 trials."""
    return write(tmp_path_factory.mktemp("large"), shapes=shapes_of(200))
