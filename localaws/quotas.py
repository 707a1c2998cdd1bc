"""Quotas of CloudFormation that a deployment can hit.

https://docs.aws.amazon.com/AWSCloudFormation/latest/UserGuide/cloudformation-limits.html
"""

from __future__ import annotations

import re
from typing import Any

from localaws.api_errors import ApiError, invalid

INLINE_BYTES = 51_200
OBJECT_BYTES = 1_000_000
RESOURCES = 500
PARAMETERS = 200
OUTPUTS = 200
MAPPINGS = 200
MAPPING_ATTRIBUTES = 200
PARAMETER_BYTES = 4_096
DESCRIPTION_BYTES = 1_024
DYNAMIC_REFERENCES = 60
TREE_RESOURCES = 2_500
STACKS = 2_000
STACK_NAME = 128
STACK_TAGS = 50
# Not in AWS's table; what users who hit it found: https://github.com/awslabs/seed-farmer/issues/441
CHANGE_SETS = 1_000

_DYNAMIC = re.compile(r"\{\{resolve:")


def check_body(body: str, limit: int) -> None:
    """A template's text, given inline or read from a bucket."""
    size = len(body.encode())
    if size <= limit:
        return
    if limit == INLINE_BYTES:
        raise invalid(
            f"1 validation error detected: Value at 'templateBody' failed to satisfy constraint: Member must have "
            f"length less than or equal to {INLINE_BYTES}"
        )
    raise invalid(f"Template may not exceed {limit} bytes in size.")


def check_template(document: dict[str, Any], body: str) -> None:
    """What a template may hold."""
    for section, limit in (
        ("Resources", RESOURCES),
        ("Parameters", PARAMETERS),
        ("Outputs", OUTPUTS),
        ("Mappings", MAPPINGS),
    ):
        count = len(document.get(section) or {})
        if count > limit:
            raise invalid(
                f"Template format error: Number of {section.lower()}, {count}, is greater than maximum allowed, {limit}"
            )
    for name, mapping in (document.get("Mappings") or {}).items():
        for key, attributes in mapping.items():
            if len(attributes) > MAPPING_ATTRIBUTES:
                raise invalid(
                    f"Template format error: Number of attributes of mapping {name}.{key}, {len(attributes)}, is "
                    f"greater than maximum allowed, {MAPPING_ATTRIBUTES}"
                )
    if len(str(document.get("Description", "")).encode()) > DESCRIPTION_BYTES:
        raise invalid(f"Template format error: 'Description' length is greater than {DESCRIPTION_BYTES}.")
    references = len(_DYNAMIC.findall(body))
    if references > DYNAMIC_REFERENCES:
        raise invalid(
            f"Template error: the number of dynamic references, {references}, is greater than maximum allowed, "
            f"{DYNAMIC_REFERENCES}"
        )


def check_tags(tags: dict[str, str]) -> None:
    """A stack's own tags."""
    if len(tags) > STACK_TAGS:
        raise invalid(f"Tags are limited to {STACK_TAGS} per stack; {len(tags)} given")


def limit_exceeded(message: str) -> ApiError:
    """A quota of the account rather than of a template."""
    return ApiError("LimitExceededException", message)
