"""The changes of the review's page: tiers, items, what differs and why."""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Iterator

from deployer.render.arrangement import Arranged, arrange, is_all_noise, is_routine, tells_nothing, types, unchanged
from deployer.render.difference import Difference, differences, title
from deployer.render.values import Part, marked, visible
from deployer.render.wording import (
    LOUDNESS,
    SYMBOLS,
    count,
    deed,
    link_detail,
    link_kind,
    noise,
    noise_line,
    only_repeats,
    refusal_text,
    remarks,
    short_type,
    silence,
    tier_line,
)
from deployer.review.model import Action, Certainty, Edit, Item, Link, Refusal, Review, Severity, TierReview, Verdict
from pages.markup import Markup, joined, tag


class Changes:
    """Draws the tiers of one review."""

    def __init__(self, review: Review, verdict: Verdict) -> None:
        self._forecast = review.forecast
        self._tiers = review.tiers
        self._refusals: dict[str, list[Refusal]] = defaultdict(list)
        for refusal in verdict.refusals:
            self._refusals[refusal.address].append(refusal)

    def render(self) -> Iterator[Markup]:
        """Each tier that has something to tell; those of nothing but noise together, the unchanged ones in one line."""
        quiet = [tier for tier in self._tiers if is_all_noise(tier)]
        yield from (self._tier(tier) for tier in self._tiers if not tells_nothing(tier) and tier not in quiet)
        if quiet:
            items = tuple(item for tier in quiet for item in tier.items)
            fold = self._fold(items, "? noise", noise_line(quiet))
            yield tag("section", fold, class_="tier", aria_label="Nothing but noise")
        untouched = ", ".join(map(visible, unchanged(self._tiers)))
        if untouched:
            yield tag("p", tag("b", "Unchanged"), f" {untouched}", class_="untouched")

    def _tier(self, tier: TierReview) -> Markup:
        arranged, name = arrange(tier, show_noise=False), visible(tier.tier)
        return tag(
            "section",
            tag("h3", name, " ", tag("span", tier_line(tier), class_="told"), id=f"tier-{name}"),
            *([tag("p", tag("b", "Cause"), f" {visible(tier.cause)}", class_="cause")] if tier.cause else []),
            *(_warning(warning) for warning in tier.warnings),
            *self._items(arranged),
            class_="tier",
            aria_labelledby=f"tier-{name}",
        )

    def _items(self, arranged: Arranged) -> Iterator[Markup]:
        for group in arranged.shown:
            if len(group) > 1 and is_routine(group[0]):
                first = group[0]
                what = f"{count(len(group), 'resource')} alike"
                yield self._fold(group, f"{SYMBOLS[first.action]} {deed(first, forecast=self._forecast)}", what)
            else:
                yield from map(self._item, group)
        if arranged.creations:
            verb = f"{SYMBOLS[Action.CREATE]} {'will create' if self._forecast else 'create'}"
            yield self._fold(arranged.creations, verb, f"{count(len(arranged.creations), 'routine resource')}")
        if arranged.noise:
            yield self._fold(
                arranged.noise, "? noise", f"{count(len(arranged.noise), 'change')}: {noise(len(arranged.noise))}"
            )

    def _fold(self, items: tuple[Item, ...], sign: str, what: str) -> Markup:
        kinds = ", ".join(f"{many} {short_type(name)}" for name, many in types(items))
        summary = tag("summary", tag("span", sign, class_="deed"), tag("b", what), tag("span", kinds, class_="kinds"))
        return tag("details", summary, *map(self._item, items), class_="fold", open=True)

    def _item(self, item: Item) -> Markup:
        address = visible(item.address)
        head = tag(
            "summary",
            tag("span", f"{SYMBOLS[item.action]} {deed(item, forecast=self._forecast)}", class_="deed"),
            tag("span", tag("h4", address), " ", tag("span", short_type(item.type), class_="type"), class_="name"),
            tag("span", *_chips(item), class_="chips"),
            *(
                [tag("span", visible(item.summary), class_="summary")]
                if item.summary and not only_repeats(item)
                else []
            ),
        )
        return tag(
            "details",
            head,
            tag("div", *self._body(item), class_="body"),
            class_=f"item {item.severity.value}",
            id=address,
            data_tier=visible(item.tier),
            data_severity=item.severity.value,
            data_action=item.action.value,
            data_certainty=item.certainty.value,
            open=True,
        )

    def _body(self, item: Item) -> Iterator[Markup]:
        for refusal in self._refusals[item.address]:
            reason = tag("p", tag("b", "Refused"), f" {refusal_text(refusal)}")
            yield tag("div", reason, flag(refusal), class_="refusal")
        yield from map(_warning, item.warnings)
        facts = (
            ("type", "" if item.physical_id or item.edits else visible(item.type)),
            ("physical id", visible(item.physical_id)),
            ("the old one", visible(item.keeps)),
        )
        told = (joined(tag("dt", name), tag("dd", value)) for name, value in facts if value)
        yield tag("dl", *told, class_="facts")
        noise = []
        for edit in item.edits:
            if edit.certainty is Certainty.NOISE and item.certainty is not Certainty.NOISE:
                noise.append(edit)
            else:
                yield _edit(edit)
        if noise:
            summary = tag("summary", f"{count(len(noise), 'more property change')}: noise")
            yield tag("details", summary, *map(_edit, noise), class_="quiet-edits", open=True)


def flag(refusal: Refusal) -> Markup:
    """The flag that acknowledges, with a button to copy it; or that there is none."""
    if not refusal.flag:
        return tag("p", "No flag acknowledges it.", class_="never")
    return copyable(visible(refusal.flag))


def copyable(text: str) -> Markup:
    """Text to be copied, with a button that needs the script and is hidden without."""
    return tag(
        "p",
        tag("code", text),
        tag("button", "Copy", type="button", data_copy=text, aria_label=f"Copy {text}", hidden=True),
        class_="copy",
    )


def _chips(item: Item) -> Iterator[Markup]:
    if item.severity is not Severity.NOTE:
        yield tag("span", LOUDNESS[item.severity], class_=f"chip {item.severity.value}")
    for concern in item.concerns:
        yield tag("span", concern.value, class_="chip")


def _warning(text: str) -> Markup:
    return tag("p", tag("b", "Warning"), f" {visible(text)}", class_="warning")


def _edit(edit: Edit) -> Markup:
    name, told = title(edit.property), remarks(edit)
    found = differences(edit.property)
    remark = [tag("span", told, class_="remark replaces" if edit.replaces else "remark")] if told else []
    shown = _table(name, found) if found else tag("p", silence(edit), class_="silent")
    return tag("div", tag("p", tag("code", name), *remark, class_="property"), shown, _chain(edit, name), class_="edit")


def _table(name: str, found: tuple[Difference, ...]) -> Markup:
    return tag(
        "table",
        tag("caption", f"{name}, before and after", class_="unseen"),
        tag("thead", tag("tr", tag("th", "Before", scope="col"), tag("th", "After", scope="col"))),
        *(_row(difference) for difference in found),
        class_="diff",
    )


def _row(difference: Difference) -> Markup:
    before, after = difference.before, difference.after
    old: tuple[Part, ...]
    new: tuple[Part, ...]
    if before is None or after is None:
        old, new = (() if side is None else (Part(side, changed=False),) for side in (before, after))
    else:
        old, new = marked(before, after)
    cells = tag("tr", _cell(old, "del", "old"), _cell(new, "ins", "new"))
    if not difference.path:
        return tag("tbody", cells)
    path = tag("th", tag("code", difference.path), scope="rowgroup", colspan=2)
    return tag("tbody", tag("tr", path, class_="path"), cells)


def _cell(parts: tuple[Part, ...], mark: str, side: str) -> Markup:
    if not parts:
        return tag("td", "nothing", class_=f"{side} nothing")
    whole = len(parts) == 1  # then the cell's own colour says it
    return tag(
        "td", *(tag(mark, part.text) if part.changed and not whole else part.text for part in parts), class_=side
    )


def _chain(edit: Edit, name: str) -> Markup:
    """The causes as a list, from the first to the property."""
    links = edit.chain
    if not links:
        return Markup("")
    if links[-1].kind != "property":
        links = (*links, Link("property", name))
    steps = (
        tag(
            "li",
            tag("span", link_kind(link), class_="kind"),
            " ",
            tag("code", visible(link.name)),
            *([" ", tag("span", link_detail(link), class_="detail")] if link.detail else []),
        )
        for link in links
    )
    return tag("ol", *steps, class_="chain", aria_label=f"Why {name} changes")
