"""The words that all renderers share: what an action, a grade and a verdict are called."""

from __future__ import annotations

from collections import Counter
from collections.abc import Sequence
from dataclasses import dataclass

from deployer.render.values import HIDDEN, is_secret, quoted, visible
from deployer.review.model import Action, Certainty, Edit, Item, Link, Refusal, Review, Severity, TierReview, Verdict

SYMBOLS = {
    Action.REPLACE: "±",
    Action.DELETE: "-",
    Action.RETAIN: "o",
    Action.MODIFY: "~",
    Action.IMPORT: ">",
    Action.CREATE: "+",
}
# What the severities are called; the colour of a renderer only repeats it.
LOUDNESS = {Severity.STOP: "stop", Severity.WARN: "look", Severity.NOTE: "routine", Severity.QUIET: "noise"}
LINKS = {"param": "params key"}


@dataclass(frozen=True, slots=True)
class Standing:
    """Where the review stands: `state` is failed | refused | allowed | unchanged, `line` says it."""

    state: str
    line: str


def standing(review: Review, verdict: Verdict) -> Standing:
    """What a reader must know before anything else. A forecast is never told to be safe."""
    failed = [tier.tier for tier in review.tiers if tier.outcome == "failed"]
    if failed:
        return Standing("failed", f"cannot be executed: {_named('change set', failed)} failed")
    if verdict.refusals:
        return Standing("refused", _refused(review, verdict))
    if all(item.certainty is Certainty.NOISE for item in review.items()):
        same = all(tier.outcome == "unchanged" for tier in review.tiers)
        nothing = "nothing that it can tell" if review.unknowns else "nothing" if same else "no resource"
        return Standing("unchanged", f"{'forecast' if review.forecast else 'allowed'}: {nothing} changes")
    if review.forecast:
        return Standing("allowed", "forecast: nothing that it can tell would be refused; only a change set tells all")
    used = len(verdict.acknowledged)
    return Standing(
        "allowed",
        f"allowed: {count(used, 'acknowledgement')} used" if used else "allowed: nothing needs an acknowledgement",
    )


def _refused(review: Review, verdict: Verdict) -> str:
    never = sum(not refusal.flag for refusal in verdict.refusals)
    total = len(verdict.refusals)
    would = "forecast: would be refused, as" if review.forecast else "refused:"
    if never == total:
        return f"{would} {count(never, 'change')} can never be acknowledged here"
    rest = f", {never} can never be" if never else ""
    return f"{would} {count(total - never, 'change')} must be acknowledged by name{rest}"


def _named(noun: str, names: list[str]) -> str:
    return f"the {noun}{'s' if len(names) > 1 else ''} of {', '.join(visible(name) for name in names)}"


def count(number: int, noun: str) -> str:
    """`1 change`, `2 changes`."""
    return f"{number} {noun}{'' if number == 1 else 's'}"


def deed(item: Item, *, forecast: bool) -> str:
    """What happens to a resource: `replace`, `may replace`, in a forecast `will replace`."""
    if item.certainty is Certainty.POSSIBLE:
        return f"may {item.action.value}"
    if item.certainty is Certainty.NOISE:
        return f"{item.action.value}?"
    return f"will {item.action.value}" if forecast else item.action.value


def counts(review: Review) -> str:
    """`1 replace, 6 modify, 2 create; 12 noise`."""
    parts = [f"{review.counts[action]} {action.value}" for action in Action if review.counts.get(action)]
    noise = sum(item.certainty is Certainty.NOISE for item in review.items())
    return (", ".join(parts) or "none") + (f"; {noise} noise" if noise else "")


def tier_line(tier: TierReview) -> str:
    """What becomes of a tier: `changed: 1 replace, 6 modify`."""
    found = Counter(item.action for item in tier.items if item.certainty is not Certainty.NOISE)
    told = ", ".join(f"{found[action]} {action.value}" for action in Action if found[action])
    if not tier.items and tier.outcome == "changed":
        told = "no resource"  # its outputs do
    return f"{visible(tier.outcome)}{': ' if told else ''}{told}"


def noise(number: int) -> str:
    """Why so many changes are noise: AWS reports a value that another resource feeds as if it changed."""
    return f"what feeds {'it' if number == 1 else 'them'} does not change"


def noise_line(tiers: Sequence[TierReview]) -> str:
    """What of tiers with nothing but noise is told: `7 resources in 2 tiers are noise: network 5, security 2; …`."""
    total = sum(len(tier.items) for tier in tiers)
    told = ", ".join(f"{visible(tier.tier)} {len(tier.items)}" for tier in tiers)
    where = f"{count(total, 'resource')} in {count(len(tiers), 'tier')}"
    return f"{where} {'is' if total == 1 else 'are'} noise: {told}; {noise(total)}"


def loudness(item: Item) -> str:
    """`stop: data, access`, `look`, or "" for what is routine without a concern."""
    concerns = ", ".join(item.concerns)
    word = LOUDNESS[item.severity]
    if item.severity is Severity.NOTE:
        return concerns
    return f"{word}: {concerns}" if concerns else word


def only_repeats(item: Item) -> bool:
    """Whether the summary only says again what the action says."""
    words = visible(item.summary).rstrip(".").split()
    return bool(words) and words[-1].rstrip("d") == item.action.value.rstrip("d") and words[:-1] in ([], ["will", "be"])


def short_type(name: str) -> str:
    """`RDS::DBCluster`; types of others than AWS keep their whole name."""
    return visible(name).removeprefix("AWS::")


def remarks(edit: Edit) -> str:
    """What a property's change does, and how sure it is: `replaces it, possible`."""
    words = ["replaces it" if edit.certainty is Certainty.CERTAIN else "may replace it"] if edit.replaces else []
    if edit.certainty is not Certainty.CERTAIN and not edit.replaces:
        words.append(edit.certainty.value)
    return ", ".join(words)


def silence(edit: Edit) -> str:
    """Why a property's change shows no difference."""
    if edit.property.before is None and edit.property.after is None:
        return "its values are not told"
    return "the same content, written differently"


def chain(item: Item, edit: Edit) -> tuple[Link, ...]:
    """The links that tell more than the item and the property's name do."""
    links = edit.chain
    if links and links[-1].kind == "property":
        links = links[:-1]
    return tuple(link for link in links if (link.kind, link.name) != ("resource", item.address))


def link_text(link: Link) -> str:
    """`params key database.engine_version: 17.7 → 17.10`."""
    detail = link_detail(link)
    return f"{link_kind(link)} {visible(link.name)}{': ' if detail else ''}{detail}"


def link_kind(link: Link) -> str:
    """What kind of thing the link is."""
    return LINKS.get(link.kind, visible(link.kind))


def link_detail(link: Link) -> str:
    """What the link tells of itself: `17.7 → 17.10`, `replaced`."""
    return HIDDEN if link.detail and is_secret(link.name, "", link.detail) else visible(link.detail)


def params(review: Review) -> tuple[tuple[str, str, str], ...]:
    """The changed params keys as they may be shown: key, before, after."""
    return tuple((visible(key), _param(key, before), _param(key, after)) for key, before, after in review.params)


def _param(key: str, value: str) -> str:
    return HIDDEN if is_secret(key, "", value) else quoted(visible(value))


def flags(verdict: Verdict) -> tuple[str, ...]:
    """The flags that acknowledge what can be acknowledged, each once."""
    return tuple(dict.fromkeys(visible(refusal.flag) for refusal in verdict.refusals if refusal.flag))


def refusal_text(refusal: Refusal) -> str:
    """`replace: its data would be lost`."""
    return f"{visible(refusal.rule)}: {visible(refusal.reason)}" if refusal.reason else visible(refusal.rule)


def command(review: Review, verb: str) -> str:
    """`python deploy.py execute --env dev --suffix pr-12`."""
    suffix = f" --suffix {visible(review.suffix)}" if review.suffix != review.environment else ""
    return f"python deploy.py {verb} --env {visible(review.environment)}{suffix}"


def place(review: Review) -> str:
    """Which environment this is: `environment dev, suffix pr-12, us-east-1, disposable`."""
    suffix = f", suffix {visible(review.suffix)}" if review.suffix != review.environment else ""
    kind = "durable" if review.durable else "disposable"
    return f"environment {visible(review.environment)}{suffix}, {visible(review.region)}, {kind}"
