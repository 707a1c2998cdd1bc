"""IAM: roles, and policies that are written into them."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

from localaws.providers.base import Provider
from localaws.providers.shapes import observe
from localaws.providers.table import Row
from localaws.providers.tags import Tags
from localaws.providers.work import NOTHING, Custom, Look, Properties, Removal, Setting, Work, same


def _put_managed(work: Work) -> None:
    old, new = (side.get("ManagedPolicyArns") or [] for side in (work.before, work.after))
    for operation, arns in (
        ("DetachRolePolicy", [arn for arn in old if arn not in new]),
        ("AttachRolePolicy", [arn for arn in new if arn not in old]),
    ):
        for arn in arns:
            work.call(operation, RoleName=work.physical_id, PolicyArn=arn)


def _put_inline(work: Work) -> None:
    old, new = (
        {policy["PolicyName"]: policy["PolicyDocument"] for policy in side.get("Policies") or ()}
        for side in (work.before, work.after)
    )
    for name in old:
        if name not in new:
            work.call("DeleteRolePolicy", RoleName=work.physical_id, PolicyName=name)
    for name, document in new.items():
        if old.get(name) != document:
            work.call("PutRolePolicy", RoleName=work.physical_id, PolicyName=name, PolicyDocument=document)


def _put_boundary(work: Work) -> None:
    boundary = work.after.get("PermissionsBoundary")
    if boundary is None:
        work.call("DeleteRolePermissionsBoundary", RoleName=work.physical_id)
    else:
        work.call("PutRolePermissionsBoundary", RoleName=work.physical_id, PermissionsBoundary=boundary)


def _let_go(work: Work) -> None:
    """Take from the role what the template gave it; what somebody else added keeps it from being deleted, as in AWS."""
    for arn in work.after.get("ManagedPolicyArns") or ():
        Removal(operation="DetachRolePolicy", key="RoleName", fixed={"PolicyArn": arn})(work)
    for policy in work.after.get("Policies") or ():
        Removal(operation="DeleteRolePolicy", key="RoleName", fixed={"PolicyName": policy["PolicyName"]})(work)


def _role_extras(work: Work) -> Mapping[str, Any]:
    """What is attached to the role and written into it."""
    told: dict[str, Any] = {}
    if "ManagedPolicyArns" in work.after:
        attached = work.call("ListAttachedRolePolicies", RoleName=work.physical_id)["AttachedPolicies"]
        told["ManagedPolicyArns"] = [policy["PolicyArn"] for policy in attached]
    if "Policies" in work.after:
        # Only the role's own: an AWS::IAM::Policy may have written others into it.
        names = work.call("ListRolePolicies", RoleName=work.physical_id)["PolicyNames"]
        own = [policy["PolicyName"] for policy in work.after["Policies"] if policy["PolicyName"] in names]
        told["Policies"] = [_policy(work, work.physical_id, name) for name in own]
    return told


def _policy(work: Work, role: str, name: str) -> Mapping[str, Any]:
    answer = work.call("GetRolePolicy", RoleName=role, PolicyName=name)
    return {"PolicyName": name, "PolicyDocument": answer["PolicyDocument"]}


ROLE = Row(
    type="AWS::IAM::Role",
    service="iam",
    create_operation="CreateRole",
    sends=same("AssumeRolePolicyDocument Description MaxSessionDuration Path PermissionsBoundary RoleName"),
    named="RoleName",
    name_limit=64,
    made="Role",
    physical="Role.RoleName",
    look=Look(operation="GetRole", key="RoleName", path="Role"),
    attributes={"Arn": "Arn", "RoleId": "RoleId"},
    steps=(
        Setting(
            operation="UpdateRole",
            key="RoleName",
            sends=same("Description MaxSessionDuration"),
            whole=True,
            defaults={"Description": "", "MaxSessionDuration": 3600},
        ),
        Setting(
            operation="UpdateAssumeRolePolicy", key="RoleName", sends={"AssumeRolePolicyDocument": "PolicyDocument"}
        ),
        Custom(
            properties=frozenset({"PermissionsBoundary"}),
            calls={
                "PutRolePermissionsBoundary": ("RoleName", "PermissionsBoundary"),
                "DeleteRolePermissionsBoundary": ("RoleName",),
            },
            function=_put_boundary,
        ),
        Custom(
            properties=frozenset({"ManagedPolicyArns"}),
            calls=dict.fromkeys(("AttachRolePolicy", "DetachRolePolicy"), ("RoleName", "PolicyArn")),
            function=_put_managed,
            creates=True,
        ),
        Custom(
            properties=frozenset({"Policies"}),
            calls=dict.fromkeys(("PutRolePolicy", "DeleteRolePolicy"), ("RoleName", "PolicyName")),
            function=_put_inline,
            creates=True,
        ),
    ),
    remove=Removal(operation="DeleteRole", key="RoleName", first=_let_go),
    tags=Tags(tag="TagRole", untag="UntagRole", key="RoleName"),
    reads={"PermissionsBoundary": "PermissionsBoundary.PermissionsBoundaryArn"},
    extend=_role_extras,
)


def _write(work: Work, _values: Properties = NOTHING) -> Mapping[str, Any]:
    """Write the policy into each role; take it out where it is no longer named, or was called otherwise."""
    old, new = (
        {(role, side.get("PolicyName")) for role in side.get("Roles", ())} for side in (work.before, work.after)
    )
    for role, name in sorted(old - new):
        work.call("DeleteRolePolicy", RoleName=role, PolicyName=name)
    for role, name in sorted(new):
        work.call("PutRolePolicy", RoleName=role, PolicyName=name, PolicyDocument=work.after["PolicyDocument"])
    return {}


def _take_out(work: Work) -> None:
    for role in work.after["Roles"]:
        name = {"PolicyName": work.after["PolicyName"]}
        Removal(operation="DeleteRolePolicy", key="RoleName", fixed=name)(work.at(role))


def _look_at_policy(work: Work) -> Mapping[str, Any] | None:
    """The policy as one of its roles has it: one that differs, if there is one."""
    find = Look(operation="GetRolePolicy", key="RoleName", path="", fixed={"PolicyName": work.after["PolicyName"]})
    written = {role: found for role in work.after["Roles"] if (found := find(work.at(role)))}
    if not written:
        return None
    wanted = work.after["PolicyDocument"]
    documents = [each["PolicyDocument"] for each in written.values()]
    odd = next((document for document in documents if observe(wanted, document) != wanted), documents[0])
    return {"PolicyName": work.after["PolicyName"], "Roles": list(written), "PolicyDocument": odd}


POLICY = Row(
    type="AWS::IAM::Policy",
    service="iam",
    piecemeal=True,
    make=_write,
    sends=same("PolicyDocument PolicyName Roles"),
    physical=lambda work: work.context.unique_name,
    complete=False,
    look=_look_at_policy,
    attributes={"Id": ""},
    steps=(
        Custom(
            properties=frozenset({"PolicyDocument", "PolicyName", "Roles"}),
            calls=dict.fromkeys(("PutRolePolicy", "DeleteRolePolicy"), ("RoleName", "PolicyName")),
            function=_write,
        ),
    ),
    remove=_take_out,
)

PROVIDERS: Mapping[str, Provider] = {row.type: row for row in (ROLE, POLICY)}
