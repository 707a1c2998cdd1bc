"""Elastic Load Balancing: balancers, target groups, listeners and their rules."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from typing import Any

from localaws.providers.base import Provider
from localaws.providers.table import Row
from localaws.providers.tags import Tags
from localaws.providers.work import Custom, Look, Removal, Setting, Work, custom, same

TAGS = Tags(
    tag="AddTags",
    untag="RemoveTags",
    key="ResourceArns[]",
    lists="DescribeTags",
    read="TagDescriptions.0.Tags",
)


def _attribute_step(property_name: str, operation: str, key: str) -> Custom:
    """A list of Key and Value; the operation touches only those that it is given."""

    def put(work: Work) -> None:
        old, new = (
            {each["Key"]: each["Value"] for each in side.get(property_name) or ()} for side in (work.before, work.after)
        )
        fresh = [{"Key": name, "Value": value} for name, value in new.items() if old.get(name) != value]
        if fresh:
            work.call(operation, {key: work.physical_id, "Attributes": fresh})

    return Custom(
        properties=frozenset({property_name}), calls={operation: (key, "Attributes")}, function=put, creates=True
    )


def _attributes(property_name: str, operation: str, key: str) -> Callable[[Work], Mapping[str, Any]]:
    """Those attributes that the template gives; there are more, with the service's own values."""

    def tell(work: Work) -> Mapping[str, Any]:
        if property_name not in work.after:
            return {}
        given = {each["Key"] for each in work.after[property_name]}
        told = work.call(operation, {key: work.physical_id})["Attributes"]
        return {property_name: [each for each in told if each["Key"] in given]}

    return tell


def full_name(arn: str) -> str:
    """What metrics call a balancer or a target group: "app/name/id", "targetgroup/name/id"."""
    return arn.rpartition(":")[2].removeprefix("loadbalancer/")


def _with(find: Look, name: str, more: Callable[[Mapping[str, Any]], Mapping[str, Any]]) -> Callable[[Work], Any]:
    """A description with the name that metrics use."""

    def look(work: Work) -> Mapping[str, Any] | None:
        found = find(work)
        return found and {**found, name: full_name(work.physical_id), **more(found)}

    return look


BALANCER = Row(
    type="AWS::ElasticLoadBalancingV2::LoadBalancer",
    service="elbv2",
    create_operation="CreateLoadBalancer",
    sends=same("IpAddressType Name Scheme SecurityGroups SubnetMappings Subnets Type"),
    named="Name",
    name_limit=32,
    physical="LoadBalancers.0.LoadBalancerArn",
    complete=False,
    look=_with(
        Look(operation="DescribeLoadBalancers", key="LoadBalancerArns[]", path="LoadBalancers.0"),
        "LoadBalancerFullName",
        lambda found: {"Subnets": [zone["SubnetId"] for zone in found["AvailabilityZones"]]},
    ),
    attributes={"LoadBalancerArn": "", "LoadBalancerName": "LoadBalancerName", "SecurityGroups": "SecurityGroups"}
    | {"CanonicalHostedZoneID": "CanonicalHostedZoneId", "DNSName": "DNSName"}
    | same("LoadBalancerFullName"),
    steps=(
        Setting(operation="SetIpAddressType", key="LoadBalancerArn", sends=same("IpAddressType")),
        Setting(operation="SetSecurityGroups", key="LoadBalancerArn", sends=same("SecurityGroups")),
        Setting(operation="SetSubnets", key="LoadBalancerArn", sends=same("Subnets SubnetMappings")),
        _attribute_step("LoadBalancerAttributes", "ModifyLoadBalancerAttributes", "LoadBalancerArn"),
    ),
    remove=Removal(operation="DeleteLoadBalancer", key="LoadBalancerArn"),
    tags=TAGS,
    reads={"Name": "LoadBalancerName", "SubnetMappings": None},
    extend=_attributes("LoadBalancerAttributes", "DescribeLoadBalancerAttributes", "LoadBalancerArn"),
)

_HEALTH = same(
    "HealthCheckEnabled HealthCheckIntervalSeconds HealthCheckPath HealthCheckPort HealthCheckProtocol"
    " HealthCheckTimeoutSeconds HealthyThresholdCount Matcher UnhealthyThresholdCount"
)
_GROUP_ATTRIBUTES = _attributes("TargetGroupAttributes", "DescribeTargetGroupAttributes", "TargetGroupArn")


def _put_targets(work: Work) -> None:
    old, new = (list(side.get("Targets") or ()) for side in (work.before, work.after))
    for operation, targets in (
        ("DeregisterTargets", [target for target in old if target not in new]),
        ("RegisterTargets", [target for target in new if target not in old]),
    ):
        if targets:
            work.call(operation, TargetGroupArn=work.physical_id, Targets=targets)


def _group_extras(work: Work) -> Mapping[str, Any]:
    if "Targets" not in work.after:
        return _GROUP_ATTRIBUTES(work)
    told = work.call("DescribeTargetHealth", TargetGroupArn=work.physical_id)["TargetHealthDescriptions"]
    return {**_GROUP_ATTRIBUTES(work), "Targets": [each["Target"] for each in told]}


TARGET_GROUP = Row(
    type="AWS::ElasticLoadBalancingV2::TargetGroup",
    service="elbv2",
    create_operation="CreateTargetGroup",
    sends=_HEALTH | same("IpAddressType Name Port Protocol ProtocolVersion TargetType VpcId"),
    named="Name",
    name_limit=32,
    physical="TargetGroups.0.TargetGroupArn",
    complete=False,
    look=_with(
        Look(operation="DescribeTargetGroups", key="TargetGroupArns[]", path="TargetGroups.0"),
        "TargetGroupFullName",
        lambda _found: {},
    ),
    attributes={"TargetGroupArn": ""} | same("LoadBalancerArns TargetGroupFullName TargetGroupName"),
    steps=(
        Setting(operation="ModifyTargetGroup", key="TargetGroupArn", sends=_HEALTH),
        _attribute_step("TargetGroupAttributes", "ModifyTargetGroupAttributes", "TargetGroupArn"),
        custom("Targets", "RegisterTargets DeregisterTargets", _put_targets, creates=True),
    ),
    remove=Removal(operation="DeleteTargetGroup", key="TargetGroupArn"),
    tags=TAGS,
    reads={"Name": "TargetGroupName"},
    extend=_group_extras,
)

_LISTENER = same("Certificates DefaultActions MutualAuthentication Port Protocol SslPolicy")

LISTENER = Row(
    type="AWS::ElasticLoadBalancingV2::Listener",
    service="elbv2",
    create_operation="CreateListener",
    sends=_LISTENER | same("LoadBalancerArn"),
    made="Listeners.0",
    physical="Listeners.0.ListenerArn",
    look=Look(operation="DescribeListeners", key="ListenerArns[]", path="Listeners.0"),
    attributes={"ListenerArn": ""},
    steps=(
        Setting(operation="ModifyListener", key="ListenerArn", sends=_LISTENER),
        _attribute_step("ListenerAttributes", "ModifyListenerAttributes", "ListenerArn"),
    ),
    remove=Removal(operation="DeleteListener", key="ListenerArn"),
    tags=TAGS,
    extend=_attributes("ListenerAttributes", "DescribeListenerAttributes", "ListenerArn"),
)


def _put_priority(work: Work) -> None:
    priority = {"RuleArn": work.physical_id, "Priority": work.after["Priority"]}
    work.call("SetRulePriorities", RulePriorities=[priority])


RULE = Row(
    type="AWS::ElasticLoadBalancingV2::ListenerRule",
    service="elbv2",
    create_operation="CreateRule",
    sends=same("Actions Conditions ListenerArn Priority"),
    made="Rules.0",
    physical="Rules.0.RuleArn",
    look=Look(operation="DescribeRules", key="RuleArns[]", path="Rules.0"),
    attributes={"RuleArn": "", "IsDefault": "IsDefault"},
    steps=(
        Setting(operation="ModifyRule", key="RuleArn", sends=same("Actions Conditions")),
        custom("Priority", "SetRulePriorities", _put_priority),
    ),
    remove=Removal(operation="DeleteRule", key="RuleArn"),
    tags=TAGS,
)

PROVIDERS: Mapping[str, Provider] = {row.type: row for row in (BALANCER, TARGET_GROUP, LISTENER, RULE)}
