"""E9174: a replication task that selects no table, or not what it seems to."""

from __future__ import annotations

from collections import Counter
from collections.abc import Iterator
from typing import Any

from rules._base import HouseRule
from rules._template import Finding, Resource
from rules._values import UNKNOWN, at, each, embedded, equals

_ALWAYS = (("rule-type",), ("rule-id",), ("rule-name",))
_OF_SELECTIONS = (("rule-action",), ("object-locator", "schema-name"), ("object-locator", "table-name"))


class BadTableMappings(HouseRule):
    """DMS checks the document when the task is created, and takes a rule that matches nothing without complaint."""

    id = "E9174"
    shortdesc = "DMS table mappings missing or incomplete"
    description = "At least one selection rule includes something; every rule has a type, an id and a name"
    source_url = "https://docs.aws.amazon.com/dms/latest/userguide/CHAP_Tasks.CustomizingTasks.TableMapping.SelectionTransformation.html"
    tags = ["house", "dms"]
    fix = "write the rules in full, each with an id and a name of its own"
    types = ("AWS::DMS::ReplicationTask",)

    def check(self, resource: Resource) -> Iterator[Finding]:
        mappings = embedded(resource.raw("TableMappings"))
        if mappings is not UNKNOWN:
            for fault in _faults(mappings):
                yield resource.finding(fault, "TableMappings")


def _faults(mappings: Any) -> Iterator[str]:
    rules = [rule for _, rule in each(mappings, "rules", "*")]
    selections = [rule for rule in rules if equals(at(rule, "rule-type"), "selection")]
    if not any(equals(at(rule, "rule-action"), "include", "explicit") for rule in selections):
        yield "no selection rule includes a table"
    for rule in rules:
        name = at(rule, "rule-name") or at(rule, "rule-id")
        for path in (*_ALWAYS, *(_OF_SELECTIONS if rule in selections else ())):
            if not at(rule, *path):
                yield f"rule {name} has no {'.'.join(path)}"
    for key in ("rule-id", "rule-name"):
        for value, times in Counter(str(at(rule, key)) for rule in rules if at(rule, key)).items():
            if times > 1:
                yield f"{key} {value} is given {times} times"
