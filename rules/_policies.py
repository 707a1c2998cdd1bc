"""IAM statements, wherever a template writes them."""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from typing import Any

from rules._template import Finding, Resource, Template
from rules._values import UNKNOWN, Path, at, each, embedded, equals, listed, raw, text


@dataclass(frozen=True, slots=True)
class Statement:
    """One statement of a policy document of a resource."""

    resource: Resource
    path: Path
    body: Any
    inline: bool = True  # False in a document that is a JSON string, into which no path leads

    @property
    def allows(self) -> bool:
        """Whether it grants something; one whose effect is not known counts, as granting is the dangerous half."""
        return not equals(at(self.body, "Effect"), "Deny")

    def at(self, *keys: str | int) -> Any:
        """A part of the statement: None where missing, UNKNOWN where known at deployment only."""
        return at(self.body, *keys)

    def texts(self, key: str) -> list[tuple[Path, str]]:
        """The known strings of Action, Resource and their kind, whether listed or single, with their paths."""
        value = raw(self.body, key)
        many = isinstance(value, list)
        found = ((text(item), index) for index, item in enumerate(listed(value)))
        return [((key, index) if many else (key,), item) for item, index in found if item is not None]

    def principals(self) -> Iterator[tuple[Path, str, str]]:
        """Every known principal as (path, kind, name): ("AWS", "*") for the bare star."""
        value = at(self.body, "Principal")
        if isinstance(value, str):
            yield ("Principal",), "AWS", value
        for kind, given in value.items() if isinstance(value, dict) else ():
            for index, item in enumerate(listed(given)):
                name = text(item)
                if name is not None:
                    yield ("Principal", kind, index) if isinstance(given, list) else ("Principal", kind), kind, name

    def is_bound_by(self, keys: frozenset[str]) -> bool:
        """Whether its conditions test one of these keys (in lower case: IAM ignores case), or are not known."""
        conditions = at(self.body, "Condition")
        if conditions is UNKNOWN:
            return True
        tests = conditions.values() if isinstance(conditions, dict) else ()
        return any(str(key).lower() in keys for test in tests if isinstance(test, dict) for key in test)

    def finding(self, message: str, *keys: str | int) -> Finding:
        """A finding at a part of the statement."""
        return self.resource.finding(message, *self.path, *(keys if self.inline else ()))


def statements(template: Template, documents: Mapping[str, tuple[str, ...]]) -> Iterator[Statement]:
    """Every statement of the documents at `documents`: resource type → paths, their parts joined by dots."""
    for kind, paths in documents.items():
        for resource in template.of(kind):
            for path in paths:
                for start, document in resource.each(*path.split(".")):
                    yield from _statements(resource, start, document)


def _statements(resource: Resource, start: Path, document: Any) -> Iterator[Statement]:
    inline = isinstance(document, dict)
    for path, body in each(embedded(document), "Statement", "*"):
        yield Statement(resource, (*start, *path) if inline else start, body, inline)
