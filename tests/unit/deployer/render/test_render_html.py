"""The review's page as text; how it behaves is tested in a browser (tests/integration/review_page)."""

from __future__ import annotations

import base64
import hashlib
import re
from html.parser import HTMLParser

import pytest

from deployer.render.html import render_html
from deployer.review.model import Action, Certainty, Concern
from tests.unit.deployer.render import reviews
from tests.unit.deployer.render.reviews import ALLOWED, CASES, edit, item, review, tier

VOID = {"meta", "link", "input", "br"}


class _Page(HTMLParser):
    """The elements of a page, each closed where it should be."""

    def __init__(self, text):
        super().__init__()
        self.open, self.elements, self.words = [], [], []
        self.feed(text)
        self.close()
        assert self.open == []

    def handle_starttag(self, tag, attrs):
        self.elements.append((tag, dict(attrs)))
        if tag not in VOID:
            self.open.append(tag)

    def handle_endtag(self, tag):
        assert self.open.pop() == tag

    def handle_data(self, data):
        self.words.append(data)


def _body(given, verdict=ALLOWED):
    return render_html(given, verdict).partition("<body>")[2].partition("<script>")[0]


@pytest.mark.parametrize("name", [*CASES, "hostile", "unchanged"])
def test_the_page_is_well_formed_and_loads_nothing(name):
    made, verdict = CASES.get(name, (getattr(reviews, name), getattr(reviews, f"{name}_verdict", lambda: ALLOWED)))
    page = _Page(render_html(made(), verdict()))
    names = [element for element, _ in page.elements]
    assert not set(names) & {"img", "iframe", "object", "embed", "form", "audio", "video", "base"}
    assert (names.count("script"), names.count("style")) == (1, 1)
    for _, attributes in page.elements:
        assert not {key for key in attributes if key.startswith("on") or key in ("src", "style", "srcset")}
        assert attributes.get("href", "#").startswith(("#", "data:,"))
    ids = [attributes["id"] for _, attributes in page.elements if "id" in attributes]
    assert len(ids) == len(set(ids))
    labelled = {attributes["aria-labelledby"] for _, attributes in page.elements if "aria-labelledby" in attributes}
    assert labelled <= set(ids)


def test_the_policy_names_the_style_and_the_script_by_their_digests():
    text = render_html(reviews.upgrade(), ALLOWED)
    policy = re.search(r'http-equiv="Content-Security-Policy" content="([^"]*)"', text)[1].replace("&#x27;", "'")
    for element, directive in (("style", "style-src"), ("script", "script-src")):
        content = re.search(f"<{element}>(.*?)</{element}>", text, re.DOTALL)[1]
        digest = base64.b64encode(hashlib.sha256(content.encode()).digest()).decode()
        assert f"{directive} 'sha256-{digest}'" in policy
    assert policy.startswith("default-src 'none';")
    assert "unsafe" not in policy
    assert text.index("Content-Security-Policy") < text.index("<style>")


def test_everything_stands_open_before_the_script_runs():
    page = _Page(render_html(reviews.big(), reviews.big_verdict()))
    assert all("open" in attributes for element, attributes in page.elements if element == "details")
    controls = next(attributes for _, attributes in page.elements if attributes.get("id") == "filter")
    assert "hidden" in controls
    copies = [attributes for _, attributes in page.elements if "data-copy" in attributes]
    assert copies
    assert all("hidden" in attributes for attributes in copies)


def test_every_change_carries_what_it_is_filtered_by():
    page = _Page(render_html(reviews.upgrade(), ALLOWED))
    items = {attributes["id"]: attributes for _, attributes in page.elements if "data-tier" in attributes}
    assert set(items) == {one.address for one in reviews.upgrade().items()}
    one = items["migration.AuroraTarget"]
    assert [one[f"data-{key}"] for key in ("tier", "severity", "action", "certainty")] == [
        "migration", "warn", "modify", "possible",
    ]  # fmt: skip
    options = [attributes["value"] for element, attributes in page.elements if element == "option"]
    assert {"stop warn", "stop", "warn", "note", "quiet", "replace", "modify", "certain", "noise"} <= set(options)
    assert "delete" not in options


def test_routine_changes_are_folded():
    body = _body(reviews.first())
    assert '<b>17 routine resources</b><span class="kinds">6 EC2::Subnet, 6 EC2::VPCEndpoint' in body
    body = _body(reviews.big())
    assert body.count("<b>50 resources alike</b>") == 5
    assert body.count("<b>10 changes: what feeds them does not change") == 5
    assert body.count('id="network.Thing') == 50
    created = review(tier("a", *(item(f"a.B{number}", "X::Y", Action.CREATE) for number in range(4))), forecast=True)
    assert "+ will create</span><b>4 routine resources" in _body(created)


def test_a_refusal_stands_at_the_top_and_at_its_change():
    body = _body(reviews.upgrade(), reviews.upgrade_verdict())
    assert body.count("touching the rule sets the live weights") == 2
    assert '<a href="#load_balancer.MigrationRule">' in body
    assert body.count("No flag acknowledges it.") == 2
    assert "All of them at once" not in body
    both = _body(reviews.upgrade(), reviews.refused_verdict())
    assert "<code>--allow-replace database.ApplicationSecret --allow-traffic load_balancer.MigrationRule</code>" in both
    assert '<h2 id="next-heading">' not in both


def test_a_refusal_of_what_is_no_change_of_the_page_is_no_link():
    body = _body(reviews.unchanged(), reviews.forecast_verdict())
    assert "<a href" not in body.split("<main>")[1]
    assert "<code>database.Cluster</code> replace: the data stays behind" in body


def test_what_is_allowed_says_what_runs_next():
    assert "<code>python deploy.py execute --env dev --suffix pr-12</code>" in _body(reviews.first())
    assert "<code>python deploy.py review --env prod</code>" in _body(reviews.forecast())
    for state in (reviews.failed(), reviews.unchanged()):
        assert "python deploy.py" not in _body(state)


def test_a_forecast_says_so():
    body = _body(reviews.forecast(), reviews.forecast_verdict())
    for part in ("Forecast, environment prod", "Would be refused", "± will replace", "± may replace", "Unknown"):
        assert part in body
    assert "safe" not in body.lower()


def test_edits_of_every_kind():
    body = _body(
        review(
            tier(
                "a",
                item(
                    "a.B",
                    "X::Y",
                    Action.MODIFY,
                    edit("Same", '{"a":1}', '{"a": 1}'),
                    edit("Gone", "1", None, ("param", "a.password", "hunter2 → x"), ("odd<", "n", "")),
                    edit("New", None, "2", replaces=True),
                    edit("Quiet", "1", "2", certainty=Certainty.NOISE),
                    concerns=(Concern.DATA,),
                ),
                warnings=("look here",),
            )
        )
    )
    assert '<p class="silent">the same content, written differently</p>' in body
    assert '<td class="old">1</td><td class="new nothing">nothing</td>' in body
    assert '<td class="old nothing">nothing</td><td class="new">2</td>' in body
    assert '<span class="remark replaces">replaces it</span>' in body
    assert "1 more property change: noise" in body
    assert '<span class="kind">odd&lt;</span> <code>n</code>' in body
    assert "hunter2" not in body
    assert '<li><span class="kind">property</span> <code>Gone</code></li></ol>' in body
    assert '<p class="warning"><b>Warning</b> look here</p>' in body


def test_acknowledged_is_listed():
    assert "<li>access <code>identity.TaskExecutionRole</code></li>" in _body(
        reviews.upgrade(), reviews.upgrade_verdict()
    )
