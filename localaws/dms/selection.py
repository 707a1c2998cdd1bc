"""Which tables a task moves: the selection rules of its table mappings. Pure.

https://docs.aws.amazon.com/dms/latest/userguide/CHAP_Tasks.CustomizingTasks.TableMapping.SelectionTransformation.Selections.html
"""

from __future__ import annotations

import json
import re
from collections.abc import Sequence
from dataclasses import dataclass


class MappingError(Exception):
    """Table mappings that cannot be followed; the text says which rule and why."""


@dataclass(frozen=True, slots=True)
class Rule:
    """A selection: `takes` or leaves out the tables whose names match both patterns whole."""

    takes: bool
    schema: re.Pattern[str]
    table: re.Pattern[str]


def read_rules(mappings: str) -> list[Rule]:
    """The selection rules; MappingError for what the embedded AWS would do otherwise than DMS (filters, renaming)."""
    rules = []
    for rule in json.loads(mappings).get("rules", []):
        told = f"rule {rule.get('rule-id', '?')} of the table mappings"
        kind, action = rule.get("rule-type"), rule.get("rule-action")
        if kind != "selection" or action not in ("include", "exclude", "explicit") or rule.get("filters"):
            raise MappingError(
                f"{told} is a {kind} with action {action!r}{' and filters' if rule.get('filters') else ''}: the"
                " embedded AWS follows selection rules without filters that include, exclude or are explicit"
            )
        place = rule.get("object-locator", {})
        names = place.get("schema-name"), place.get("table-name")
        if None in names:
            raise MappingError(f"{told} has no schema-name or no table-name in its object-locator")
        rules.append(Rule(action != "exclude", *(_pattern(name, exact=action == "explicit") for name in names)))
    return rules


def is_selected(rules: Sequence[Rule], schema: str, table: str) -> bool:
    """Whether some rule takes the table and none leaves it out."""
    matching = [rule.takes for rule in rules if rule.schema.fullmatch(schema) and rule.table.fullmatch(table)]
    return bool(matching) and all(matching)


def _pattern(name: str, *, exact: bool) -> re.Pattern[str]:
    """`%` stands for any text, `_` for one character; an explicit name stands for itself.

    https://docs.aws.amazon.com/dms/latest/userguide/CHAP_Tasks.CustomizingTasks.TableMapping.SelectionTransformation.Wildcards.html
    """
    wild = {} if exact else {"%": ".*", "_": "."}
    return re.compile("".join(wild.get(character, re.escape(character)) for character in name), re.DOTALL)
