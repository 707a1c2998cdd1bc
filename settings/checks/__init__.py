"""Rules over several fields, each for something that would fail late, cost money or lose data.

A rule names the keys it needs; where one of them was refused or is missing, the rule is skipped, so that a person reads
no consequences of a mistake next to the mistake.
"""

from __future__ import annotations

from collections.abc import Collection, Iterator

from settings.checks import cutover, data_center, durable, maintenance, migration, network, traffic, validation
from settings.checks.rule import Fault, Rule, Where
from settings.model import Settings

RULES = tuple(
    rule
    for room in (network, data_center, traffic, migration, validation, cutover, maintenance, durable)
    for rule in vars(room).values()
    if isinstance(rule, Rule)
)


def faults(settings: Settings, unknown: Collection[str], where: Where) -> Iterator[Fault]:
    """Every fault of `settings`; `unknown` are the dotted keys without a usable value, `where` locates a key."""
    for rule in RULES:
        if not any(_touches(need, key) for need in rule.needs for key in unknown):
            yield from rule.check(settings, where)


def _touches(need: str, key: str) -> bool:
    """Whether one of two dotted keys is the other or stands below it."""
    return need == key or need.startswith(f"{key}.") or key.startswith(f"{need}.")
