"""EC2: security groups, and rules that are resources of their own."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

from localaws.providers.base import Provider
from localaws.providers.network import ec2_tags
from localaws.providers.table import Row
from localaws.providers.tags import RESERVED
from localaws.providers.work import Custom, Look, Removal, Work, same

_COMMON = "IpProtocol FromPort ToPort CidrIp CidrIpv6 Description"
# A rule's peer, as either direction calls it, and where a permission and a told rule have it.
_PEERS = {
    "CidrIp": ("IpRanges", "CidrIp", "CidrIpv4"),
    "CidrIpv6": ("Ipv6Ranges", "CidrIpv6", "CidrIpv6"),
    "SourceSecurityGroupId": ("UserIdGroupPairs", "GroupId", "ReferencedGroupInfo.GroupId"),
    "DestinationSecurityGroupId": ("UserIdGroupPairs", "GroupId", "ReferencedGroupInfo.GroupId"),
    "SourcePrefixListId": ("PrefixListIds", "PrefixListId", "PrefixListId"),
    "DestinationPrefixListId": ("PrefixListIds", "PrefixListId", "PrefixListId"),
}
_EVERYTHING = {"IpProtocol": "-1", "CidrIp": "0.0.0.0/0"}
_INLINE = {"SecurityGroupIngress": "Ingress", "SecurityGroupEgress": "Egress"}


def permission(rule: Mapping[str, Any]) -> dict[str, Any]:
    """A rule of a template as EC2 takes it: the peer with its description in a list of its own kind."""
    asked = {name: rule[name] for name in ("IpProtocol", "FromPort", "ToPort") if name in rule}
    for name, (kind, parameter, _) in _PEERS.items():
        if name in rule:
            peer = {parameter: rule[name]}
            asked[kind] = [peer | {"Description": rule["Description"]} if "Description" in rule else peer]
    return asked


def told(rule: Mapping[str, Any]) -> dict[str, Any]:
    """A rule of DescribeSecurityGroupRules, in the names of a template; ports only where the protocol has any."""
    way = "Destination" if rule["IsEgress"] else "Source"
    seen = {"IpProtocol": rule["IpProtocol"], "Description": rule.get("Description")}
    if rule["IpProtocol"] != "-1":
        seen |= {"FromPort": rule["FromPort"], "ToPort": rule["ToPort"]}
    seen |= {"CidrIp": rule.get("CidrIpv4"), "CidrIpv6": rule.get("CidrIpv6")}
    seen[f"{way}SecurityGroupId"] = rule.get("ReferencedGroupInfo", {}).get("GroupId")
    seen[f"{way}PrefixListId"] = rule.get("PrefixListId")
    return {name: value for name, value in seen.items() if value is not None}


def _rules(work: Work, **which: Any) -> list[Mapping[str, Any]]:
    rules: list[Mapping[str, Any]] = work.call("DescribeSecurityGroupRules", which)["SecurityGroupRules"]
    return rules


def _put_inline(work: Work) -> None:
    """Take away the group's own rules that the template no longer has, add the new ones.

    A group is born with a rule that lets everything out; it goes with the first rule that a template gives.
    https://docs.aws.amazon.com/AWSCloudFormation/latest/TemplateReference/aws-resource-ec2-securitygroup.html
    """
    for name, way in _INLINE.items():
        old, new = (list(side.get(name) or ()) for side in (work.before, work.after))
        if way == "Egress":
            old, new = old or [_EVERYTHING], new or [_EVERYTHING]
        for operation, rules in (
            (f"RevokeSecurityGroup{way}", [rule for rule in old if rule not in new]),
            (f"AuthorizeSecurityGroup{way}", [rule for rule in new if rule not in old]),
        ):
            if rules:
                work.call(operation, GroupId=work.physical_id, IpPermissions=[permission(rule) for rule in rules])


def _inline(work: Work) -> Mapping[str, Any]:
    """The group's own rules: all but those that are resources of their own, which carry a stack's tags."""
    rules = _rules(work, Filters=[{"Name": "group-id", "Values": [work.physical_id]}])
    own = [rule for rule in rules if not any(tag["Key"].startswith(RESERVED) for tag in rule.get("Tags", ()))]
    return {
        name: [told(rule) for rule in own if rule["IsEgress"] == (way == "Egress")] for name, way in _INLINE.items()
    }


GROUP = Row(
    type="AWS::EC2::SecurityGroup",
    service="ec2",
    create_operation="CreateSecurityGroup",
    sends=same("GroupName VpcId", GroupDescription="Description"),
    named="GroupName",
    physical="GroupId",
    complete=False,
    look=Look(operation="DescribeSecurityGroups", key="GroupIds[]", path="SecurityGroups.0"),
    attributes={"GroupId": "", "Id": "", "VpcId": "VpcId"},
    steps=(
        Custom(
            properties=frozenset(_INLINE),
            calls={f"{verb}SecurityGroup{way}": () for verb in ("Authorize", "Revoke") for way in _INLINE.values()},
            function=_put_inline,
            creates=True,
        ),
    ),
    remove=Removal(operation="DeleteSecurityGroup", key="GroupId"),
    tags=ec2_tags("security-group"),
    extend=_inline,
)


def _rule_row(way: str, peers: str) -> Row:
    """The type of a rule of one direction.

    A rule carries the tags that CloudFormation reserves, so that the group can tell it from rules that somebody added.
    """

    def authorize(work: Work, _values: Mapping[str, Any]) -> Mapping[str, Any]:
        reserved = [
            {"Key": key, "Value": value} for key, value in work.context.tags.items() if key.startswith(RESERVED)
        ]
        tags = [{"ResourceType": "security-group-rule", "Tags": reserved}] if reserved else []
        return work.call(
            f"AuthorizeSecurityGroup{way}",
            GroupId=work.after["GroupId"],
            IpPermissions=[permission(work.after)],
            TagSpecifications=tags,
        )

    def describe(work: Work) -> None:
        new = {"SecurityGroupRuleId": work.physical_id, "Description": work.after.get("Description", "")}
        work.call(
            f"UpdateSecurityGroupRuleDescriptions{way}",
            GroupId=work.after["GroupId"],
            SecurityGroupRuleDescriptions=[new],
        )

    find = Look(operation="DescribeSecurityGroupRules", key="SecurityGroupRuleIds[]", path="SecurityGroupRules.0")

    def look(work: Work) -> Mapping[str, Any] | None:
        rule = find(work)
        return rule and told(rule) | {"GroupId": rule["GroupId"]}

    def revoke(work: Work) -> None:
        group = {"GroupId": work.after["GroupId"]}
        Removal(operation=f"RevokeSecurityGroup{way}", key="SecurityGroupRuleIds[]", fixed=group)(work)

    return Row(
        type=f"AWS::EC2::SecurityGroup{way}",
        service="ec2",
        make=authorize,
        sends=same(f"GroupId {_COMMON} {peers}"),
        physical="SecurityGroupRules.0.SecurityGroupRuleId",
        complete=False,
        look=look,
        attributes={"Id": ""},
        steps=(
            Custom(
                properties=frozenset({"Description"}),
                calls={f"UpdateSecurityGroupRuleDescriptions{way}": ("GroupId", "SecurityGroupRuleDescriptions")},
                function=describe,
            ),
        ),
        remove=revoke,
    )


INGRESS = _rule_row("Ingress", "SourceSecurityGroupId SourcePrefixListId")
EGRESS = _rule_row("Egress", "DestinationSecurityGroupId DestinationPrefixListId")

PROVIDERS: Mapping[str, Provider] = {row.type: row for row in (GROUP, INGRESS, EGRESS)}
