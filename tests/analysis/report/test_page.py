"""The file as such: whole, small, inert whatever the record says."""

import hashlib
import json
import re
from base64 import b64encode

import pytest

from analysis.report.contents import conclude, contents
from analysis.report.page import ASSETS, page, state
from sweeps.store import open_store
from tests.analysis.report.records import publish, shapes_of

ATTACK = "</script><script>window.struck=1</script><img src=x onerror=window.struck=1>"
EMBEDDED = {
    "plotly-basic.min.js": "99784e3abfb07b142a15e521a439e6d9addceadb3f79553fd24c72774f0649ba",
    "inter.woff2": "3100e775e8616cd2611beecfa23a4263d7037586789b43f035236a2e6fbd4c62",
    "source-serif.woff2": "382475f38242c52d42a3e5ff8dc69b5d73f10d0d21e4550b5fe232984688779a",
    "idiomorph.min.js": "4cbd535caf7663a51eda9bce6595371c384fc430d54b8d414e29a61167f19f96",
}


@pytest.fixture(scope="session")
def text(whole) -> str:
    return page(whole)


@pytest.mark.parametrize(("name", "digest"), EMBEDDED.items())
def test_what_is_embedded_is_what_was_published(name, digest):
    assert hashlib.sha256((ASSETS / name).read_bytes()).hexdigest() == digest
    assert name in (ASSETS / "NOTICE.md").read_text(encoding="utf-8")


def test_one_file_under_six_megabytes_that_loads_nothing(text):
    assert len(text.encode()) < 6e6
    markup = re.sub(r"<script.*?</script>|<style>.*?</style>", "", text, flags=re.S)
    linked = re.findall(r"(?:src|href)=\"([^\"]*)\"", markup)
    assert linked
    assert all(link.startswith(("#", "data:")) for link in linked)
    assert not re.search(r"url\((?!data:)", re.search(r"<style>(.*?)</style>", text, re.S)[1])


def test_the_policy_names_every_script_by_its_hash_and_no_network(text):
    policy = re.search(r'Content-Security-Policy" content="([^"]+)"', text)[1].replace("&#39;", "'")
    scripts = re.findall(r"<script>(.*?)</script>", text, re.S)
    assert len(scripts) == 2
    for script in scripts:
        assert f"'sha256-{b64encode(hashlib.sha256(script.encode()).digest()).decode()}'" in policy
    assert "default-src 'none'" in policy
    assert "connect-src 'none'" in policy
    assert "unsafe" not in policy.split("script-src")[1].split(";")[0]


def test_a_live_page_may_ask_its_own_server_only(whole):
    live = page(whole, live='"abc"')
    assert "connect-src &#39;self&#39;" in live
    assert 'data-live="&#34;abc&#34;"' in live


def test_markup_in_the_record_stays_text(tmp_path):
    store = open_store(tmp_path)
    publish(
        store,
        shapes=shapes_of(12),
        ends={0: f"error: {ATTACK}"},
        notes=json.dumps([ATTACK]),
        spec=json.dumps({"name": ATTACK}),
    )
    from analysis.report.reading import read

    reading = read(store, "world")
    made = contents(reading, conclude(reading.losses, replicates=20))
    for text in (page(made), state(made).decode()):
        assert "struck" in text  # it is shown
        assert ATTACK not in text
    markup = re.sub(r"<script.*?</script>", "", page(made), flags=re.S)
    assert "<img" not in markup
    assert "struck=1&lt;/script&gt;" in markup


def test_a_state_is_json_without_nan(whole, few):
    for made in (whole, few):
        read = json.loads(state(made), parse_constant=pytest.fail)
        assert {"body", "data", "title"} == set(read)


def test_headings_tables_and_figures_have_names(text):
    markup = re.sub(r"<script.*?</script>", "", text, flags=re.S)
    assert markup.count("<h1>") == 1
    for table in re.findall(r"<table.*?</table>", markup, re.S):
        assert "<caption>" in table
        assert 'scope="col"' in table
    assert markup.count('role="group" tabindex="0" aria-label=') == markup.count('class="plot"')
    assert '<html lang="en"' in markup


def test_provenance_and_citation(whole, text):
    for said in ("world@aaaaaaaaaaaa", "c" * 64, "torch 2.13.0", "node-1", "@inproceedings{levine2020limits"):
        assert said in text
