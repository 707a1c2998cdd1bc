"""Read one change set to its end: every page, with and without property values, merged."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any

from deployer.aws import Aws, translate
from deployer.change_set import is_gone
from deployer.clock import Clock, polls
from deployer.errors import ChangeSetError

_WORKING = ("CREATE_PENDING", "CREATE_IN_PROGRESS")
_REPLACEMENTS = ("", "False", "Conditional", "True")  # the later, the more a person must know of it
SECONDS = 1800.0


@dataclass(frozen=True, slots=True)
class Described:
    """A change set at its end, in AWS's own words; `changes` are ResourceChange structures."""

    arn: str
    stack_id: str
    stack_name: str
    status: str
    reason: str
    changes: tuple[Mapping[str, Any], ...]


def describe_to_end(aws: Aws, arn: str, clock: Clock) -> Described:
    """The change set with property values, once AWS has ended its work on it."""
    for _ in polls(clock, SECONDS):
        first = _page(aws, arn, with_values=True)
        if first["Status"] not in _WORKING:
            return _all_pages(aws, arn, first, with_values=True)
    raise ChangeSetError(
        f"change set {arn} is still {first['Status']} after {SECONDS / 60:.0f} minutes",
        hint="see how AWS does (https://health.aws.amazon.com/health/status), then run the command again",
    )


def describe_without_values(aws: Aws, arn: str) -> Described:
    """The same change set without property values, which is the form that names every resource."""
    return _all_pages(aws, arn, _page(aws, arn, with_values=False), with_values=False)


def _page(aws: Aws, arn: str, *, with_values: bool, token: str = "") -> dict[str, Any]:
    from botocore.exceptions import ClientError

    more: Any = {"NextToken": token} if token else {}
    with translate("describe", f"change set {arn}"):
        try:
            return dict(
                aws.cloudformation.describe_change_set(ChangeSetName=arn, IncludePropertyValues=with_values, **more)
            )
        except ClientError as error:
            if is_gone(error):
                raise ChangeSetError(
                    f"change set {arn} was deleted while it was read",
                    hint="another deployment of the stack was executed or discarded it: run the command again",
                ) from error
            raise


def _all_pages(aws: Aws, arn: str, first: dict[str, Any], *, with_values: bool) -> Described:
    changes, page = list(first.get("Changes", [])), first
    while token := page.get("NextToken"):
        page = _page(aws, arn, with_values=with_values, token=token)
        changes += page.get("Changes", [])
    return Described(
        arn=first.get("ChangeSetId", arn),
        stack_id=first.get("StackId", ""),
        stack_name=first.get("StackName", ""),
        status=first["Status"],
        reason=first.get("StatusReason", ""),
        changes=tuple(change["ResourceChange"] for change in changes if "ResourceChange" in change),
    )


def merge(with_values: Described, without: Described) -> Described:
    """The changes of both forms: no resource, detail or replacement that one of them names is lost.

    AWS can leave whole resources out of the form with property values, with a "[WARN] --include-property-values option
    can return incomplete ChangeSet data" in the reason or without: https://github.com/aws/aws-cdk-cli/issues/1780
    """
    plain = {change["LogicalResourceId"]: change for change in without.changes}
    merged = [_merge_change(change, plain.pop(change["LogicalResourceId"], {})) for change in with_values.changes]
    return Described(
        with_values.arn,
        with_values.stack_id,
        with_values.stack_name,
        with_values.status,
        with_values.reason,
        (*merged, *plain.values()),
    )


def _merge_change(rich: Mapping[str, Any], plain: Mapping[str, Any]) -> Mapping[str, Any]:
    details = list(rich.get("Details", []))
    known = {_cause(detail) for detail in details}
    details += [detail for detail in plain.get("Details", []) if _cause(detail) not in known]
    scope = dict.fromkeys([*rich.get("Scope", []), *plain.get("Scope", [])])
    replacement = max(rich.get("Replacement", ""), plain.get("Replacement", ""), key=_REPLACEMENTS.index)
    return {**plain, **rich, "Details": details, "Scope": list(scope), "Replacement": replacement}


def _cause(detail: Mapping[str, Any]) -> tuple[str, ...]:
    """What makes two details the same in both forms: what changes, and through what; paths come only with values."""
    target = detail.get("Target", {})
    return (
        target.get("Attribute", ""),
        target.get("Name", ""),
        detail.get("ChangeSource", ""),
        detail.get("CausingEntity", ""),
    )
