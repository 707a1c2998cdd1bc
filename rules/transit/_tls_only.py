"""Whether a resource policy refuses requests that do not come over TLS."""

from __future__ import annotations

from collections.abc import Iterator

from rules._policies import Statement, statements
from rules._template import Resource, Template
from rules._values import UNKNOWN, Path, at, equals, listed, names, text


def refuses_plain_text(
    template: Template, policy: str, path: Path, resource: Resource, name: str, actions: set[str]
) -> bool:
    """Whether a policy of type `policy` that names `resource` at `path` denies one of `actions` without TLS.

    Only a Deny holds: what the policy does not allow, an identity's own policy may. `name` is the property of the
    resource by which a policy may name it literally.
    """
    literal = text(resource.properties.get(name))
    return any(
        _denies(statement, actions)
        for statement in statements(template, {policy: ("PolicyDocument",)})
        if any(
            names(target, resource.logical_id) or (literal is not None and text(target) == literal)
            for target in _targets(statement.resource, path)
        )
    )


def _targets(policy: Resource, path: Path) -> Iterator[object]:
    value = policy.raw(*path)
    yield from value if isinstance(value, list) else [value]


def _denies(statement: Statement, actions: set[str]) -> bool:
    if statement.allows or not actions & {action.lower() for _, action in statement.texts("Action")}:
        return False
    everyone = any(kind == "AWS" and who == "*" for _, kind, who in statement.principals())
    test = statement.at("Condition", "Bool")
    if test is UNKNOWN:
        return everyone
    secure = (
        [value for key, value in test.items() if str(key).lower() == "aws:securetransport"]
        if isinstance(test, dict)
        else []
    )
    return everyone and any(equals(at(value), "false") for value in (item for one in secure for item in listed(one)))
