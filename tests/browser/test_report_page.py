"""The report in a real browser: what is drawn, what answers, what stays inert, and how quickly."""

import itertools
import json
import threading
from pathlib import Path
from typing import Any

import pytest

from analysis.worlds import some_repeats
from orchestrator.serving import Board, Server
from sweeps.store import open_store
from tests.analysis.report.records import WORLD, publish, train
from tests.browser.conftest import Tab

pytestmark = pytest.mark.slow

OPENED_SECONDS = 2.0
LONG_TASK_MS = 50


def column(page: Any, place: int) -> list[str]:
    found: list[str] = page.eval_on_selector_all(
        "#trial-table tbody tr:not([hidden])", f"rows => rows.map(row => row.cells[{place}].textContent)"
    )
    return found


def test_figures_are_drawn_without_a_complaint_and_without_the_network(tab: Tab, small: str) -> None:
    page = tab.open(small)
    plots = page.locator(".plot")
    assert plots.count() == 7
    for place in range(plots.count()):
        marks = plots.nth(place).locator(".trace path, .trace .point")
        assert marks.count() > 3, plots.nth(place).get_attribute("id")
    assert tab.troubles == []
    assert [url for url in tab.asked if not url.startswith("data:")] == [small]


def test_markup_in_the_record_does_not_run(tab: Tab, small: str) -> None:
    page = tab.open(small)
    page.wait_for_timeout(300)
    assert page.evaluate("window.struck") is None
    assert "<script>window.struck=1</script>" in page.inner_text("#flagged")


def test_an_injected_script_would_be_refused(tab: Tab, small: str) -> None:
    page = tab.open(small)
    page.evaluate(
        "() => { const s = document.createElement('script'); s.textContent = 'window.struck = 1'; document.body.append(s); }"
    )
    assert page.evaluate("window.struck") is None
    assert any("Content Security Policy" in trouble for trouble in tab.troubles)


def test_the_table_sorts_with_what_is_missing_last(tab: Tab, small: str) -> None:
    page = tab.open(small)
    heads = page.locator("#trial-table thead th")
    head = page.locator('#trial-table th[data-key="loss"]')
    place = heads.evaluate_all("heads => heads.findIndex(head => head.dataset.key === 'loss')")
    head.locator("button").click()
    assert head.get_attribute("aria-sort") == "ascending"
    up = [float(text.split()[0]) for text in column(page, place) if text != "–"]
    assert up == sorted(up)
    assert len(up) > 10
    head.locator("button").press("Enter")  # by keyboard
    assert head.get_attribute("aria-sort") == "descending"
    down = column(page, place)
    assert [float(text.split()[0]) for text in down if text != "–"] == sorted(up, reverse=True)
    assert down[-2:] == ["–", "–"]
    page.locator('#trial-table th[data-key="state"] button').click()
    assert head.get_attribute("aria-sort") is None


def test_the_table_filters(tab: Tab, small: str) -> None:
    page = tab.open(small)
    total = len(column(page, 0))
    page.fill("#filter-text", "struck")
    assert column(page, 0) == ["0000000000000003"]
    assert page.inner_text("#filter-count") == f"1 of {total}"
    page.fill("#filter-text", "")
    page.select_option("#filter-state", "unfinished")
    assert column(page, 0) == ["0000000000000008"]
    page.select_option("#filter-state", "")
    page.check("#filter-flag")
    assert column(page, 0) == ["0000000000000003"]


def test_figures_zoom_by_mouse_and_by_key_and_change_their_view(tab: Tab, small: str) -> None:
    page = tab.open(small)
    plot = page.locator("#plot-losses")
    limits = "plot => plot._fullLayout.xaxis.range.slice()"
    before = plot.evaluate(limits)
    plot.scroll_into_view_if_needed()
    box = plot.locator(".nsewdrag").bounding_box()
    page.mouse.move(box["x"] + 80, box["y"] + 60)
    page.mouse.down()
    page.mouse.move(box["x"] + 260, box["y"] + 200, steps=6)
    page.mouse.up()
    page.wait_for_timeout(300)
    zoomed = plot.evaluate(limits)
    assert zoomed[1] - zoomed[0] < before[1] - before[0]
    plot.focus()
    page.keyboard.press("0")
    page.wait_for_timeout(100)
    assert plot.evaluate(limits) == before
    page.keyboard.press("+")
    page.wait_for_timeout(100)
    nearer = plot.evaluate(limits)
    assert nearer[1] - nearer[0] == pytest.approx(0.8 * (before[1] - before[0]))
    title = "plot => plot._fullLayout.yaxis.title.text"
    assert plot.evaluate(title).startswith("loss less a trend")
    page.get_by_role("button", name="loss", exact=True).click()
    page.wait_for_timeout(100)
    assert plot.evaluate(title).startswith("held-out loss")


def test_hovering_says_what_is_there(tab: Tab, small: str) -> None:
    page = tab.open(small)
    point = page.locator("#plot-losses .point").first
    point.scroll_into_view_if_needed()
    box = point.bounding_box()
    page.mouse.move(box["x"] + box["width"] / 2, box["y"] + box["height"] / 2)
    said = page.locator("#plot-losses .hoverlayer .hovertext").first
    said.wait_for(timeout=3000)
    assert "loss" in said.text_content()


def test_a_shape_for_a_size(tab: Tab, small: str) -> None:
    page = tab.open(small)
    row = page.locator("#ask-table tbody tr", has_text="Levine et al. 2020").locator("td")
    assert row.all_inner_texts()[:3] == ["40", "39 to 41", "1,439"]  # paper.md: L*(1e9) = 40
    page.fill("#ask-size", "1T")
    assert row.first.inner_text() == "95"
    page.fill("#ask-size", "a lot")
    assert page.get_attribute("#ask-size", "aria-invalid") == "true"
    assert row.first.inner_text() == "95"
    page.locator("#ask-slide").fill("8")
    assert row.first.inner_text() == "24"


def test_dark_by_the_system_and_light_by_the_button(dark: Tab, small: str) -> None:
    page = dark.open(small)
    paper = "getComputedStyle(document.body).backgroundColor"
    assert page.evaluate(paper) == "rgb(20, 22, 26)"
    line = "document.querySelector('#plot-guideline .legendtext').style.fill"
    before = page.evaluate(line)
    page.click("#theme")
    page.wait_for_timeout(800)
    assert page.evaluate(paper) == "rgb(251, 250, 247)"
    assert page.evaluate(line) != before
    assert page.get_attribute("#theme", "aria-label") == "Colour theme: light"


def test_a_narrow_screen_never_scrolls_sideways(tab: Tab, small: str) -> None:
    tab.page.set_viewport_size({"width": 360, "height": 740})
    page = tab.open(small)
    assert page.evaluate("document.documentElement.scrollWidth") == 360


def test_everything_that_answers_has_a_name_and_can_be_reached_by_key(tab: Tab, small: str) -> None:
    page = tab.open(small)
    nameless = page.eval_on_selector_all(
        "button, input, select, a[href], [tabindex='0']",
        "all => all.filter(e => !(e.getAttribute('aria-label') || e.textContent.trim() || e.labels?.length"
        " || e.tagName === 'PRE') && !e.closest('.modebar')).map(e => e.outerHTML.slice(0, 120))",
    )
    assert nameless == []
    page.keyboard.press("Tab")
    assert page.evaluate("document.activeElement.className") == "skip"


def test_contrast_is_enough_in_both_themes(tab: Tab, small: str) -> None:
    """WCAG AA, 4.5 to 1, for the words of the page against their background."""
    page = tab.open(small)
    for _ in ("light", "dark"):
        page.click("#theme")
        page.wait_for_timeout(100)
        ratios = page.evaluate(
            """() => {
              const parse = (text) => text.match(/[0-9.]+/g).slice(0, 3).map(Number);
              const light = (rgb) => rgb.map((v) => v / 255).map((v) => v <= 0.03928 ? v / 12.92 : ((v + 0.055) / 1.055) ** 2.4)
                .reduce((sum, v, i) => sum + v * [0.2126, 0.7152, 0.0722][i], 0);
              const behind = (e) => { for (; e; e = e.parentElement) {
                const c = getComputedStyle(e).backgroundColor; if (!/, 0\\)$|transparent/.test(c)) return parse(c); } };
              return ['.lead', '.quiet', '.kicker', '.provisional', 'figcaption p', 'td', 'th', '.tiles dt', 'footer p', 'summary']
                .map((s) => { const e = document.querySelector(s);
                  const [a, b] = [light(parse(getComputedStyle(e).color)), light(behind(e))].sort((x, y) => y - x);
                  return [s, (a + 0.05) / (b + 0.05)]; });
            }"""
        )
        assert [(name, ratio) for name, ratio in ratios if ratio < 4.5] == []


def test_paper_gets_a_light_page_with_all_trials(dark: Tab, small: str, tmp_path: Path) -> None:
    page = dark.open(small)
    page.emulate_media(media="print", color_scheme="dark")
    assert not page.locator(".contents").is_visible()
    assert page.evaluate("getComputedStyle(document.querySelector('.scroll.tall')).maxHeight") == "none"
    page.evaluate("dispatchEvent(new Event('beforeprint'))")
    sizes = page.eval_on_selector_all(
        ".plot", "all => all.map(plot => [plot._fullLayout.width, plot._fullLayout.font.color])"
    )
    assert sizes == [[660, "rgb(74,77,82)"]] * 7  # light, and as wide as paper, though the screen is dark
    page.evaluate("dispatchEvent(new Event('afterprint'))")
    page.wait_for_timeout(1500)
    back = page.eval_on_selector_all(".plot", "all => all.map(plot => plot._fullLayout.font.color)")
    assert set(back) == {"rgb(195,196,198)"}
    assert page.pdf(path=str(tmp_path / "r.pdf")).startswith(b"%PDF")


@pytest.mark.parametrize("which", ["small", "large"])
def test_it_opens_quickly_and_scrolls_without_stutter(
    chromium: Any, request: pytest.FixtureRequest, which: str
) -> None:
    """By the processor time of the page's main thread, which is the page's own, whoever else is on the machine."""
    tab = Tab(chromium)
    clock = tab.context.new_cdp_session(tab.page)
    clock.send("Performance.enable", {"timeDomain": "threadTicks"})
    page = tab.open(request.getfixturevalue(which))
    found = {entry["name"]: entry["value"] for entry in clock.send("Performance.getMetrics")["metrics"]}
    assert found["ThreadTime"] <= OPENED_SECONDS
    chromium.start_tracing(page=page, categories=["toplevel"])
    for _ in range(25):
        page.mouse.wheel(0, 600)
        page.wait_for_timeout(25)
    events = json.loads(chromium.stop_tracing())["traceEvents"]
    main = {
        (event["pid"], event["tid"])
        for event in events
        if event["name"] == "thread_name" and event["args"]["name"] == "CrRendererMain"
    }
    tasks = [event["tdur"] / 1000 for event in events if "tdur" in event and (event["pid"], event["tid"]) in main]
    assert len(tasks) > 50
    assert max(tasks) <= LONG_TASK_MS
    tab.context.close()


def test_news_arrive_without_reloading_and_without_losing_ones_place(tab: Tab, tmp_path: Path) -> None:
    store = open_store(tmp_path)
    shapes = [(depth, width) for depth in (1, 2, 3) for width in (24, 36, 50, 72)]
    ids = publish(store, shapes=shapes, ends=dict.fromkeys(range(10, 30), ""))
    with Server(Board(store, "world", replicates=20), 0) as server:
        threading.Thread(target=server.serve_forever, daemon=True).start()
        page = tab.open(server.url)
        page.evaluate("window.stayed = true")
        page.fill("#filter-text", "completed")
        page.locator('#trial-table th[data-key="width"] button').click()
        page.locator("#numbers-training summary").click()
        page.fill("#ask-size", "1T")
        assert len(column(page, 0)) == 10
        traces = page.locator("#plot-training").evaluate("plot => plot.data.length")
        for place, (depth, width) in itertools.islice(enumerate(shapes_done(shapes)), 10, 16):
            train(store, ids[place], float(WORLD.loss(float(depth), 12.0 * depth * width**2)), "completed", place=place)
        page.wait_for_selector("text=Provisional: 16 of", timeout=30_000)
        assert len(column(page, 0)) == 16
        assert column(page, 2) == sorted(column(page, 2), key=int)
        assert page.locator('#trial-table th[data-key="width"]').get_attribute("aria-sort") == "ascending"
        assert page.locator("#numbers-training").get_attribute("open") is not None
        assert page.input_value("#filter-text") == "completed"
        assert page.input_value("#ask-size") == "1T"
        assert page.evaluate("window.stayed")
        page.wait_for_timeout(500)
        assert page.locator("#plot-training").evaluate("plot => plot.data.length") >= traces
        assert page.locator("#plot-training .trace path").count() >= traces
        server.shutdown()
    page.wait_for_selector("#pulse[data-lost]", timeout=20_000)
    assert "does not answer" in page.inner_text("#pulse")
    assert [text for text in tab.troubles if "ERR_CONNECTION_REFUSED" not in text] == []


def shapes_done(shapes: list[tuple[int, int]]) -> list[tuple[int, int]]:
    """The shape of each trial of the plan, in its order."""
    return [
        shape for shape, count in zip(shapes, some_repeats(shapes, every=4, seeds=3), strict=True) for _ in range(count)
    ]


def test_a_large_sweeps_page_is_whole(tab: Tab, large: str) -> None:
    page = tab.open(large)
    assert page.locator("#trial-table tbody tr").count() == 255
    assert page.locator("#figure-training figcaption").inner_text().count("240 of 255") == 1
    assert tab.troubles == []
