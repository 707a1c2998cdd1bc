"""The report as a page: what it says, and that no value in it becomes anything but text."""

from __future__ import annotations

import base64
import hashlib
from html.parser import HTMLParser
from typing import Any

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from pages.style import BASE, DIFFERENCES
from tests.unit.validator.reports import CASES, HOSTILE, changed, cut, differing, equal, hostile, many, missing, table
from validator.page import render_page
from validator.page_assets import SCRIPT, STYLE
from validator.report import summarise
from validator.wording import printable


class _Reader(HTMLParser):
    """The elements of a page and the words in it; complains when an element is not closed where it must be."""

    VOID = ("meta", "link", "input", "wbr")

    def __init__(self, page: str) -> None:
        super().__init__()
        self.elements: list[tuple[str, dict[str, str | None]]] = []
        self.words = ""
        self._open: list[str] = []
        self.feed(page)
        self.close()
        assert self._open == []

    def handle_starttag(self, tag: str, attrs: list[tuple[str, str | None]]) -> None:
        self.elements.append((tag, dict(attrs)))
        if tag not in self.VOID:
            self._open.append(tag)

    def handle_endtag(self, tag: str) -> None:
        assert self._open.pop() == tag

    def handle_data(self, data: str) -> None:
        if not self._open or self._open[-1] not in ("style", "script"):
            self.words += data


def _page(*tables: dict[str, Any], **changes: Any) -> str:
    return render_page(summarise("r", list(tables), **changes))


def _words(page: str) -> str:
    return " ".join(_Reader(page).words.split())


@pytest.mark.parametrize("name", CASES)
def test_every_page_is_whole_and_loads_nothing(name: str) -> None:
    reader = _Reader(render_page(CASES[name]()))
    allowed = {"html", "head", "meta", "title", "link", "style", "body", "script", "header", "main", "footer", "section",
               "h1", "h2", "h3", "p", "a", "dl", "dt", "dd", "div", "span", "small", "ol", "ul", "li", "table", "thead",
               "tbody", "tr", "th", "td", "code", "pre", "del", "ins", "details", "summary", "svg", "rect", "button",
               "input", "label", "select", "option", "wbr"}  # fmt: skip
    assert {element for element, _ in reader.elements} <= allowed
    links = [value for _, attributes in reader.elements for key, value in attributes.items() if key in ("src", "href")]
    assert all(link is not None and link.startswith(("#", "data:,")) for link in links)
    assert not any(key.startswith("on") or key == "style" for _, attributes in reader.elements for key in attributes)
    ids = [attributes["id"] for _, attributes in reader.elements if "id" in attributes]
    assert len(ids) == len(set(ids))
    assert {link for link in links if link and link.startswith("#")} <= {f"#{name}" for name in ids}


def test_the_policy_allows_its_own_texts_only() -> None:
    page = render_page(equal())
    policy = next(attributes["content"] for _, attributes in _Reader(page).elements if "http-equiv" in attributes)
    assert policy is not None
    assert policy.startswith("default-src 'none'; ")
    for name, text in (("style", BASE + DIFFERENCES + STYLE), ("script", SCRIPT)):
        digest = base64.b64encode(hashlib.sha256(text.encode()).digest()).decode()
        assert f"{name}-src 'sha256-{digest}';" in policy
        assert f"<{name}>{text}</{name}>" in page
    assert "unsafe" not in policy


def test_the_verdict_comes_first() -> None:
    page = render_page(differing())
    assert "<title>FAIL: comparison 20261130T080000Z-1a2b3c4d</title>" in page
    words = _words(page)
    order = ["The databases differ", "13 rows missing on the target", "Do not switch over", "public.audit_log"]
    places = [words.index(each) for each in order]
    assert places == sorted(places)
    assert "source PostgreSQL 15.18, target PostgreSQL 17.11, marker lsn 0/16B3748" in words
    assert "278,400 rows/s, 28.6 MiB received" in words


def test_equal_databases() -> None:
    words = _words(render_page(equal()))
    assert "The databases hold the same rows" in words
    assert "what changed since the last run" in words
    assert "1 sequence compared, all as they must be." in words
    assert "2 views: nothing is said here about them." in words
    assert "Differences" not in words
    assert "Repair" not in words


def test_a_run_that_was_cut() -> None:
    words = _words(render_page(cut()))
    assert "Nothing is proven" in words
    assert "lost the connection to the source: it was reset" in words
    assert "Time1.5 sNext" in _words(_page(seconds=1.5))


def test_each_differing_row_is_shown_before_and_after() -> None:
    page = render_page(differing())
    assert '<td class="old">10.0<del>0</del></td><td class="new">10.0<ins>1</ins></td>' in page
    assert '<del><span class="nothing">NULL</span></del>' in page
    assert '<ins><span class="nothing">empty text</span></ins>' in page
    assert 'role="img" aria-label="no-break space U+00A0" title="no-break space U+00A0">NBSP</span>' in page
    assert '<p class="note">equal after NFC</p>' in page
    words = _words(page)
    assert "missing payment_id 100" in words
    assert "Only on the source" in words
    assert "Only on the target" in words
    assert "a row without key" in words


def test_binary_forms_are_shown_as_what_they_stand_for() -> None:
    page = _page(table("t", "FAIL", changed(1, rate=("3ff8000000000000", "3ff8000000000001"))))
    assert '<td class="old">1.5</td><td class="new">1.5<ins>000000000000002</ins></td>' in page
    # Two of them that look alike stay as they are.
    alike = changed(1, rate=("7ff8000000000000", "7ff8000000000001"))
    assert "7ff800000000000<del>0</del>" in _page(table("t", "FAIL", alike))


def test_card_data_is_masked_and_a_difference_within_is_told() -> None:
    words = _words(render_page(differing()))
    assert "411111••••••1111" in words
    assert "the same where it is shown; it differs in what is masked" in words
    assert "4111111" not in words


def test_a_difference_without_values_has_its_note() -> None:
    several = {"kind": "changed", "key": {"id": "1"}, "note": "2 rows on the source have this key"}
    assert "changed id 1 2 rows on the source have this key" in _words(_page(table("t", "FAIL", several)))


def test_pending_rows_have_their_keys_only() -> None:
    pending = {"count": 1, "keys": [{"a": "7", "b": None}]}
    page = _page(table("t", "INCONCLUSIVE", pending=pending))
    assert "Keys of rows pending: 1a 7, b NULL" in _words(page)
    assert 'id="filter"' not in page
    assert "Repair" not in _words(page)


def test_what_is_not_drawn_is_counted() -> None:
    report = many()
    page = render_page(report)
    assert page.count('<details class="difference ') == 1_000
    assert len(page) < 2_000_000
    words = _words(page)
    assert "200 of 4,200 differing rows are drawn here; report.json details 1,000, its counts are exact." in words
    assert "0 of 1,000 differing rows are drawn here; report.json has all." in words
    assert "and 3,900 more" in words
    assert "800 statements left out here; repair.sql has them all." in words


def test_wide_rows_and_long_lists_are_cut() -> None:
    columns = {f"c{place:03}": ("1", "2") for place in range(60)}
    wide = table("t", "FAIL", changed(1, **columns), missing(2, **dict.fromkeys(columns, "1")))
    tables = [wide, *(table(f"t{place}", "PASS") for place in range(1_100))]
    words = _words(
        _page(*tables, skipped=[{"schema": "s", "name": f"v{place}", "kind": "view"} for place in range(1_003)])
    )
    assert "and 20 more columns" in words
    assert "and 26 more columns" in words
    assert "101 more tables are not drawn here: report.json has them." in words
    assert "and 3 more" in words


def test_hostile_names_and_values_stay_text() -> None:
    page = render_page(hostile())
    assert "\x1b" not in page
    assert "\u202e" not in page
    body = page[page.index("</head>") :].replace(f"<script>{SCRIPT}</script>", "")
    assert "<img" not in body
    assert "</script>" not in body
    words = _Reader(page).words
    assert words.count(printable(HOSTILE)) > 10


@settings(max_examples=50, deadline=None)
@given(st.text(), st.text(), st.text())
def test_no_value_is_markup(name: str, before: str, after: str) -> None:
    found = {
        "kind": "changed",
        "key": {name: before},
        "columns": {name: {"source": before, "target": after}},
        "note": after,
    }
    elements = [element for element, _ in _Reader(_page(table(name, "FAIL", found, reason=before))).elements]
    assert not {"img", "iframe", "object"} & set(elements)
    assert elements.count("script") == 1
    assert elements.count("h3") == 1
