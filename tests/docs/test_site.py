"""The site as `make docs` builds it: strictly, whole, every link and anchor leading somewhere, nothing from elsewhere."""

import os
import re
import subprocess
import sys
from html.parser import HTMLParser
from pathlib import Path
from urllib.parse import unquote, urlsplit

import pytest

ROOT = Path(__file__).parents[2]
pytest.importorskip("material", reason="the extra `docs` is not installed")


@pytest.fixture(scope="module")
def site(tmp_path_factory: pytest.TempPathFactory) -> Path:
    folder = tmp_path_factory.mktemp("site")
    done = subprocess.run(
        [sys.executable, "-m", "mkdocs", "build", "--strict", "--quiet", "--site-dir", str(folder)],
        cwd=ROOT,
        env=os.environ | {"NO_MKDOCS_2_WARNING": "1"},
        capture_output=True,
        text=True,
        timeout=200,
        check=False,
    )
    assert done.returncode == 0, done.stderr
    return folder


class Links(HTMLParser):
    """Addresses a page links to or loads, and its anchors."""

    def __init__(self, text: str) -> None:
        super().__init__()
        self.links: list[str] = []
        self.loads: list[str] = []
        self.anchors: set[str] = set()
        self.feed(text)

    def handle_starttag(self, tag: str, attrs: list[tuple[str, str | None]]) -> None:
        found = dict(attrs)
        if "id" in found:
            self.anchors.add(found["id"] or "")
        if tag == "a" and found.get("href"):
            self.links.append(found["href"] or "")
        elif tag in ("img", "script", "link", "iframe"):
            self.loads += [
                value for key in ("src", "href") if (value := found.get(key)) and found.get("rel") != "canonical"
            ]


def test_every_link_leads_somewhere(site: Path) -> None:
    pages = {path: Links(path.read_text(encoding="utf-8")) for path in site.rglob("*.html") if path.name != "404.html"}
    assert len(pages) > 12
    broken = []
    for path, page in pages.items():
        for link in page.links + page.loads:
            parts = urlsplit(link)
            if parts.scheme or link.startswith("//"):
                continue
            target = (path.parent / unquote(parts.path)).resolve() if parts.path else path
            target = target / "index.html" if target.is_dir() else target
            known = pages.get(target)
            if not target.exists() or (parts.fragment and known and unquote(parts.fragment) not in known.anchors):
                broken.append(f"{path.relative_to(site)}: {link}")
    assert broken == []


def test_nothing_is_loaded_from_elsewhere(site: Path) -> None:
    for path in site.rglob("*.html"):
        elsewhere = [load for load in Links(path.read_text(encoding="utf-8")).loads if re.match(r"(https?:)?//", load)]
        assert elsewhere == [], path


def test_the_reference_is_the_codes(site: Path) -> None:
    commands = (site / "reference/commands/index.html").read_text(encoding="utf-8")
    for name in ("plan", "run", "report", "serve", "import gemstones"):
        assert f">sweep {name}<" in commands, name
    spec = (site / "reference/spec/index.html").read_text(encoding="utf-8")
    assert "tokens a network; rounded to whole steps" in spec
    record = (site / "reference/record/index.html").read_text(encoding="utf-8")
    assert "<code>eval_loss_se</code>" in record
    codes = (site / "reference/exit-codes/index.html").read_text(encoding="utf-8")
    assert all(f"<td>{code}</td>" in codes for code in (0, 1, 2, 3, 4, 75))
