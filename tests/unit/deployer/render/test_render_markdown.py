"""The review as a comment on GitHub."""

from __future__ import annotations

import re
from dataclasses import replace
from html.parser import HTMLParser

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from markdown_it import MarkdownIt

from deployer.render.escaping import code, fenced, prose
from deployer.render.markdown import GITHUB_LIMIT, marker, render_markdown
from deployer.review.model import Action, Certainty, Concern, Refusal, Severity, Verdict
from tests.unit.deployer.render import reviews
from tests.unit.deployer.render.reviews import ALLOWED, CASES, HOSTILE, edit, item, review, tier

GFM = MarkdownIt("commonmark", {"html": True}).enable(["table", "strikethrough"])
OUR_TAGS = {"h3", "h4", "p", "strong", "em", "table", "thead", "tbody", "tr", "th", "td", "code", "pre", "details",
            "summary", "b", "br", "sub", "ul", "li"}  # fmt: skip


class _Elements(HTMLParser):
    """What a page of HTML holds, and whether each element is closed where it should be."""

    def __init__(self, text):
        super().__init__()
        self.open, self.seen, self.text = [], [], ""
        self.feed(text)
        self.close()
        assert self.open == []

    def handle_starttag(self, tag, attrs):
        self.seen.append(tag)
        if tag != "br":
            self.open.append(tag)

    def handle_endtag(self, tag):
        assert self.open.pop() == tag

    def handle_data(self, data):
        self.text += data


def _elements(markdown):
    return _Elements(GFM.render(markdown))


@pytest.mark.parametrize("name", [*CASES, "hostile"])
@pytest.mark.parametrize("limit", [GITHUB_LIMIT, 20_000, 6_000, 2_500, 1_000])
def test_the_comment_fits_and_its_markup_is_whole(name, limit):
    made, verdict = CASES.get(name, (reviews.hostile, reviews.hostile_verdict))
    text = render_markdown(made(), verdict(), limit=limit)
    assert len(text) <= limit
    assert text.startswith("<!-- payments-review:payments-")
    assert set(_elements(text).seen) <= OUR_TAGS
    for line in text.splitlines():  # a cell that ends a row early would leave the columns uneven
        if line.startswith("| ") and not line.startswith("| ---"):
            assert len(re.findall(r"(?<!\\)\|", line)) in (3, 4, 5)


def test_the_marker_is_the_same_for_every_review_of_the_stack():
    assert render_markdown(reviews.upgrade(), ALLOWED).splitlines()[0] == "<!-- payments-review:payments-prod -->"
    assert render_markdown(reviews.failed(), ALLOWED).splitlines()[0] == marker("payments-prod")
    assert marker("a--> <b>\n") == "<!-- payments-review:a--? ?b??n -->"


def test_headline_and_refusals_come_before_the_tiers():
    text = render_markdown(reviews.upgrade(), reviews.upgrade_verdict())
    order = [
        "### `payments-prod` refused: 1 change must",
        "**Restarts the database",
        "| **traffic** | 20 % of the requests",
        "#### Refused",
        "```text\n--allow-traffic load_balancer.MigrationRule\n```",
        "Acknowledged: access `identity.TaskExecutionRole`",
        "| `database.engine_version` | `17.7` | `17.10` |",
        "<details><summary><b>identity</b>",
        "<details open><summary><b>database</b> changed: 2 replace, 4 modify</summary>",
        "Unchanged: network, encryption, security",
    ]
    places = [text.index(part) for part in order]
    assert places == sorted(places)
    assert "| no flag |" in text


def test_a_change_is_a_row_with_its_values_and_causes():
    text = render_markdown(reviews.upgrade(), ALLOWED)
    row = next(line for line in text.splitlines() if "`service.Service`" in line)
    assert "~ modify<br>**look: traffic**" in row
    assert "→ `(known only when applied)`" in row
    assert "<sub>because template database.ApplicationSecret → resource database.ApplicationSecret: replaced" in row
    assert "| 3 `RDS::DBInstance`<br>`Writer`, `Reader1`, `Reader2` |" in text
    assert (
        "`Actions`<br>~ `[forward].ForwardConfig.TargetGroups[targetgroup/payments-prod-dc].Weight`: `100` → `80`"
        in text
    )
    assert "<sub>5 resources in 1 tier are noise: monitoring 5; what feeds them does not change</sub>" in text
    assert "<b>monitoring</b>" not in text
    assert "**warning**: stop migration.ForwardTask first if it runs, " in text


def test_what_is_too_long_is_left_out_in_steps_and_counted():
    whole = render_markdown(reviews.big(), reviews.big_verdict(), limit=10**6)
    fits = render_markdown(reviews.big(), reviews.big_verdict())
    short = render_markdown(reviews.big(), reviews.big_verdict(), limit=12_000)
    assert "`Quiet1`" in whole
    assert "`Quiet1`" not in fits
    assert "10 changes left out as noise" in fits
    for address in ("network.Rule0", "monitoring.Rule10"):  # what the gate refuses goes last
        assert f"| `{address}`<br>" in short
    assert "`monitoring.Rule3`" in fits
    assert "`monitoring.Rule3`" not in short
    assert "left out" in short
    more = re.search(r"(\d+) more changes did not fit here: all of it is in `out/prod/review.html`\.", short)
    rows = short.count("~ modify<br>") + short.count("± replace<br>")
    assert int(more[1]) + rows == 350  # each noise and each group of 50 alike is counted elsewhere


def test_routine_groups_go_before_what_must_be_looked_at():
    short = render_markdown(reviews.big(), reviews.big_verdict(), limit=30_000)
    assert "`Thing1`" not in short
    assert "`network.Rule1`" in short


def test_refusals_and_params_are_cut_last_and_counted():
    refusals = tuple(
        Refusal(f"a.B{number}", "delete", "x" * 300, f"--allow-delete a.B{number}") for number in range(900)
    )
    made = review(
        tier("a", item("a.B1", "X::Y", Action.DELETE), warnings=("w",) * 50),
        params=tuple((f"p.k{number}", "1", "2") for number in range(60)),
        unknowns=("u",) * 30,
    )
    verdict = Verdict(refusals, tuple(("access", f"a.C{number}") for number in range(50)))
    text = render_markdown(made, verdict, limit=20_000)
    shown = text.count("| delete |")
    assert 20 <= shown < 900
    assert f"{900 - shown} more: all of it is in" in text
    assert text.count("\n--allow-delete") == shown
    assert "55 more: all of it is in" in text
    assert "and 45 more" in text
    least = render_markdown(made, verdict, limit=1_000)
    assert least.splitlines()[2:] == [
        "**refused: 900 changes must be acknowledged by name**", "", "all of it is in `out/prod/review.html`.",
    ] or least.splitlines()[3:] == [
        "**refused: 900 changes must be acknowledged by name**", "", "all of it is in `out/prod/review.html`.",
    ]  # fmt: skip


def test_a_first_deployment_is_short():
    text = render_markdown(reviews.first(), ALLOWED)
    assert len(text) < 4_000
    assert "+ create, routine: 46 `CloudWatch::Alarm`, 1 `SNS::Topic`" in text
    assert "| + create<br>**access** | 8 `EC2::SecurityGroupIngress`<br>`SecurityGroupIngress1`" in text


def test_a_forecast_says_so():
    text = render_markdown(reviews.forecast(), reviews.forecast_verdict())
    for part in ("#### Would be refused", "± will replace", "± may replace", "#### Unknown", "- What has been changed"):
        assert part in text
    created = review(tier("a", *(item(f"a.B{number}", "X::Y", Action.CREATE) for number in range(4))), forecast=True)
    assert "+ will create, routine: 4 `X::Y`" in render_markdown(created, ALLOWED)


def test_what_no_flag_acknowledges_has_no_block_of_flags():
    text = render_markdown(reviews.upgrade(), Verdict((Refusal("a.B", "delete", "no", ""),), ()))
    assert "| `a.B` | delete | no | no flag |" in text
    assert "```" not in text


def test_a_failure_tells_its_cause_in_an_open_tier():
    text = render_markdown(reviews.failed(), ALLOWED)
    assert "<details open><summary><b>service</b> failed</summary>\n\n**cause**: Template error" in text
    assert "**warning**: the quota of target groups" in text


def test_edits_of_every_kind():
    many = {f"k{number}": 1 for number in range(20)}
    text = render_markdown(
        review(
            tier(
                "a",
                item(
                    "a.B",
                    "X::Y",
                    Action.MODIFY,
                    edit("Same", '{"a":1}', '{"a": 1}', certainty=Certainty.POSSIBLE),
                    edit("Gone", "1", None),
                    edit("New", None, "2", replaces=True),
                    edit("Later", None, None, known=False),
                    edit("Quiet", "1", "2", certainty=Certainty.NOISE),
                    edit("Many", str(many).replace("'", '"'), str(many).replace("'", '"').replace(": 1", ": 2")),
                    keeps="deleted",
                ),
                item(
                    "a.C", "X::Y", Action.CREATE, edit("Port", None, "1"), concerns=(Concern.ACCESS,), summary="created"
                ),
                item("a.D", "X::Y", Action.CREATE, edit("Port", None, "1"), severity=Severity.WARN),
                item("a.E", "X::Y", Action.MODIFY),
            )
        ),
        ALLOWED,
    )
    row = next(line for line in text.splitlines() if "`a.B`" in line)
    for part in (
        "the old one: deleted",
        "`Same`: the same content, written differently (possible)",
        "`Gone`: `1` removed",
        "`New`: `2` added (replaces it)",
        "`Later`: `(known only when applied)` added",
        "<sub>1 more property change left out as noise</sub>",
        "~ `k11`: `1` → `2`<br>… 8 more lines",
    ):
        assert part in row, part
    assert "| + create<br>**access** | `a.C`<br>`X::Y` | created |" in text
    assert "| + create<br>**look** | `a.D`<br>`X::Y` | `Port`: `1` added |" in text
    assert "| ~ modify | `a.E`<br>`X::Y` | no details are told |" in text


def test_hostile_values_stay_text():
    text = render_markdown(reviews.hostile(), reviews.hostile_verdict())
    elements = _elements(text)
    assert set(elements.seen) <= OUR_TAGS
    assert "<img src=x onerror=alert(1)>" in elements.text
    assert "hunter2" not in text
    outside = re.sub(r"```.*?\n```\n|<code>.*?</code>|`[^`]*`", "", text, flags=re.DOTALL)
    assert not re.search(r"@\w", outside)


@settings(max_examples=300, deadline=None)
@given(st.text("ab_*`|\\<>&@#1:/w.~[]()!-+= \n$", max_size=30))
def test_whatever_the_text_it_stays_text(text):
    for shown in (prose(text), code(text)):
        elements = _elements(f"| head | other |\n| --- | --- |\n| x {shown} | y |")
        assert set(elements.seen) <= {"table", "thead", "tbody", "tr", "th", "td", "code"}
        assert elements.seen.count("td") == 2
        cell = elements.text.split("\nx", 1)[1].rsplit("\ny", 1)[0].replace("\u200b", "")
        assert cell.strip() == text.replace("\n", r"\n").strip()


def test_mentions_numbers_and_emoji_pull_nobody_in():
    assert prose("@octocat #12 :tada: #x a:b") == "@&#8203;octocat #&#8203;12 :&#8203;tada: #x a:b"
    assert prose("- item") == "&#8203;- item"
    assert prose("1. item") == "&#8203;1. item"
    assert prose("https://a www.b") == "https&#58;//a www&#46;b"
    assert prose("load_balancer _x_") == "load_balancer &#95;x&#95;"
    assert code("a|b") == "<code>a&#124;b</code>"
    assert code("a") == "`a`"


def test_a_fence_is_longer_than_what_it_holds():
    assert fenced(("a", "b")) == ["```text", "a", "b", "```"]
    assert fenced(("````",)) == ["`````text", "````", "`````"]


def test_the_hostile_constant_is_what_it_says():
    assert "\n" in HOSTILE
    assert replace(reviews.hostile(), stack=HOSTILE).stack == HOSTILE
    text = render_markdown(replace(reviews.hostile(), stack=HOSTILE), ALLOWED)
    assert text.splitlines()[0].count("-->") == 1
