"""WAF: web ACLs, what they stand before, and where they log."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

from botocore.exceptions import ClientError

from localaws.providers.base import Provider
from localaws.providers.table import Row
from localaws.providers.tags import Tags
from localaws.providers.work import Custom, Look, Removal, Work, is_gone, same


def _key(work: Work) -> dict[str, str]:
    """The three that name a web ACL, from its Ref.

    https://docs.aws.amazon.com/AWSCloudFormation/latest/TemplateReference/aws-resource-wafv2-webacl.html
    """
    name, identifier, scope = work.physical_id.split("|")
    return {"Name": name, "Id": identifier, "Scope": scope}


def _make(work: Work, values: dict[str, Any]) -> Mapping[str, Any]:
    summary = work.call("CreateWebACL", values)["Summary"]
    return {"Ref": f"{summary['Name']}|{summary['Id']}|{values['Scope']}"}


def _look(work: Work) -> Mapping[str, Any] | None:
    try:
        answer = work.call("GetWebACL", _key(work))
    except ClientError as error:
        if is_gone(error):
            return None
        raise
    return {**answer["WebACL"], "LockToken": answer["LockToken"]}


_ACL = same(
    "AssociationConfig CaptchaConfig ChallengeConfig CustomResponseBodies DataProtectionConfig DefaultAction"
    " Description Rules TokenDomains VisibilityConfig"
)


def _update(work: Work) -> None:
    """The operation replaces the whole web ACL, so it is given all of it."""
    values = {name: work.after[name] for name in _ACL if name in work.after}
    work.call("UpdateWebACL", values, **_key(work), LockToken=work.entity["LockToken"])


def _delete(work: Work) -> None:
    found = _look(work)
    if found is not None:
        fixed = {**_key(work), "LockToken": found["LockToken"]}
        Removal(operation="DeleteWebACL", key="Id", of="Id", fixed=fixed)(work)


ACL = Row(
    type="AWS::WAFv2::WebACL",
    service="wafv2",
    make=_make,
    sends=_ACL | same("Name Scope"),
    named="Name",
    physical="Ref",
    complete=False,
    look=_look,
    attributes={"Arn": "ARN", "Capacity": "Capacity", "Id": "Id", "LabelNamespace": "LabelNamespace"},
    steps=(
        Custom(
            properties=frozenset(_ACL),
            calls={"UpdateWebACL": ("Name", "Id", "Scope", "LockToken", *_ACL.values())},
            function=_update,
        ),
    ),
    remove=_delete,
    tags=Tags(
        tag="TagResource",
        untag="UntagResource",
        key="ResourceARN",
        of="ARN",
        lists="ListTagsForResource",
        read="TagInfoForResource.TagList",
    ),
    reads={"Scope": None},
)


def _look_at_association(work: Work) -> Mapping[str, Any] | None:
    resource = work.physical_id.partition("|")[0]
    found = Look(operation="GetWebACLForResource", key="ResourceArn", path="WebACL")(work.at(resource))
    return found and {"ResourceArn": resource, "WebACLArn": found["ARN"]}


def _dissociate(work: Work) -> None:
    resource = work.physical_id.partition("|")[0]
    Removal(operation="DisassociateWebACL", key="ResourceArn")(work.at(resource))


ASSOCIATION = Row(
    type="AWS::WAFv2::WebACLAssociation",
    service="wafv2",
    create_operation="AssociateWebACL",
    sends=same("ResourceArn WebACLArn"),
    physical=lambda work: f"{work.after['ResourceArn']}|{work.after['WebACLArn']}",
    complete=False,
    look=_look_at_association,
    remove=_dissociate,
)

_LOGGING = {
    name: f"LoggingConfiguration.{name}"
    for name in ("LogDestinationConfigs", "LoggingFilter", "RedactedFields", "ResourceArn")
}


def _put_logging(work: Work) -> None:
    values = {name: work.after[name] for name in _LOGGING if name in work.after}
    work.call("PutLoggingConfiguration", LoggingConfiguration=values)


LOGGING = Row(
    type="AWS::WAFv2::LoggingConfiguration",
    service="wafv2",
    create_operation="PutLoggingConfiguration",
    sends=_LOGGING,
    physical="LoggingConfiguration.ResourceArn",
    complete=False,
    look=Look(operation="GetLoggingConfiguration", key="ResourceArn", path="LoggingConfiguration"),
    steps=(
        Custom(
            properties=frozenset(_LOGGING) - {"ResourceArn"},
            calls={"PutLoggingConfiguration": ("LoggingConfiguration",)},
            function=_put_logging,
        ),
    ),
    remove=Removal(operation="DeleteLoggingConfiguration", key="ResourceArn"),
    reads={name: name for name in _LOGGING},
)

PROVIDERS: Mapping[str, Provider] = {row.type: row for row in (ACL, ASSOCIATION, LOGGING)}
