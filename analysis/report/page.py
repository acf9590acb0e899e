"""The report as one HTML file that needs nothing else: style, fonts, charts and data are in it.

Everything from the record passes Jinja's escaping on its way into HTML, and `tojson`, which leaves no `<` in it, on
its way into data. Should something slip through, the page's own policy refuses to run any script but the ones whose
hashes it names, and to load or send anything at all.
"""

from __future__ import annotations

import base64
import hashlib
import json
from functools import cache
from importlib.resources import files
from typing import Any

from jinja2 import Environment, FunctionLoader, StrictUndefined
from markupsafe import Markup

from analysis.report.contents import Contents
from analysis.report.provenance import citation, facts, own_version, places
from analysis.report.trials import COLUMNS, MOST
from analysis.report.wording import moment, size

ASSETS = files("analysis.report") / "assets"
SCRIPTS = ("theme.js", "figures.js", "table.js", "ask.js", "start.js")
LIVE_SCRIPTS = ("idiomorph.min.js", *SCRIPTS[:-1], "live.js", "start.js")


def page(contents: Contents, *, live: str | None = None) -> str:
    """The whole file. A live one, given the tag of its state, asks the server that gave it for a newer one, and may
    connect to that server only."""
    own = LIVE_SCRIPTS if live else SCRIPTS
    scripts = [Markup(_asset("plotly-basic.min.js")), Markup("\n".join(map(_asset, own)))]  # noqa: S704
    return (
        _environment()
        .get_template("page.html.j2")
        .render(
            policy=policy([str(script) for script in scripts], live=live is not None),
            style=Markup(_style()),  # noqa: S704
            scripts=scripts,
            live=live,
            body=Markup(body(contents)),  # noqa: S704
            data=data(contents),
            **_words(contents),
        )
    )


def body(contents: Contents) -> str:
    """What stands within <main>: all that changes while a sweep runs."""
    return _environment().get_template("body.html.j2").render(**_words(contents))


def data(contents: Contents) -> dict[str, Any]:
    """What the page's scripts draw: figures, and the laws behind “a shape for your size”."""
    return {"figures": [chart.spec() for chart in contents.charts], "ask": contents.conclusions.ask}


def state(contents: Contents) -> bytes:
    """What a live page asks for: its new body and data, as JSON."""
    return json.dumps(
        {"title": contents.reading.sweep, "body": body(contents), "data": data(contents)}, allow_nan=False
    ).encode()


def policy(scripts: list[str], *, live: bool) -> str:
    """The content security policy: these scripts and no others; no network, but for a live page its own server.

    Styles may be inline because Plotly writes its own into the page.
    """
    hashes = " ".join(f"'sha256-{_digest(script)}'" for script in scripts)
    connect = "'self'" if live else "'none'"
    return (
        f"default-src 'none'; script-src {hashes}; style-src 'unsafe-inline'; img-src data: blob:; font-src data:; "
        f"connect-src {connect}; base-uri 'none'; form-action 'none'"
    )


def _words(contents: Contents) -> dict[str, Any]:
    reading = contents.reading
    study = contents.conclusions.study
    ended = sum(n for state, n in reading.states.items() if state == "completed")
    tiles = [("trials completed", f"{ended} of {len(reading.trials)}")]
    if study is not None:
        cells = study.cells
        tiles += [
            ("parameters", f"{size(float(cells.params.min()))} – {size(float(cells.params.max()))}"),
            ("layers", f"{cells.depth.min():g} – {cells.depth.max():g}"),
            ("tokens each", size(cells.tokens, 3)),
            ("noise of one loss", f"{study.noise.sd:.2g} nats"),
        ]
    return {
        "c": contents,
        "reading": reading,
        "tiles": tiles,
        "columns": COLUMNS,
        "most": MOST,
        "facts": facts(reading),
        "places": places(reading),
        "citation": citation(reading),
        "spec": json.dumps(reading.spec, indent=2, ensure_ascii=False),
        "states": sorted(reading.states),
        "read_at": moment(reading.read_at),
        "version": own_version(),
    }


def _digest(text: str) -> str:
    return base64.b64encode(hashlib.sha256(text.encode()).digest()).decode()


@cache
def _asset(name: str) -> str:
    return (ASSETS / name).read_text(encoding="utf-8")


@cache
def _style() -> str:
    def face(family: str, name: str, weights: str) -> str:
        font = base64.b64encode((ASSETS / name).read_bytes()).decode()
        return (
            f"@font-face{{font-family:'{family}';font-weight:{weights};font-display:block;"
            f"src:url(data:font/woff2;base64,{font}) format('woff2')}}"
        )

    return "\n".join(
        [
            face("Inter", "inter.woff2", "100 900"),
            face("Source Serif", "source-serif.woff2", "200 900"),
            _asset("page.css"),
        ]
    )


@cache
def _environment() -> Environment:
    folder = files("analysis.report") / "templates"
    return Environment(
        loader=FunctionLoader(lambda name: (folder / name).read_text(encoding="utf-8")),
        autoescape=True,
        undefined=StrictUndefined,
        trim_blocks=True,
        lstrip_blocks=True,
    )
