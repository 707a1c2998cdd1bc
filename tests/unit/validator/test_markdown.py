"""The report as Markdown, as GitHub would render it."""

from __future__ import annotations

import re
from html import unescape

import pytest
from markdown_it import MarkdownIt

from tests.unit.validator.reports import CASES, HOSTILE, changed, cut, differing, equal, hostile, many, table
from validator.markdown import GITHUB_LIMIT, code, prose, render_markdown
from validator.report import summarise
from validator.wording import printable

_GITHUB = MarkdownIt("gfm-like", {"linkify": False})


def _rendered(text: str) -> str:
    return str(_GITHUB.render(text))


def _words(html: str) -> str:
    return unescape(re.sub("<[^>]+>", " ", html)).replace("\u200b", "")


def test_the_verdict_comes_first_then_tables_then_what_to_do() -> None:
    text = render_markdown(differing())
    assert text.startswith("## ❌ FAIL: the databases differ\n\n2 of 5 tables equal, 13 rows missing on the target, ")
    places = [text.index(words) for words in ("| Verdict |", "### `public.payments`", "### Sequences", "### Next")]
    assert places == sorted(places)


def test_differences_are_told_by_kind_column_and_key() -> None:
    text = render_markdown(differing())
    assert "| FAIL | `public.payments` | 5,000,000 | 4,999,990 | 12 | 2 | 10 | - | 400,000 |  |" in text
    assert "Changed rows by column: `reference` 5, `amount` 2, `card_number` 1," in text
    assert "- extra: `payment_id=-1`, `payment_id=-2`\n" in text
    assert (
        "- missing: `payment_id=100`, `payment_id=101`, `payment_id=102`, `payment_id=103`, `payment_id=104`, and 7 more"
        in text
    )
    assert "- pending: `account_id=7, entry=3`" in text
    assert "- FAIL `public.payments_id_seq`: 5,000,111 on the source, 1 on the target" in text
    assert "ledger_id_seq" not in text


def test_a_null_in_a_key_is_told() -> None:
    report = summarise("r", [table("t", "FAIL", {"kind": "missing", "key": {"a": None, "b": ""}})])
    assert "- missing: `a=NULL, b=`" in render_markdown(report)


def test_equal_databases_need_nothing() -> None:
    text = render_markdown(equal())
    assert text.startswith("## ✅ PASS: the databases hold the same rows\n\n2 of 2 tables equal.\n")
    assert "1. Nothing: every row that changed since the last run of every compared table is the same" in text
    assert "Left out, so that nothing is said about it: 2 views." in text
    assert "incremental, `2026-11-30T09:00:00Z`, 30.0 s" in text


def test_a_run_that_was_cut_tells_its_problem() -> None:
    text = render_markdown(cut())
    assert text.startswith("## ⚠️ INCONCLUSIVE: nothing is proven\n")
    assert "### Problems\n\n- lost the connection to the source: it was reset\n" in text
    assert "| Verdict |" not in text


@pytest.mark.parametrize("name", CASES)
def test_it_renders_as_meant(name: str) -> None:
    report = CASES[name]()
    html = _rendered(render_markdown(report))
    assert html.count("<table>") == (1 if report["tables"] else 0)
    assert html.count("<h2>") == 1
    if report["tables"]:
        assert html.count("<tr>") == 1 + len(report["tables"])
        assert html.count("<td") == 10 * len(report["tables"])


def test_hostile_names_stay_text() -> None:
    html = _rendered(render_markdown(hostile()))
    assert set(re.findall(r"<(/?\w+)", html)) <= {
        f"{end}{name}"
        for end in ("", "/")
        for name in ("h2", "h3", "p", "table", "thead", "tbody", "tr", "th", "td", "ul", "ol", "li", "code", "sub")
    }
    assert _words(html).count(printable(HOSTILE)) > 10
    assert "\x1b" not in html
    assert "\u202e" not in html


@pytest.mark.parametrize(
    "text",
    ["- item", "1. one", "# head", "+ x", "*b*", "_i_", "[a](https://x.yz)", "![a](b)", "<b>", "&amp;", "| a |",
     "~~s~~", "`c`", "``c``", "https://example.com", "$x$", "\\", "a\nb", "= x", "a`b|c"],
)  # fmt: skip
def test_nothing_becomes_markup(text: str) -> None:
    for written in (prose(text), code(text)):
        html = _rendered(f"| a |\n|--|\n| {written} |\n")
        (cell,) = re.findall("<td>(.*?)</td>", html)
        inner = cell.removeprefix("<code>").removesuffix("</code>")
        assert "<" not in inner
        assert unescape(inner).replace("\u200b", "") == printable(text)
        assert re.search("<(ul|ol|h1|h2)", _rendered(prose(text))) is None


@pytest.mark.parametrize(
    ("text", "written"),
    [("@all", "@&#8203;all"), ("#12", "&#8203;#&#8203;12"), (":smile:", ":&#8203;smile:"), ("at 08:00", "at 08:00")],
)
def test_nobody_is_mentioned(text: str, written: str) -> None:
    assert prose(text) == written


def test_long_words_are_cut() -> None:
    assert prose("x" * 500) == f"{'x' * 199}…"


def test_what_does_not_fit_is_counted() -> None:
    whole = render_markdown(many(), limit=10**9)
    assert "more table" not in whole
    text = render_markdown(many(), limit=4_000)
    assert len(text) <= 4_000
    assert "10 more tables: the page has them all." in text or "5 more tables: the page has them all." in text
    assert "### Next" in text


def test_what_must_be_said_is_said_whatever_the_limit() -> None:
    text = render_markdown(many(), limit=10)
    assert text.startswith("## ❌ FAIL: the databases differ\n")
    assert "10 more tables: the page has them all." in text
    assert "| Verdict |" not in text
    assert "### Next" in text


def test_the_worst_report_fits_into_a_comment() -> None:
    columns = {f"{HOSTILE}{place}": (HOSTILE * 9, "") for place in range(100)}
    tables = [
        table(
            f"{place}{HOSTILE * 9}", "FAIL", *(changed(number, **columns) for number in range(9)), reason=HOSTILE * 99
        )
        for place in range(400)
    ]
    text = render_markdown(summarise("r", [*tables, *[None] * 400]))
    assert len(text) <= GITHUB_LIMIT
    assert "### Next" in text
    assert "and 80 more columns" in render_markdown(summarise("r", tables[:1]))
