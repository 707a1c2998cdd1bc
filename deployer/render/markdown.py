"""A review as one comment on a pull request."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from dataclasses import dataclass, replace

from deployer.render.arrangement import (
    Arranged,
    arrange,
    is_all_noise,
    is_loud,
    is_routine,
    loudest_first,
    tells_nothing,
    types,
    unchanged,
)
from deployer.render.difference import Difference, differences, title
from deployer.render.escaping import code, fenced, hidden, prose
from deployer.render.values import excerpts, shorten, visible
from deployer.render.wording import (
    SYMBOLS,
    chain,
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
    remarks,
    short_type,
    silence,
    standing,
    tier_line,
)
from deployer.review.model import Action, Certainty, Edit, Item, Review, Severity, TierReview, Verdict

GITHUB_LIMIT = 65_536  # characters of a comment's body
_MANY = 1_000_000


@dataclass(frozen=True, slots=True)
class _Budget:
    """How much is told: numbers of things shown, `value` and `prose` in characters."""

    noise: bool = True
    value: int = 200
    prose: int = 1_000
    differences: int = 12
    chains: bool = True
    routine: bool = True
    groups: int = _MANY
    params: int = _MANY
    refusals: int = _MANY


def _budgets() -> Iterator[_Budget]:
    """From everything to next to nothing: first what is noise goes, last what the gate refuses."""
    budget = _Budget()
    yield budget
    budget = replace(budget, noise=False)
    yield budget
    budget = replace(budget, value=80, differences=4, prose=400)
    yield budget
    budget = replace(budget, value=40, differences=2, chains=False)
    yield budget
    budget = replace(budget, routine=False, params=40)
    yield budget
    for groups in (300, 200, 120, 80, 50, 30, 20, 10, 5, 0):
        budget = replace(budget, groups=groups)
        yield budget
    for refusals in (200, 100, 50, 20, 10, 5, 2):
        budget = replace(budget, refusals=refusals, params=5, prose=200)
        yield budget


def render_markdown(review: Review, verdict: Verdict, *, limit: int = GITHUB_LIMIT) -> str:
    """The comment, of at most `limit` characters (1,000 or more).

    Its first line is hidden and the same for every review of the stack, so that the next one takes its place. What
    does not fit is left out step by step, counted, and said to be in review.html; nothing is cut in the middle.
    """
    text = ""
    for budget in _budgets():
        text = _Comment(review, verdict, budget).render()
        if len(text) <= limit:
            return text
    return _Comment(review, verdict, budget).shortest()


def marker(stack: str) -> str:
    """The hidden first line of every comment on this stack."""
    return f"<!-- payments-review:{hidden(stack)} -->"


@dataclass(frozen=True, slots=True)
class _Comment:
    review: Review
    verdict: Verdict
    budget: _Budget

    def render(self) -> str:
        shown, left_out = self._chosen()
        lines = [*self._head(), *self._refusals(), *self._params(), *self._unknowns()]
        quiet = [tier for tier in self.review.tiers if is_all_noise(tier)]
        for tier, arranged in shown:
            lines += () if tells_nothing(tier) or tier in quiet else self._tier(arranged)
        if quiet:
            lines += [f"<sub>{prose(noise_line(quiet))}</sub>", ""]
        untouched = ", ".join(map(prose, unchanged(self.review.tiers)))
        if untouched:
            lines += [f"Unchanged: {untouched}", ""]
        if left_out:
            lines += [f"{count(left_out, 'more change')} did not fit here: {self._pointer()}", ""]
        return "\n".join(lines).rstrip() + "\n"

    def shortest(self) -> str:
        """What is said when nothing else fits."""
        line = prose(shorten(visible(standing(self.review, self.verdict).line), 120))
        return "\n".join(
            (marker(self.review.stack), f"### {code(self.review.stack)}", "", f"**{line}**", "", self._pointer(), "")
        )

    def _pointer(self) -> str:
        return f"all of it is in {code(f'out/{self.review.suffix}/review.html')}."

    def _told(self, text: str) -> str:
        return prose(shorten(visible(text), self.budget.prose))

    def _chosen(self) -> tuple[list[tuple[TierReview, Arranged]], int]:
        """What of each tier is shown, and how many changes the budget leaves out: the quietest."""
        arranged = [(tier, arrange(tier, show_noise=False)) for tier in self.review.tiers]
        groups = [group for _, tier in arranged for group in tier.shown if self._listed(group[0])]
        keep = {id(item) for item in loudest_first(group[0] for group in groups)[: self.budget.groups]}
        chosen = [
            (tier, replace(part, shown=tuple(group for group in part.shown if id(group[0]) in keep)))
            for tier, part in arranged
        ]
        before = sum(len(group) for _, part in arranged for group in part.shown)
        return chosen, before - sum(len(group) for _, part in chosen for group in part.shown)

    def _listed(self, item: Item) -> bool:
        return self.budget.routine or not is_routine(item)

    def _head(self) -> Iterator[str]:
        review = self.review
        yield from (marker(review.stack), f"### {code(review.stack)} {prose(standing(review, self.verdict).line)}", "")
        if review.headline:
            yield from (f"**{self._told(review.headline)}**", "")
        rows = [(name, self._told(getattr(review, name)) or "unchanged") for name in ("data", "traffic", "access")]
        rows += [("changes", counts(review)), ("place", prose(place(review)))]
        yield from _table(("", ""), [(f"**{name}**", value) for name, value in rows])

    def _refusals(self) -> Iterator[str]:
        refusals, shown = self.verdict.refusals, self.verdict.refusals[: self.budget.refusals]
        if refusals:
            yield from ("#### Would be refused" if self.review.forecast else "#### Refused", "")
            rows = [
                (
                    code(refusal.address),
                    prose(refusal.rule),
                    self._told(refusal.reason),
                    code(refusal.flag) if refusal.flag else "no flag",
                )
                for refusal in shown
            ]
            yield from _table(("resource", "rule", "why", "acknowledged by"), rows)
            if len(refusals) > len(shown):
                yield from (f"{len(refusals) - len(shown)} more: {self._pointer()}", "")
            listed = flags(Verdict(shown, ()))
            if listed:
                yield from (*fenced(listed), "")
        if self.verdict.acknowledged:
            used = [f"{prose(rule)} {code(address)}" for rule, address in self.verdict.acknowledged]
            told, more = ", ".join(used[: self.budget.params]), len(used) - self.budget.params
            yield from (f"Acknowledged: {told}{f' and {more} more' if more > 0 else ''}", "")

    def _params(self) -> Iterator[str]:
        found = params(self.review)
        shown = found[: self.budget.params]
        if found:
            rows = []
            for key, before, after in shown:
                old, new = excerpts(before, after, self.budget.value)
                rows.append((code(key), code(old), code(new)))
            yield from _table(("params key", "before", "after"), rows)
            if len(found) > len(shown):
                yield from (f"{len(found) - len(shown)} more: {self._pointer()}", "")

    def _unknowns(self) -> Iterator[str]:
        unknowns = self.review.unknowns[: self.budget.params]
        if unknowns:
            yield from ("#### Unknown", "", *(f"- {self._told(sentence)}" for sentence in unknowns), "")

    def _tier(self, arranged: Arranged) -> Iterator[str]:
        tier = arranged.tier
        opened = " open" if any(item.severity is Severity.STOP for item in tier.items) or tier.cause else ""
        name = f"<b>{prose(tier.tier)}</b> {prose(tier_line(tier))}"
        yield from (f"<details{opened}><summary>{name}</summary>", "")
        if tier.cause:
            yield from (f"**cause**: {self._told(tier.cause)}", "")
        for warning in tier.warnings[: self.budget.params]:
            yield from (f"**warning**: {self._told(warning)}", "")
        rows = [self._row(group) for group in arranged.shown]
        if rows:
            yield from _table(("action", "resource", "change"), rows)
        if arranged.creations:
            told = ", ".join(f"{many} {code(short_type(kind))}" for kind, many in types(arranged.creations))
            verb = "will create" if self.review.forecast else "create"
            yield from (f"{SYMBOLS[Action.CREATE]} {verb}, routine: {told}", "")
        if arranged.noise:
            names = ", ".join(code(item.logical_id) for item in arranged.noise) if self.budget.noise else ""
            many = len(arranged.noise)
            yield from (
                f"<sub>{count(many, 'change')} left out as noise ({noise(many)}){names and f': {names}'}</sub>",
                "",
            )
        yield from ("</details>", "")

    def _row(self, group: tuple[Item, ...]) -> tuple[str, str, str]:
        item, loud = group[0], loudness(group[0])
        action = f"{SYMBOLS[item.action]} {deed(item, forecast=self.review.forecast)}"
        if loud:
            action += f"<br>**{loud}**"
        if len(group) == 1:
            resource = f"{code(item.address)}<br>{code(short_type(item.type))}"
        else:
            names = ", ".join(code(one.logical_id) for one in group)
            kinds = ", ".join(f"{many} {code(short_type(kind))}" for kind, many in types(group))
            resource = f"{kinds}<br>{names}"
        nothing = "created" if item.action is Action.CREATE else "no details are told"
        return action, resource, "<br>".join(self._change(item)) or nothing

    def _change(self, item: Item) -> Iterator[str]:
        if item.summary and not only_repeats(item):
            yield self._told(item.summary)
        if item.keeps:
            yield f"the old one: {self._told(item.keeps)}"
        for warning in item.warnings:
            yield f"**warning**: {self._told(warning)}"
        if item.action is Action.CREATE and not is_loud(item):
            return
        quiet = 0
        for edit in item.edits:
            if edit.certainty is Certainty.NOISE and item.certainty is not Certainty.NOISE:
                quiet += 1
                continue
            yield from self._edit(edit)
            links = chain(item, edit)
            if links and self.budget.chains:
                yield f"<sub>because {' → '.join(self._told(link_text(link)) for link in links)}</sub>"
        if quiet:
            yield f"<sub>{count(quiet, 'more property change')} left out as noise</sub>"

    def _edit(self, edit: Edit) -> Iterator[str]:
        name, told = code(shorten(title(edit.property), self.budget.prose)), remarks(edit)
        remark = f" ({told})" if told else ""
        found = differences(edit.property)
        if len(found) == 1 and not found[0].path:
            yield f"{name}: {self._values(found[0])}{remark}"
            return
        yield f"{name}{remark}" if found else f"{name}: {silence(edit)}{remark}"
        for difference in found[: self.budget.differences]:
            path = code(shorten(difference.path, self.budget.prose))
            yield f"{difference.sign} {path}: {self._values(difference)}"
        more = len(found) - self.budget.differences
        if more > 0:
            yield f"… {count(more, 'more line')}"

    def _values(self, difference: Difference) -> str:
        if difference.before is None or difference.after is None:
            one = code(shorten(difference.before or difference.after or "", self.budget.value))
            return f"{one} {'removed' if difference.after is None else 'added'}"
        old, new = excerpts(difference.before, difference.after, self.budget.value)
        return f"{code(old)} → {code(new)}"


def _table(heads: tuple[str, ...], rows: Sequence[tuple[str, ...]]) -> list[str]:
    lines = [heads, ("---",) * len(heads), *rows]
    return [*(f"| {' | '.join(line)} |" for line in lines), ""]
