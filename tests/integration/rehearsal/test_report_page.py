"""The report in a real browser: it loads nothing, complains of nothing, fits, and can be read without seeing it."""

from __future__ import annotations

import pytest
from axe_playwright_python.sync_playwright import Axe

from rehearsal.report import render_html
from tests.unit.rehearsal.runs import bare, run

_RUNS = {"passed": run(), "failed": run({3, 5}), "bare": bare()}


@pytest.fixture
def open_page(browser, tmp_path):
    """Open the page of a run, with options of a context; what it asked for and complained of are kept."""
    pages = []

    def open_(name, **options):
        path = tmp_path / f"{name}.html"
        path.write_text(render_html(_RUNS[name]), encoding="utf-8")
        page = browser.new_page(**{"viewport": {"width": 1200, "height": 900}, **options})
        pages.append(page)
        page.requests, page.complaints = [], []
        page.on("request", lambda request: page.requests.append(request.url))
        page.on("console", lambda message: page.complaints.append(message.text))
        page.on("pageerror", lambda error: page.complaints.append(str(error)))
        page.goto(path.as_uri())
        return page

    yield open_
    for page in pages:
        page.close()


@pytest.mark.parametrize("name", list(_RUNS))
@pytest.mark.parametrize("scheme", ["light", "dark"])
def test_it_loads_nothing_complains_of_nothing_and_is_accessible(open_page, name, scheme):
    page = open_page(name, color_scheme=scheme)
    for details in page.locator("summary").all():
        details.click()
    assert [request for request in page.requests if request.startswith("http")] == []
    assert page.complaints == []
    found = Axe().run(page)
    assert found.violations_count == 0, found.generate_report()


def test_the_verdict_comes_first_and_the_longest_pause_is_drawn_after_the_whole_run(open_page):
    page = open_page("failed")
    assert page.locator("h1").bounding_box()["y"] < 100
    assert page.locator("h2").all_inner_texts() == ["The whole run", "Around the longest pause", "Steps"]


def test_on_a_phone_the_page_stays_and_only_the_picture_scrolls(open_page):
    page = open_page("passed", viewport={"width": 390, "height": 800})
    assert page.evaluate("document.documentElement.scrollWidth") == 390
    figure = page.locator(".wide").first
    assert figure.evaluate("e => e.scrollWidth > e.clientWidth")


def test_no_words_of_the_picture_lie_on_each_other(open_page):
    page = open_page("passed")
    overlaps = page.evaluate(
        """() => [...document.querySelectorAll('svg')].flatMap(svg => {
          const texts = [...svg.querySelectorAll('text')].map(e => [e.textContent, e.getBoundingClientRect()])
          return texts.flatMap(([word, a], i) => texts.slice(i + 1)
            .filter(([, b]) => a.left < b.right && b.left < a.right && a.top + 2 < b.bottom && b.top + 2 < a.bottom)
            .map(([other]) => `${word} / ${other}`))
        })"""
    )
    assert overlaps == []


def test_printed_it_is_dark_on_white(open_page):
    page = open_page("passed", color_scheme="dark")
    page.emulate_media(media="print")
    assert page.evaluate("getComputedStyle(document.body).backgroundColor") == "rgb(255, 255, 255)"
    assert page.evaluate("getComputedStyle(document.querySelector('.timeline text')).fill") == "rgb(0, 0, 0)"
