"""The report's page as its reader uses it, in a real browser."""

from __future__ import annotations

from itertools import pairwise

import pytest
from playwright.sync_api import expect

from tests.integration.pages import TRESPASS
from tests.unit.validator.reports import CASES, HOSTILE
from validator.wording import printable


def _shown(page):
    return page.evaluate("[...document.querySelectorAll('.difference')].filter(e => e.checkVisibility()).length")


def _status(page):
    return page.locator("#shown").inner_text()


def test_the_verdict_is_seen_at_once(open_page):
    page = open_page("differing").page
    assert page.title().startswith("FAIL: ")
    for words in ("The databases differ", "13 rows missing on the target"):
        assert page.get_by_text(words).first.bounding_box()["y"] < 300


@pytest.mark.parametrize(
    ("label", "option", "shown"),
    [("Table", "public.payments", 24), ("Table", "public.audit_log", 1), ("Kind", "changed", 10), ("Kind", "extra", 2)],
)
def test_a_filter_shows_what_fits_and_says_how_many(open_page, label, option, shown):
    page = open_page("differing").page
    assert _status(page) == "25 rows"
    page.get_by_label(label, exact=True).select_option(label=option)
    assert _shown(page) == shown
    assert _status(page) == f"{shown} of 25 rows shown"
    page.get_by_role("button", name="Reset").click()
    assert (_shown(page), _status(page)) == (25, "25 rows")
    assert page.evaluate("document.activeElement.id") == "search"


def test_the_search_finds_keys_columns_and_values(open_page):
    page = open_page("differing").page
    for words, found in (
        ("1250.00", 1),
        ("AMOUNT -1250", 1),
        ("r-104", 1),
        ("reference nbsp", 1),
        ("nowhere", 0),
    ):
        page.get_by_label("Search").fill(words)
        assert (_shown(page), _status(page)) == (found, f"{found} of 25 rows shown"), words


def test_filters_narrow_each_other_and_tables_without_rows_go(open_page):
    page = open_page("differing").page
    page.get_by_label("Kind", exact=True).select_option(label="missing")
    page.get_by_label("Table", exact=True).select_option(label="public.payments")
    assert _shown(page) == 12
    assert [each.split("\n")[0] for each in page.get_by_role("heading", level=3).all_inner_texts()] == [
        "public.payments"
    ]
    offered = page.locator("#kind option").all_inner_texts()
    assert offered == ["any", "missing", "extra", "changed"]


def test_a_link_to_a_table_shows_it_whatever_is_filtered(open_page):
    page = open_page("differing").page
    page.get_by_role("link", name="public.payments").click()
    page.get_by_label("Table", exact=True).select_option(label="public.audit_log")
    assert not page.locator("#table-1").is_visible()
    page.get_by_role("link", name="public.payments").click()
    assert page.locator("#table-1").is_visible()
    page.get_by_label("Table", exact=True).select_option(label="public.audit_log")
    page.get_by_role("link", name="public.ledger").click()
    expect(page.locator("#table-2")).to_be_visible()
    assert _status(page) == "25 rows"


def test_rows_open_and_close_by_mouse_and_key(open_page):
    page = open_page("differing").page
    row = page.locator(".difference.missing", has_text="payment_id 100")
    assert not row.locator("table").is_visible()
    row.locator("summary").click()
    assert row.locator("table").is_visible()
    page.keyboard.press("Enter")
    assert not row.locator("table").is_visible()
    page.get_by_role("button", name="Expand all").click()
    assert page.locator(".difference:not([open])").count() == 0
    page.get_by_role("button", name="Collapse all").click()
    assert page.locator(".difference[open]").count() == 0


def test_both_values_stand_side_by_side(open_page):
    page = open_page("differing").page
    table = page.locator(".difference", has_text="payment_id 18").first.get_by_role("table")
    old, new = (table.locator(side).first.bounding_box() for side in ("td.old", "td.new"))
    assert old["y"] == new["y"]
    assert old["x"] + old["width"] <= new["x"] + 1
    assert page.get_by_role("img", name="no-break space U+00A0").inner_text() == "NBSP"


def test_the_sql_is_copied_and_it_is_said(open_page):
    page = open_page("differing", permissions=["clipboard-read", "clipboard-write"]).page
    page.get_by_role("button", name="Copy the SQL").click()
    page.wait_for_function("document.getElementById('told').textContent === 'Copied the SQL'")
    copied = page.evaluate("navigator.clipboard.readText()")
    assert copied == page.evaluate("document.getElementById('sql').textContent")
    assert copied.endswith("ROLLBACK;\n-- COMMIT;\n")


def test_without_a_clipboard_the_sql_is_selected(open_page):
    page = open_page("differing").page
    page.evaluate("() => { navigator.clipboard.writeText = () => Promise.reject(new Error('no')); }")
    page.get_by_role("button", name="Copy the SQL").click()
    page.wait_for_function("document.getElementById('told').textContent.startsWith('Selected')")
    assert page.evaluate("getSelection().toString()").rstrip().endswith("-- COMMIT;")


@pytest.mark.parametrize("name", CASES)
def test_nothing_is_requested_and_nothing_complains(open_page, name):
    opened = open_page(name)
    assert len([url for url in opened.requests if url.startswith("file:")]) == 1
    assert [url for url in opened.requests if not url.startswith(("file:", "data:"))] == []
    assert opened.complaints == []


def test_the_policy_forbids_the_network_and_foreign_scripts(open_page):
    page = open_page("hostile").page
    page.evaluate(TRESPASS)
    page.wait_for_function("window.refused.length >= 4")
    assert set(page.evaluate("window.refused")) >= {"connect-src", "img-src", "script-src-elem", "script-src-attr"}
    assert not page.evaluate("window.ran")


def test_hostile_values_stay_text(open_page):
    opened = open_page("hostile")
    page = opened.page
    assert page.locator("img").count() == 0
    assert page.locator("script").count() == 1
    assert page.locator("h3").evaluate("e => e.firstChild.textContent.trim()") == printable(f"{HOSTILE}.{HOSTILE}")
    assert opened.complaints == []


def test_without_script_everything_can_be_read_and_no_control_is_there(open_page):
    page = open_page("differing", java_script_enabled=False).page
    assert page.locator(".difference").count() == 25
    assert page.locator(".difference.changed table").first.is_visible()
    page.locator(".difference.missing summary").first.click()
    assert page.locator(".difference.missing table").first.is_visible()
    for control in page.locator("button, select, input").all():
        assert not control.is_visible()


def test_on_paper_everything_is_open_and_no_control_is_there(open_page):
    page = open_page("differing").page
    page.get_by_role("button", name="Collapse all").click()
    page.emulate_media(media="print")
    for control in page.locator("button, select, input, .skip").all():
        assert not control.is_visible()
    # Rendered without the event: the style alone opens what is closed.
    assert page.locator(".difference table").first.bounding_box()["height"] > 20
    assert page.locator("#sql").evaluate("e => e.scrollHeight <= e.clientHeight + 1")
    page.emulate_media(media="screen")
    page.evaluate("dispatchEvent(new Event('beforeprint'))")
    assert page.locator("details:not([open])").count() == 0
    page.evaluate("dispatchEvent(new Event('afterprint'))")
    assert page.locator("details[open]").count() == 0


@pytest.mark.parametrize("name", ["differing", "hostile", "equal"])
def test_no_width_scrolls_sideways(open_page, name):
    page = open_page(name).page
    page.evaluate("for (const details of document.querySelectorAll('details')) details.open = true")
    for width in (320, 390, 768, 1200):
        page.set_viewport_size({"width": width, "height": 800})
        assert page.evaluate("document.documentElement.scrollWidth") <= width


def test_the_page_is_told_to_a_screen_reader(open_page):
    page = open_page("differing").page
    for landmark in ("banner", "main", "contentinfo", "search"):
        assert page.get_by_role(landmark).count() == 1, landmark
    levels = [int(tag[1]) for tag in page.evaluate("[...document.querySelectorAll('h1,h2,h3,h4')].map(e => e.tagName)")]
    assert levels[0] == 1
    assert levels.count(1) == 1
    assert all(below - above <= 1 for above, below in pairwise(levels))
    for name in ("All tables", "Differences", "Repair as SQL", "Next"):
        assert page.get_by_role("region", name=name, exact=True).count() == 1, name
    page.keyboard.press("Tab")
    assert page.evaluate("document.activeElement.textContent") == "Skip to the tables"
    assert page.locator(".skip").bounding_box()["y"] >= 0


@pytest.mark.parametrize("name", ["differing", "equal", "cut", "hostile"])
def test_axe_finds_nothing(open_page, name):
    axe = pytest.importorskip("axe_playwright_python.sync_playwright", reason="axe-core is not installed").Axe()
    page = open_page(name).page
    page.evaluate("for (const details of document.querySelectorAll('details')) details.open = true")
    for scheme in ("light", "dark"):
        page.emulate_media(color_scheme=scheme)
        found = axe.run(page).response["violations"]
        told = [(one["id"], node["html"][:200], node["failureSummary"]) for one in found for node in one["nodes"]]
        assert told == [], scheme
