"""A real browser, and pages in it. Without one these tests are skipped, unless REQUIRE_BROWSER=1 says that they count."""

from __future__ import annotations

import os
import shutil
from contextlib import ExitStack
from dataclasses import dataclass, field
from pathlib import Path

import pytest

from deployer.render.html import render_html
from tests.unit.deployer.render.reviews import CASES, hostile, hostile_verdict, refused_verdict, unchanged, upgrade

_PROGRAMS = ("chromium", "chromium-browser", "google-chrome", "google-chrome-stable")
_ARGUMENTS = (
    "--no-sandbox", "--disable-gpu", "--disable-quic", "--no-first-run", "--disable-background-networking",
    "--disable-component-update", "--disable-sync",
)  # fmt: skip
_SIZE = {"width": 1200, "height": 900}
_MORE = {
    "hostile": (hostile, hostile_verdict),
    "two_flags": (upgrade, refused_verdict),
    "unchanged": (unchanged, CASES["first"][1]),
}


@pytest.fixture(scope="session")
def browser():
    """One browser for all tests of a process."""
    program = next(filter(None, map(shutil.which, _PROGRAMS)), None)
    required = os.environ.get("REQUIRE_BROWSER") == "1"
    if not program and not required:
        pytest.skip("no Chromium is installed (REQUIRE_BROWSER=1 makes this a failure)")
    assert program, f"REQUIRE_BROWSER=1, and none of {', '.join(_PROGRAMS)} is installed"
    from playwright.sync_api import sync_playwright

    with sync_playwright() as playwright:
        browser = playwright.chromium.launch(executable_path=program, args=list(_ARGUMENTS))
        yield browser
        browser.close()


@pytest.fixture(scope="session")
def files(tmp_path_factory):
    """The page of every case, as a file."""
    folder = tmp_path_factory.mktemp("pages")
    for name, (review, verdict) in {**CASES, **_MORE}.items():
        (folder / f"{name}.html").write_text(render_html(review(), verdict()), encoding="utf-8")
    return folder


@dataclass
class Opened:
    """A page, and what it did beside being read."""

    page: object
    requests: list[str] = field(default_factory=list)
    complaints: list[str] = field(default_factory=list)


@pytest.fixture(scope="session")
def shared_page(browser):
    """One page for all tests that need no options: a new one costs more than most tests."""
    page = browser.new_page(viewport=_SIZE)
    page.set_default_timeout(10_000)
    return page


@pytest.fixture
def open_page(browser, shared_page, files: Path):
    """Open the page of a case; with options (those of a context) in a context of its own."""
    with ExitStack() as stack:

        def open_(name, fragment="", **options):
            page = browser.new_page(**{"viewport": _SIZE, **options}) if options else shared_page
            opened = Opened(page)
            listeners = {
                "request": lambda request: opened.requests.append(request.url),
                "console": lambda message: opened.complaints.append(message.text),
                "pageerror": lambda error: opened.complaints.append(str(error)),
                "dialog": lambda dialog: (opened.complaints.append(dialog.message), dialog.dismiss()),
            }
            for event, listener in listeners.items():
                page.on(event, listener)
            if options:
                stack.callback(page.close)  # and with it the context that is its own
            else:
                for event, listener in listeners.items():
                    stack.callback(page.remove_listener, event, listener)
                page.set_viewport_size(_SIZE)
                page.emulate_media(media="screen", color_scheme="light", reduced_motion="reduce")
                page.goto("about:blank")  # so that another fragment is another page
                opened.requests.clear()
            page.goto((files / f"{name}.html").as_uri() + fragment)
            return opened

        yield open_
