"""Which rows a replication task takes along."""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from typing import Any

from deployer.review.concerns.case import Case
from deployer.review.concerns.compare import value_at
from deployer.review.model import Concern, Finding
from deployer.review.values import mappings, text_of

# Rules are told apart by what they say, not by their numbers.
_NUMBERS = ("rule-id", "rule-name")


def narrowed(case: Case) -> Iterator[Finding]:
    """Table mappings that may leave out rows or columns: anything but further tables that are taken along whole."""
    before, after = (_rules(side) for side in (case.old(), case.new()))
    new = [rule for text, rule in after.items() if text not in before]
    if before.keys() - after.keys() or not all(_is_whole(rule) for rule in new):
        yield Finding(Concern.DATA, "weaken", "rows or columns that are replicated today may be left out")


def _rules(properties: Mapping[str, Any]) -> dict[str, Mapping[str, Any]]:
    rules = mappings(value_at(properties, "TableMappings/{}/rules"))
    return {text_of({key: value for key, value in rule.items() if key not in _NUMBERS}): rule for rule in rules}


def _is_whole(rule: Mapping[str, Any]) -> bool:
    """Whether a rule takes tables along, with all rows."""
    told = (rule.get("rule-type"), rule.get("rule-action"))
    return told == ("selection", "include") and not rule.get("filters")
