"""Stack policies: which updates of which resources a stack allows.

https://docs.aws.amazon.com/AWSCloudFormation/latest/UserGuide/protect-stack-resources.html
"""

from __future__ import annotations

import json
from fnmatch import fnmatchcase
from typing import Any

from localaws.api_errors import invalid

ACTIONS = ("Update:Modify", "Update:Replace", "Update:Delete", "Update:*")
_STATEMENT = frozenset({"Effect", "Action", "NotAction", "Principal", "Resource", "NotResource", "Condition"})


def check(body: str) -> None:
    """ValidationError where the text is no stack policy."""
    try:
        statements = json.loads(body)["Statement"]
        sound = isinstance(statements, list) and all(
            set(statement) <= _STATEMENT and statement["Effect"] in ("Allow", "Deny") for statement in statements
        )
    except (ValueError, KeyError, TypeError):
        sound = False
    if not sound:
        raise invalid("Error validating stack policy: Invalid stack policy")


def denied(policy: str, action: str, logical_id: str, resource_type: str) -> str:
    """Why `action` ("Update:Replace") on a resource is denied, "" where it is allowed: no policy allows everything.

    A deny wins over an allow, and what no statement allows is denied.
    """
    if not policy:
        return ""
    allowed = False
    for number, statement in enumerate(json.loads(policy)["Statement"], start=1):
        if not _applies(statement, action, logical_id, resource_type):
            continue
        if statement["Effect"] == "Deny":
            return f"Action denied by stack policy: Statement [#{number}] denies [{action}] for resource [{logical_id}]"
        allowed = True
    if allowed:
        return ""
    return f"Action not allowed by stack policy: no statement allows [{action}] for resource [{logical_id}]"


def _applies(statement: dict[str, Any], action: str, logical_id: str, resource_type: str) -> bool:
    address = f"LogicalResourceId/{logical_id}"
    if "NotAction" in statement:
        if _any(statement["NotAction"], action):
            return False
    elif not _any(statement.get("Action", ()), action):
        return False
    if "NotResource" in statement:
        if _any(statement["NotResource"], address):
            return False
    elif not _any(statement.get("Resource", ()), address):
        return False
    condition = statement.get("Condition", {})
    return all(_any(condition[kind].get("ResourceType", ()), resource_type) for kind in condition)


def _any(patterns: str | list[str], name: str) -> bool:
    return any(fnmatchcase(name, pattern) for pattern in ([patterns] if isinstance(patterns, str) else patterns))
