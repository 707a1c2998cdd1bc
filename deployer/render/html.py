"""A review as one page for a browser: nothing is loaded, nothing is sent, and all of it is there without the script."""

from __future__ import annotations

from collections.abc import Iterable
from functools import cache
from importlib import resources

from deployer.render.page_changes import Changes, copyable, flag
from deployer.render.values import marked, visible
from deployer.render.wording import LOUDNESS, command, count, counts, flags, params, place, refusal_text, standing
from deployer.review.model import Action, Certainty, Review, Severity, Verdict
from pages.document import document
from pages.markup import Markup, joined, tag
from pages.style import DIFFERENCES

_KEYS = (
    ("/", "search"),
    ("j, k", "next and previous change"),
    ("Enter", "open or close the change"),
    ("Escape", "leave the search, show all changes again"),
    ("?", "this help"),
)


def render_html(review: Review, verdict: Verdict) -> str:
    """The page."""
    return document(
        f"{visible(review.stack)} {standing(review, verdict).line}",
        tag("a", "Skip to the changes", href="#changes", class_="skip"),
        _top(review, verdict),
        tag("main", *_sections(review, verdict)),
        tag("footer", tag("p", f"Review of {visible(review.stack)}, {place(review)}.")),
        _help(),
        tag("p", class_="unseen", role="status", id="told"),
        style=f"{DIFFERENCES}{_asset('page.css')}",
        script=_asset("page.js"),
    )


@cache
def _asset(name: str) -> str:
    return (resources.files("deployer.render") / "assets" / name).read_text(encoding="utf-8")


def _top(review: Review, verdict: Verdict) -> Markup:
    """The verdict, and what the change does to data, traffic and access."""
    stands = standing(review, verdict)
    effects = (("data", review.data), ("traffic", review.traffic), ("access", review.access))
    return tag(
        "header",
        tag("p", f"{'Forecast' if review.forecast else 'Review'}, {place(review)}", class_="place"),
        tag("h1", visible(review.stack)),
        tag("p", f"{stands.line[0].upper()}{stands.line[1:]}", class_=f"standing {stands.state}"),
        *([tag("p", visible(review.headline), class_="headline")] if review.headline else []),
        tag(
            "dl",
            *(
                tag("div", tag("dt", name.capitalize()), tag("dd", visible(effect) or "unchanged"))
                for name, effect in effects
            ),
            class_="effects",
        ),
    )


def _sections(review: Review, verdict: Verdict) -> Iterable[Markup]:
    yield from _refusals(review, verdict)
    changed = params(review)
    if changed:
        rows = [
            tag("tr", tag("th", tag("code", key), scope="row"), *_sides(before, after))
            for key, before, after in changed
        ]
        names = tag("tr", *(tag("th", name, scope="col") for name in ("Key", "Before", "After")))
        table = tag("table", tag("thead", names), tag("tbody", *rows), class_="params")
        yield _section("params", "Params changed", table)
    if review.unknowns:
        listed = tag("ul", *(tag("li", visible(sentence)) for sentence in review.unknowns))
        yield _section("unknown", "Unknown", tag("p", "What this forecast cannot tell:"), listed)
    heading = joined("Changes ", tag("span", counts(review), class_="told"))
    yield _section("changes", heading, _filter(review), *Changes(review, verdict).render())


def _section(name: str, heading: str, *children: str) -> Markup:
    return tag(
        "section", tag("h2", heading, id=f"{name}-heading"), *children, id=name, aria_labelledby=f"{name}-heading"
    )


def _sides(before: str, after: str) -> tuple[Markup, Markup]:
    old, new = marked(before, after)
    return tuple(  # type: ignore[return-value]  # a tuple of two, made by a loop
        tag("td", *(tag(mark, part.text) if part.changed else part.text for part in parts))
        for mark, parts in (("del", old), ("ins", new))
    )


def _refusals(review: Review, verdict: Verdict) -> Iterable[Markup]:
    addresses = {item.address for item in review.items()}
    if verdict.refusals:
        entries = []
        for refusal in verdict.refusals:
            name = tag("code", visible(refusal.address))
            if refusal.address in addresses:
                name = tag("a", name, href=f"#{visible(refusal.address)}")
            entries.append(tag("li", tag("p", name, " ", refusal_text(refusal)), flag(refusal)))
        listed = flags(verdict)
        everything = [tag("p", "All of them at once:", class_="all"), copyable(" ".join(listed))] if listed[1:] else []
        heading = "Would be refused" if review.forecast else "Refused"
        yield _section("refused", heading, tag("ul", *entries, class_="refusals"), *everything)
    if verdict.acknowledged:
        used = (tag("li", f"{visible(rule)} ", tag("code", visible(address))) for rule, address in verdict.acknowledged)
        yield _section("acknowledged", "Acknowledged", tag("ul", *used, class_="acknowledged"))
    if standing(review, verdict).state == "allowed":
        verb = "review" if review.forecast else "execute"
        yield _section("next", "Next", copyable(command(review, verb)))


def _filter(review: Review) -> Markup:
    """The controls; the script shows them, as they do nothing without it."""
    items = review.items()
    tiers = tuple(dict.fromkeys((visible(item.tier), visible(item.tier)) for item in items))
    severities = tuple(
        (severity.value, LOUDNESS[severity])
        for severity in Severity
        if any(item.severity is severity for item in items)
    )
    both = (("stop warn", "stop or look"),) if len(severities) > 1 else ()
    actions = tuple((action.value, action.value) for action in Action if any(item.action is action for item in items))
    grades = tuple((grade.value, grade.value) for grade in Certainty if any(item.certainty is grade for item in items))
    search = tag(
        "div",
        tag("label", "Search", for_="search"),
        tag(
            "input", type="search", id="search", autocomplete="off", spellcheck="false", placeholder="name, type, value"
        ),
        class_="field wide",
    )
    return tag(
        "div",
        search,
        _select("tier", tiers),
        _select("severity", (*both, *severities)),
        _select("action", actions),
        _select("certainty", grades),
        tag(
            "div",
            tag("p", f"{count(len(items), 'change')}", role="status", id="shown"),
            tag("button", "Expand all", type="button", id="expand"),
            tag("button", "Collapse all", type="button", id="collapse"),
            tag("button", "Reset", type="button", id="reset"),
            tag("button", "Keys", type="button", id="keys", aria_haspopup="dialog"),
            class_="buttons",
        ),
        role="search",
        aria_label="Changes",
        id="filter",
        hidden=True,
    )


def _select(name: str, options: Iterable[tuple[str, str]]) -> Markup:
    listed = (tag("option", label, value=value) for value, label in (("", "any"), *options))
    return tag("div", tag("label", name.capitalize(), for_=name), tag("select", *listed, id=name), class_="field")


def _help() -> Markup:
    rows = (joined(tag("dt", tag("kbd", key)), tag("dd", what)) for key, what in _KEYS)
    switch = tag(
        "p",
        tag("input", type="checkbox", id="single", checked=True),
        " ",
        tag("label", "Keys without Ctrl or Alt", for_="single"),
    )
    return tag(
        "dialog",
        tag("h2", "Keys", id="help-heading"),
        tag("dl", *rows, class_="keys"),
        switch,
        tag("button", "Close", type="button", id="close"),
        id="help",
        aria_labelledby="help-heading",
    )
