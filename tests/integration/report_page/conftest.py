"""A real browser, and the pages of reports in it. Skipped without one, unless REQUIRE_BROWSER=1 says that they count."""

from __future__ import annotations

from contextlib import ExitStack
from pathlib import Path

import pytest

from tests.integration.pages import SIZE, Opened
from tests.unit.validator.reports import CASES
from validator.page import render_page


@pytest.fixture(scope="session")
def files(tmp_path_factory):
    """The page of every case, as a file."""
    folder = tmp_path_factory.mktemp("pages")
    for name, report in CASES.items():
        (folder / f"{name}.html").write_text(render_page(report()), encoding="utf-8")
    return folder


@pytest.fixture
def open_page(browser, files: Path):
    """Open the page of a case in a context of its own; options are those of the context."""
    with ExitStack() as stack:

        def open_(name, fragment="", **options):
            page = browser.new_page(**{"viewport": SIZE, "reduced_motion": "reduce", **options})
            stack.callback(page.close)
            page.set_default_timeout(10_000)
            opened = Opened(page)
            for event, listener in opened.listeners().items():
                page.on(event, listener)
            page.goto((files / f"{name}.html").as_uri() + fragment)
            return opened

        yield open_
