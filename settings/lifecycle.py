"""Judge what params choose by the dates of `params/lifecycle.yaml`: what is dead fails, what ends soon warns.

No package holds these dates: cfn-lint accepts an Aurora version until AWS withdraws it, and knows nothing of DMS,
certificates or TLS policies. `today` is always given, so a build of the past can be judged again and tests do not rot.
"""

from __future__ import annotations

import re
from dataclasses import dataclass
from datetime import date
from enum import StrEnum
from operator import attrgetter
from typing import Any, NamedTuple

from settings.errors import LifecycleError
from settings.lifecycle_table import PRODUCTS, Entry, Product, Table, load_table
from settings.model import Settings

__all__ = [
    "Judgement",
    "Status",
    "Table",
    "Verdict",
    "assess",
    "judge",
    "judge_version",
    "load_table",
]

# The day that dated house rules judge by, where it is not the clock's (YYYY-MM-DD).
TODAY_VARIABLE = "PAYMENTS_TODAY"
WARN_DAYS = 180
STALE_DAYS = 180
# Products that AWS answers for (`python build.py versions --live`); the dates of the others stand on web pages only.
ASKED_LIVE = frozenset({"aurora-postgresql", "dms", "rds-ca", "elb-tls"})
_ORDERED = re.compile(r"(?:[a-z]+)?(\d+(?:\.\d+)+)")


class Status(StrEnum):
    """What a verdict says of a version."""

    OK = "ok"
    ENDS_SOON = "ends soon"
    ENDED = "ended"
    NOT_CREATABLE = "not creatable"
    REFUSED = "refused"
    UNKNOWN = "unknown"


@dataclass(frozen=True, slots=True)
class Verdict:
    """One version, judged.

    `until` is the day that the status turns on, and `event` what that day is: the last of support, or the last on
    which AWS offers the version to new resources. `days_left` counts to it from today (0 today, negative when past).
    `basis` says whose date it is: "own", the version's "major", or "none announced". `reason` completes the sentence
    "<product> <version>: …"; empty where all is well. `move_to` holds what is well on that day, the best first.
    """

    key: str
    product: str
    version: str
    status: Status
    until: date | None
    event: str
    basis: str
    days_left: int | None
    reason: str
    move_to: tuple[str, ...]
    source: str
    checked_on: date

    @property
    def dead(self) -> bool:
        """Whether a build must refuse it."""
        return self.status not in {Status.OK, Status.ENDS_SOON}

    @property
    def message(self) -> str:
        """The sentence that an error or a warning prints."""
        moves = f"move to {', '.join(self.move_to)}" if self.move_to else "the table names none to move to"
        return f"{self.key}: {self.product} {self.version}: {self.reason}; {moves}"


@dataclass(frozen=True, slots=True)
class Judgement:
    """The verdict on every choice of an environment, and which products were last checked too long ago."""

    today: date
    verdicts: tuple[Verdict, ...]
    stale: tuple[str, ...]

    @property
    def dead(self) -> tuple[Verdict, ...]:
        """The choices that a build must refuse."""
        return tuple(verdict for verdict in self.verdicts if verdict.dead)

    @property
    def warnings(self) -> tuple[str, ...]:
        """What a person should know although the build goes on."""
        return (*(v.message for v in self.verdicts if v.status is Status.ENDS_SOON), *self.stale)

    def lines(self) -> list[str]:
        """One line per choice for a build's summary, then what it should warn of."""
        width = max(len(verdict.key) for verdict in self.verdicts)
        rows = []
        for verdict in self.verdicts:
            until = f"until {verdict.until} ({verdict.event})" if verdict.until else "no end announced"
            rows.append(f"{verdict.key:<{width}}  {verdict.version}  {verdict.status}, {until}")
        return rows + [f"warning: {warning}" for warning in self.warnings]

    def to_json(self) -> list[dict[str, Any]]:
        """What was chosen, for the manifest.

        Neither status nor days left: they change from day to day, and the same inputs must give the same bytes.
        """
        return [
            {
                "key": verdict.key,
                "product": verdict.product,
                "version": verdict.version,
                "until": verdict.until.isoformat() if verdict.until else None,
                "event": verdict.event,
                "basis": verdict.basis,
                "source": verdict.source,
                "checked_on": verdict.checked_on.isoformat(),
            }
            for verdict in self.verdicts
        ]


def judge(settings: Settings, table: Table, today: date) -> Judgement:
    """The judgement of `assess`; raises `LifecycleError` naming every dead choice and what to move to."""
    judgement = assess(settings, table, today)
    if judgement.dead:
        raise LifecycleError(
            [verdict.message for verdict in judgement.dead],
            hint=f"change the key in params/{settings.env}.yaml or params/base.yaml; a version newer than {table.file} "
            "is added by python build.py versions --live",
        )
    return judgement


def assess(settings: Settings, table: Table, today: date) -> Judgement:
    """Judge every choice of `settings`, dead or not."""
    return Judgement(
        today=today,
        verdicts=tuple(judge_version(table, name, attrgetter(key)(settings), today) for name, key in PRODUCTS.items()),
        stale=tuple(
            _stale(table, product, today)
            for product in table.products.values()
            if (today - product.checked_on).days > STALE_DAYS
        ),
    )


def judge_version(table: Table, product: str, version: str, today: date) -> Verdict:
    """Judge one version of a product of the table: chosen in params, or found in a template by a lint rule."""
    facts = table.products[product]
    entry = facts.versions.get(version)
    if entry is None:
        finding = _Finding(Status.UNKNOWN, None, "", "none announced", f"{table.file} does not know it")
    else:
        finding = _decide(facts, version, entry, today)
    return Verdict(
        key=PRODUCTS[product],
        product=product,
        version=version,
        status=finding.status,
        until=finding.until,
        event=finding.event,
        basis=finding.basis,
        days_left=(finding.until - today).days if finding.until else None,
        reason=finding.reason,
        move_to=_moves(facts, version, today),
        source=facts.gone_source if entry and entry.gone else facts.source,
        checked_on=facts.checked_on,
    )


class _Finding(NamedTuple):
    """The part of a verdict that is decided; its fields mean what those of `Verdict` mean."""

    status: Status
    until: date | None
    event: str
    basis: str
    reason: str


_SUPPORT, _OFFER = "last day of support", "last day for new ones"


def _decide(facts: Product, version: str, entry: Entry, today: date) -> _Finding:
    end, basis, with_major = _end(facts, version, entry)
    past_support = f", and its support ended{with_major} on {end}" if end and today > end else ""
    if entry.no_new_after and today > entry.no_new_after:
        reason = f"AWS has not offered it since {entry.no_new_after}{past_support}"
        return _Finding(Status.NOT_CREATABLE, entry.no_new_after, _OFFER, "own", reason)
    support = _SUPPORT if end else ""
    if entry.gone:
        return _Finding(Status.NOT_CREATABLE, end, support, basis, f"AWS no longer offers it{past_support}")
    if entry.refused:
        return _Finding(Status.REFUSED, end, support, basis, entry.refused)
    if end and today > end:
        reason = f"its support ended{with_major} on {end}{_extended(facts, version, today)}"
        return _Finding(Status.ENDED, end, support, basis, reason)
    return _alive(entry, end, basis, with_major, today)


def _alive(entry: Entry, end: date | None, basis: str, with_major: str, today: date) -> _Finding:
    """Ok or ends soon, by whichever comes first: the end of support, or of being offered to new resources."""
    if entry.no_new_after and not (end and end <= entry.no_new_after):
        until, event, basis = entry.no_new_after, _OFFER, "own"
        support = f", and its support ends{with_major} on {end}" if end else ""
        reason = f"AWS will not offer it after {until}, in {(until - today).days} days{support}"
    elif end:
        until, event = end, _SUPPORT
        reason = f"its support ends{with_major} on {until}, in {(until - today).days} days"
    else:
        return _Finding(Status.OK, None, "", basis, "")
    if (until - today).days <= WARN_DAYS:
        return _Finding(Status.ENDS_SOON, until, event, basis, reason)
    return _Finding(Status.OK, until, event, basis, "")


def _end(facts: Product, version: str, entry: Entry) -> tuple[date | None, str, str]:
    """The last day of support, whose date that is, and how to say so: the earlier of the version's and its major's."""
    major = facts.major_of(version)
    limit = facts.majors[major].ends if major else None
    if entry.ends and not (limit and limit < entry.ends):
        return entry.ends, "own", ""
    if limit:
        return limit, "major", f" with all of {major}"
    return None, "none announced", ""


def _extended(facts: Product, version: str, today: date) -> str:
    """What AWS does silently past a major's standard support: runs it for a fee that nobody here agreed to."""
    major = facts.majors.get(facts.major_of(version), Entry())
    if major.ends and major.extended_until and major.ends < today <= major.extended_until:
        return f"; until {major.extended_until} AWS would run it on extended support, which costs extra"
    return ""


def _moves(facts: Product, version: str, today: date) -> tuple[str, ...]:
    """What to move to: well on that day and, where versions have an order, newer than `version`."""
    alive = [
        other
        for other in facts.move_to
        if other != version and _decide(facts, other, facts.versions[other], today).status is Status.OK
    ]
    if version in facts.versions and (rank := _rank(version)):
        alive = [other for other in alive if _rank(other) > rank]
    return tuple(alive)


def _rank(version: str) -> tuple[int, ...]:
    """The numbers of a version, to compare by; empty for names that have no order (certificates, policies)."""
    match = _ORDERED.fullmatch(version)
    return tuple(int(part) for part in match[1].split(".")) if match else ()


def _stale(table: Table, product: Product, today: date) -> str:
    remedy = (
        "run python build.py versions --live"
        if product.name in ASKED_LIVE
        else f"compare it with {product.source} and set checked_on"
    )
    days = (today - product.checked_on).days
    return f"{table.file}: {product.name} was last checked on {product.checked_on}, {days} days ago; {remedy}"
