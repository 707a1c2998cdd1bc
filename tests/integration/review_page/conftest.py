"""A real browser, and pages in it. Without one these tests are skipped, unless REQUIRE_BROWSER=1 says that they count."""

from __future__ import annotations

from contextlib import ExitStack
from pathlib import Path

import pytest

from deployer.render.html import render_html
from tests.integration.pages import SIZE, Opened
from tests.unit.deployer.render.reviews import CASES, hostile, hostile_verdict, refused_verdict, unchanged, upgrade

_MORE = {
    "hostile": (hostile, hostile_verdict),
    "two_flags": (upgrade, refused_verdict),
    "unchanged": (unchanged, CASES["first"][1]),
}


@pytest.fixture(scope="session")
def files(tmp_path_factory):
    """The page of every case, as a file."""
    folder = tmp_path_factory.mktemp("pages")
    for name, (review, verdict) in {**CASES, **_MORE}.items():
        (folder / f"{name}.html").write_text(render_html(review(), verdict()), encoding="utf-8")
    return folder


@pytest.fixture(scope="session")
def shared_page(browser):
    """One page for all tests that need no options: a new one costs more than most tests."""
    page = browser.new_page(viewport=SIZE)
    page.set_default_timeout(10_000)
    return page


@pytest.fixture
def open_page(browser, shared_page, files: Path):
    """Open the page of a case; with options (those of a context) in a context of its own."""
    with ExitStack() as stack:

        def open_(name, fragment="", **options):
            page = browser.new_page(**{"viewport": SIZE, **options}) if options else shared_page
            opened = Opened(page)
            listeners = opened.listeners()
            for event, listener in listeners.items():
                page.on(event, listener)
            if options:
                stack.callback(page.close)  # and with it the context that is its own
            else:
                for event, listener in listeners.items():
                    stack.callback(page.remove_listener, event, listener)
                page.set_viewport_size(SIZE)
                page.emulate_media(media="screen", color_scheme="light", reduced_motion="reduce")
                page.goto("about:blank")  # so that another fragment is another page
                opened.requests.clear()
            page.goto((files / f"{name}.html").as_uri() + fragment)
            return opened

        yield open_
