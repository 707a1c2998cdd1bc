"""One real browser for all pages. Without one the tests skip, unless REQUIRE_BROWSER=1 says that they count."""

from __future__ import annotations

import os
import shutil

import pytest

_PROGRAMS = ("chromium", "chromium-browser", "google-chrome", "google-chrome-stable")
_ARGUMENTS = (
    "--no-sandbox", "--disable-gpu", "--disable-quic", "--no-first-run", "--disable-background-networking",
    "--disable-component-update", "--disable-sync",
)  # fmt: skip


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
