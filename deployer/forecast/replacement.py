"""Whether changing a property replaces the resource: what the registry says, and where it is known to be wrong."""

from __future__ import annotations

from collections.abc import Mapping
from functools import cache
from typing import Any

from contract import resource_types
from contract.resource_types import ResourceType, matches
from settings.errors import UserError

ALWAYS, CONDITIONALLY, NEVER = "Always", "Conditionally", "Never"

# Properties that cannot be changed at all: the update fails, whatever the change set says of a replacement.
_IMMUTABLE = {
    "AWS::KMS::Key": (
        ("KeySpec", "KeyUsage", "MultiRegion", "Origin"),
        "https://docs.aws.amazon.com/AWSCloudFormation/latest/TemplateReference/aws-resource-kms-key.html",
    ),
}
# Types of whose properties none replaces, as their documentation says of each. The schemas of other types that name
# none are not to be trusted: AWS::EC2::Volume's is empty too (https://github.com/go-to-k/cdkd/issues/1356).
_NEVER_REPLACED = frozenset(
    (
        "AWS::CloudFormation::Stack",
        "AWS::EC2::InternetGateway",
        "AWS::EC2::VPNGatewayRoutePropagation",
        "AWS::IAM::Policy",
        "AWS::KMS::Key",
        "AWS::SNS::TopicPolicy",
        "AWS::SQS::QueuePolicy",
    )
)
# Types of which several may have the same name.
_NAMES_SHARED = frozenset(("AWS::Route53::HostedZone",))
_CUSTOM = ("Custom::", "AWS::CloudFormation::CustomResource")


@cache
def known_type(kind: str) -> ResourceType | None:
    """The type, from the table or else from the schemas that cfn-lint ships; None where neither knows it."""
    found = resource_types.find(kind)
    if found is None and not kind.startswith(_CUSTOM):
        try:
            from compiler.registry import distil  # half a second, and seldom needed

            found = resource_types.resource_type(kind, distil(kind))
        except (UserError, ImportError):
            return None
    return found


def doubt(kind: str) -> str:
    """Why nothing sure can be said of replacements of this type; "" where it can."""
    if kind.startswith(_CUSTOM):
        return "its own handler decides whether it is replaced"
    known = known_type(kind)
    if known is None:
        return "no schema of its type is known, so that any change may replace it"
    if kind not in _NEVER_REPLACED and not known.create_only and not known.conditional_create_only:
        return "the schema of its type names no property that replaces it, which proves nothing"
    return ""


def recreation(kind: str, path: tuple[str, ...], before: Any, after: Any) -> str:
    """`Always`, `Conditionally` or `Never`, in the words of a change set; `Conditionally` where it is not known."""
    known = known_type(kind)
    if doubt(kind) or known is None:
        return CONDITIONALLY
    if _touches(known.create_only, path, before, after):
        return ALWAYS
    return CONDITIONALLY if _touches(known.conditional_create_only, path, before, after) else NEVER


def _touches(patterns: tuple[str, ...], path: tuple[str, ...], before: Any, after: Any) -> bool:
    """Whether a change at `path` is one of what the patterns name: there, above it, or below in what comes or goes."""
    pointer = "/".join(path)
    for pattern in patterns:
        if matches(pattern, pointer):
            return True
        rest = pattern.split("/")[len(path) :]
        above = all(wanted in ("*", given) for wanted, given in zip(pattern.split("/"), path, strict=False))
        if rest and above and any(_holds(value, rest) for value in (before, after)):
            return True
    return False


def _holds(value: Any, names: list[str]) -> bool:
    """Whether a value has something at the path `names`; `*` stands for any index or key."""
    if not names:
        return True
    first, *rest = names
    if isinstance(value, Mapping):
        return any(_holds(item, rest) for key, item in value.items() if first in ("*", key))
    return isinstance(value, list) and first == "*" and any(_holds(item, rest) for item in value)


def immutable(kind: str, names: frozenset[str]) -> str:
    """A warning where one of these top-level properties cannot be changed; "" otherwise."""
    properties, link = _IMMUTABLE.get(kind, ((), ""))
    touched = ", ".join(sorted(names & set(properties)))
    return f"{touched} of an existing resource cannot be changed: the update will fail ({link})" if touched else ""


def name_kept(kind: str, before: Mapping[str, Any], after: Mapping[str, Any]) -> str:
    """A warning where a resource that is replaced keeps a name that only one can have; "" otherwise.

    CloudFormation creates the new one before it deletes the old, and refuses: "cannot update a stack when a
    custom-named resource requires replacing".
    https://docs.aws.amazon.com/AWSCloudFormation/latest/UserGuide/aws-properties-name.html
    """
    known = known_type(kind)
    if known is None:
        return ""
    for name in _names(known):
        value = after.get(name)
        # What else names the resource: a service of another cluster may have the same name.
        parts = [part for part in known.primary_identifier if part not in known.read_only]
        if isinstance(value, str) and all(before.get(part) == after.get(part) for part in (name, *parts)):
            return (
                f"it keeps its name ({name}: {value}), so that the update will fail: "
                "a resource with a name of its own can be replaced only under another name"
            )
    return ""


def _names(known: ResourceType) -> list[str]:
    """The properties that hold the physical name, if nobody else may have it."""
    if known.name in _NAMES_SHARED:
        return []
    written = [name for name in known.primary_identifier if name not in known.read_only]
    if len(known.primary_identifier) == 1 and written:
        return [name for name in written if name.endswith(("Name", "Identifier"))]
    short = known.name.rpartition("::")[2]
    return [
        name
        for name in known.create_only
        if name == "Name" or (name.endswith("Name") and short.endswith(name.removesuffix("Name")))
    ]
