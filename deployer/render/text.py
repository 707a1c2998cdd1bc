"""A review for a terminal."""

from __future__ import annotations

from collections.abc import Iterable, Iterator
from dataclasses import dataclass

from deployer.render.arrangement import Arranged, arrange, is_all_noise, is_loud, tells_nothing, types, unchanged
from deployer.render.difference import Difference, differences, title
from deployer.render.terminal import Span, Terminal, columns
from deployer.render.values import excerpts, shorten, visible
from deployer.render.wording import (
    SYMBOLS,
    chain,
    command,
    count,
    counts,
    deed,
    flags,
    link_text,
    loudness,
    noise,
    noise_line,
    only_repeats,
    params,
    place,
    refusal_text,
    remarks,
    short_type,
    silence,
    standing,
    tier_line,
)
from deployer.review.model import Action, Certainty, Edit, Item, Review, Severity, Verdict

_STANDINGS = {"failed": "stop", "refused": "stop", "allowed": "good", "unchanged": "good"}
_SEVERITIES = {Severity.STOP: "stop", Severity.WARN: "look", Severity.NOTE: "", Severity.QUIET: "quiet"}
_VALUE_LIMIT = 120
_DIFFERENCES_SHOWN = 12


def render_text(
    review: Review,
    verdict: Verdict,
    *,
    width: int,
    color: bool,
    show_noise: bool = False,
    next_command: str | None = "",
) -> str:
    """The review as lines of at most `width` columns (40 or more; only what is meant to be copied may be longer).

    `next_command` is what is run next, to which the flags are appended; the plain `deploy.py execute` where not told.
    With None nothing is: the reader is asked, or told what to do, by what comes after the review.
    """
    page = _Page(review, verdict, Terminal(width, color), show_noise)
    sections = [page.head(), page.params(), page.unknowns(), *page.tiers(), page.end(next_command)]
    return "\n\n".join("\n".join(section) for section in sections if section) + "\n"


@dataclass(frozen=True, slots=True)
class _Page:
    review: Review
    verdict: Verdict
    terminal: Terminal
    show_noise: bool

    def head(self) -> list[str]:
        """What it is, where it stands, what it does: all that a hurried reader reads."""
        fill, review = self.terminal.fill, self.review
        stands = standing(review, self.verdict)
        lines = fill(Span(visible(review.stack), "strong"), f"  {place(review)}", hanging=2)
        lines += fill(Span(stands.line, _STANDINGS[stands.state]), hanging=2)
        if review.headline:
            lines += ["", *fill(Span(visible(review.headline), "strong"), indent=2, hanging=0)]
        for name in ("data", "traffic", "access"):
            lines += fill(f"{name:<8}  {visible(getattr(review, name)) or 'unchanged'}", indent=2, hanging=10)
        return lines + fill(f"changes   {counts(review)}", indent=2, hanging=10)

    def params(self) -> list[str]:
        """The changed params keys."""
        found = params(self.review)
        if not found:
            return []
        widest = max(columns(key) for key, _, _ in found)
        lines = self.terminal.fill(Span("params changed", "strong"))
        for key, before, after in found:
            padding = " " * (widest - columns(key) + 2)
            lines += self.terminal.fill(f"{key}{padding}", *_arrow(before, after), indent=2, hanging=4)
        return lines

    def unknowns(self) -> list[str]:
        """What a forecast cannot tell."""
        if not self.review.unknowns:
            return []
        lines = self.terminal.fill(Span("unknown", "strong"))
        for sentence in self.review.unknowns:
            lines += self.terminal.fill(f"? {visible(sentence)}", indent=2, hanging=2)
        return lines

    def tiers(self) -> Iterator[list[str]]:
        """Each tier that has something to tell; those of nothing but noise and the unchanged ones in one line each."""
        quiet = [] if self.show_noise else [tier for tier in self.review.tiers if is_all_noise(tier)]
        for tier in self.review.tiers:
            if not tells_nothing(tier) and tier not in quiet:
                arranged = arrange(tier, show_noise=self.show_noise)
                yield [*self._tier_head(arranged), *self._tier_items(arranged)]
        if quiet:
            yield self.terminal.fill(Span(f"{noise_line(quiet)} (--all shows them)", "quiet"), hanging=2)
        untouched = ", ".join(map(visible, unchanged(self.review.tiers)))
        if untouched:
            yield self.terminal.fill(Span(f"unchanged  {untouched}", "quiet"), hanging=11)

    def _tier_head(self, arranged: Arranged) -> list[str]:
        tier, fill = arranged.tier, self.terminal.fill
        lines = fill(Span(visible(tier.tier), "strong"), f"  {tier_line(tier)}", hanging=2)
        if tier.cause:
            lines += fill(Span(f"cause: {visible(tier.cause)}", "stop"), indent=2, hanging=2)
        for warning in tier.warnings:
            lines += fill(Span(f"warning: {visible(warning)}", "look"), indent=2, hanging=2)
        return lines

    def _tier_items(self, arranged: Arranged) -> Iterator[str]:
        fill = self.terminal.fill
        for group in arranged.shown:
            yield from self._item(group[0]) if len(group) == 1 else self._alike(group)
        if arranged.creations:
            verb = "will create" if self.review.forecast else "create"
            sign = Span(f"{SYMBOLS[Action.CREATE]} {verb}", "good")
            yield from fill(sign, "  routine: ", *_kinds(arranged.creations), indent=2, hanging=4)
        if arranged.noise:
            many = len(arranged.noise)
            them = "it" if many == 1 else "them"
            told = f"? {count(many, 'change')} left out as noise: {noise(many)} (--all shows {them})"
            yield from fill(Span(told, "quiet"), indent=2, hanging=2)

    def _item_head(self, item: Item, name: str, *, many_kinds: bool = False) -> list[str]:
        style = _SEVERITIES[item.severity] or ("good" if item.action is Action.CREATE else "")
        loud, kind = loudness(item), "" if many_kinds else f"  {short_type(item.type)}"
        return self.terminal.fill(
            Span(f"{SYMBOLS[item.action]} {deed(item, forecast=self.review.forecast)}", style),
            "  ",
            Span(name, "strong"),
            kind,
            Span("  "),
            Span(f"[{loud}]" if loud else "", style, whole=True),
            indent=2,
            hanging=4,
        )

    def _item(self, item: Item) -> Iterator[str]:
        yield from self._item_head(item, visible(item.address))
        yield from self._item_body(item, visible(item.physical_id) if is_loud(item) else "")

    def _alike(self, items: tuple[Item, ...]) -> Iterator[str]:
        first, kinds = items[0], types(items)
        yield from self._item_head(first, count(len(items), "resource"), many_kinds=len(kinds) > 1)
        if len(kinds) > 1:
            yield from self.terminal.fill(*_kinds(items), indent=6)
        yield from self.terminal.fill(", ".join(visible(item.logical_id) for item in items), indent=6)
        yield from self._item_body(first, "")

    def _item_body(self, item: Item, physical_id: str) -> Iterator[str]:
        fill = self.terminal.fill
        if item.summary and not only_repeats(item):
            yield from fill(visible(item.summary), indent=6)
        if item.keeps:
            yield from fill(f"the old one: {visible(item.keeps)}", indent=6, hanging=2)
        if physical_id:
            yield from fill(Span(f"physical id {physical_id}", "quiet"), indent=6, hanging=2)
        for warning in item.warnings:
            yield from fill(Span(f"warning: {visible(warning)}", "look"), indent=6, hanging=2)
        if item.action is not Action.CREATE or is_loud(item) or self.show_noise:
            yield from self._edits(item, item.edits)

    def _edits(self, item: Item, edits: Iterable[Edit]) -> Iterator[str]:
        quiet = 0
        for edit in edits:
            if edit.certainty is Certainty.NOISE and item.certainty is not Certainty.NOISE and not self.show_noise:
                quiet += 1
                continue
            yield from self._edit(edit)
            for depth, link in enumerate(chain(item, edit)):
                word = "because " if not depth else "→ "
                indent = 8 + (0 if not depth else 2 * depth)
                yield from self.terminal.fill(Span(f"{word}{link_text(link)}", "link"), indent=indent, hanging=4)
        if quiet:
            yield from self.terminal.fill(
                Span(f"? {count(quiet, 'more property change')} left out as noise", "quiet"), indent=6, hanging=2
            )

    def _edit(self, edit: Edit) -> Iterator[str]:
        fill = self.terminal.fill
        name, told = title(edit.property), remarks(edit)
        remark = [Span(f"  ({told})", "look" if edit.replaces else "quiet")] if told else []
        found = differences(edit.property)
        if len(found) == 1 and not found[0].path:
            yield from fill(f"{name}: ", *_values(found[0]), *remark, indent=6, hanging=4)
            return
        note = "" if found else f": {silence(edit)}"
        yield from fill(f"{name}{note}", *remark, indent=6, hanging=4)
        shown = found if self.show_noise else found[:_DIFFERENCES_SHOWN]
        for difference in shown:
            yield from fill(f"{difference.sign} {difference.path}: ", *_values(difference), indent=8, hanging=4)
        if len(found) > len(shown):
            rest = f"… {count(len(found) - len(shown), 'more line')} that change (--all, or review.html)"
            yield from fill(Span(rest, "quiet"), indent=8)

    def end(self, next_command: str | None) -> list[str]:
        """What the gate refuses, with the flags, and what is run next."""
        fill, verdict, review = self.terminal.fill, self.verdict, self.review
        lines = []
        if verdict.acknowledged:
            lines += fill(Span("acknowledged", "strong"))
            for rule, address in verdict.acknowledged:
                lines += fill(f"{visible(rule)}  {visible(address)}", indent=2, hanging=2)
            lines.append("")
        if verdict.refusals:
            lines += fill(Span("refused" if not review.forecast else "would be refused", "stop"))
            for refusal in verdict.refusals:
                lines += fill(
                    Span(visible(refusal.address), "strong"), f"  {refusal_text(refusal)}", indent=2, hanging=4
                )
                flag = Span(visible(refusal.flag), whole=True) if refusal.flag else "no flag acknowledges it"
                lines += fill(flag, indent=6)
            lines.append("")
        if next_command is None or standing(review, verdict).state == "unchanged":
            return lines[:-1]  # without the empty line that parts it from what is next
        return [*lines, *fill(Span("next", "strong")), *self._next(next_command)]

    def _next(self, told: str) -> list[str]:
        """What to do, then lines to copy; a shell reads them as one command."""
        review, verdict, words = self.review, self.verdict, ""
        parts = [command(review, "review")]
        if standing(review, verdict).state == "failed":
            words = "mend the cause, build, and review again:"
        elif any(not refusal.flag for refusal in verdict.refusals):
            words = "change what is never acknowledged here, build, and review again:"
        else:
            parts = [told or command(review, "review" if review.forecast else "execute"), *flags(verdict)]
        copied = " \\\n    ".join(parts)
        return [*(self.terminal.fill(words, indent=2) if words else []), f"  {copied}"]


def _kinds(items: Iterable[Item]) -> Iterator[Span]:
    """How many of each type, a number never parted from its type."""
    found = types(items)
    for number, (name, many) in enumerate(found, start=1):
        comma = "," if number < len(found) else ""
        yield Span(f"{many} {short_type(name)}{comma}", whole=True)
        yield Span(" ")


def _arrow(before: str, after: str) -> list[Span]:
    old, new = excerpts(before, after, _VALUE_LIMIT)
    return [Span(f"{old} "), Span(f"→ {new}", "strong")]


def _values(difference: Difference) -> list[Span]:
    if difference.before is None or difference.after is None:
        one = shorten(difference.before or difference.after or "", _VALUE_LIMIT)
        if difference.path:
            return [Span(one)]
        return [Span(one), Span(" removed" if difference.after is None else " added")]
    return _arrow(difference.before, difference.after)
