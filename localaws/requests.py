"""What a request to create or change a stack asks for, judged before anything begins."""

from __future__ import annotations

import re

from localaws import quotas
from localaws.api_errors import invalid
from localaws.core import Core
from localaws.parameters import chosen
from localaws.service import tags_of
from localaws.stacks import Json, Stack, Wanted
from localaws.template import load
from localaws.template_checks import check, check_capabilities

_STACK_NAME = re.compile(r"[a-zA-Z][-a-zA-Z0-9]*")
UPDATABLE = ("CREATE_COMPLETE", "UPDATE_COMPLETE", "UPDATE_ROLLBACK_COMPLETE", "UPDATE_FAILED", "IMPORT_COMPLETE")
_NOT_EMULATED = (
    "ResourcesToImport",
    "ImportExistingResources",
    "DeploymentMode",
    "ResourceTypes",
    "StackPolicyURL",
    "StackPolicyDuringUpdateURL",
)


def body_of(core: Core, given: Json, stack: Stack | None = None) -> str:
    """The template's text: inline, behind its URL, or the one that the stack has."""
    ways = [name for name in ("TemplateBody", "TemplateURL", "UsePreviousTemplate") if given.get(name)]
    if len(ways) != 1:
        raise invalid("Either Template URL or Template Body must be specified.")
    if ways == ["TemplateBody"]:
        body: str = given["TemplateBody"]
        quotas.check_body(body, quotas.INLINE_BYTES)
        return body
    if ways == ["TemplateURL"]:
        return core.fetch(given["TemplateURL"])
    if stack is None:
        raise invalid("UsePreviousTemplate needs a stack that has a template")
    return stack.wanted.body


def wanted(core: Core, given: Json, stack: Stack | None = None) -> Wanted:
    """All that a request decides about a stack; what it does not mention stays as the stack has it."""
    for name in _NOT_EMULATED:
        if given.get(name):
            raise invalid(f"{name} is not emulated")
    if given.get("DeploymentConfig", {}).get("Mode", "STANDARD") != "STANDARD":
        raise invalid("DeploymentConfig.Mode EXPRESS is not emulated")
    body = body_of(core, given, stack)
    template = load(body)
    check(template, core.known_type)
    capabilities = given.get("Capabilities", [])
    check_capabilities(template, capabilities)
    old = stack.wanted if stack is not None else None
    tags = tags_of(given) if "Tags" in given or old is None else dict(old.tags)
    quotas.check_tags(tags)
    return Wanted(
        body=body,
        parameters=chosen(template, given.get("Parameters", ()), old.parameters if old is not None else None),
        tags=tags,
        capabilities=capabilities,
        notification_arns=given.get("NotificationARNs", old.notification_arns if old is not None else []),
        role_arn=given.get("RoleARN", old.role_arn if old is not None else ""),
        rollback_configuration=given.get(
            "RollbackConfiguration", old.rollback_configuration if old is not None else {}
        ),
    )


def refuse_unless_updatable(stack: Stack) -> None:
    """ValidationError where a stack is in no state to be changed."""
    if stack.status not in UPDATABLE:
        raise invalid(f"Stack:{stack.id} is in {stack.status} state and can not be updated.")


def check_new_stack(core: Core, region: str, name: str) -> None:
    """ValidationError where a stack cannot have this name, LimitExceeded where the account has as many as it may."""
    told = f"1 validation error detected: Value '{name}' at 'stackName' failed to satisfy constraint: Member must"
    if not _STACK_NAME.fullmatch(name):
        raise invalid(f"{told} satisfy regular expression pattern: {_STACK_NAME.pattern}")
    if len(name) > quotas.STACK_NAME:
        raise invalid(f"{told} have length less than or equal to {quotas.STACK_NAME}")
    count = sum(1 for stack in core.stacks() if stack.region == region and stack.status != "DELETE_COMPLETE")
    if count >= quotas.STACKS:
        raise quotas.limit_exceeded(f"Limit for stack has been exceeded: {quotas.STACKS}")
