"""Corrections to moto's security group rules."""

from __future__ import annotations

from typing import Any

from localaws.shims.patch import around

_PREFIX_LIST = 7  # its place among the arguments of moto's SecurityGroupRule, after self


def describe_rules_of_every_peer() -> None:
    """A rule has a description whatever its peer is; moto keeps that of a CIDR alone.

    https://docs.aws.amazon.com/AWSEC2/latest/APIReference/API_SecurityGroupRule.html
    """
    from moto.ec2.models.security_groups import SecurityGroup, SecurityGroupRule

    @around(SecurityGroupRule, "__init__")
    def initialize(original: Any, self: Any, *args: Any, **kwargs: Any) -> None:
        original(self, *args, **kwargs)
        given = kwargs.get("prefix_list_id") or (args[_PREFIX_LIST] if len(args) > _PREFIX_LIST else None)
        self.prefix_list = dict(given or {})

    SecurityGroupRule.description = property(lambda self: _peer(self).get("Description"))

    @around(SecurityGroup, "_flattened_rules")
    def flattened(original: Any, self: Any, rules: list[Any]) -> Any:
        texts = {rule.prefix_list_id: rule.description for rule in rules if rule.prefix_list_id and rule.description}
        views = original(self, rules)
        for prefix_list in [one for view in views for one in view.prefix_list_ids]:
            if text := texts.get(prefix_list["PrefixListId"]):
                prefix_list["Description"] = text
        return views


def change_descriptions_of_rules() -> None:
    """UpdateSecurityGroupRuleDescriptions… takes rules by their ids too, and prefix lists; moto ignores both.

    https://docs.aws.amazon.com/AWSEC2/latest/APIReference/API_UpdateSecurityGroupRuleDescriptionsIngress.html
    """
    from moto.core.responses import ActionResult
    from moto.ec2.exceptions import InvalidSecurityGroupRuleIdNotFoundError
    from moto.ec2.models import EC2Backend
    from moto.ec2.responses import EC2Response

    for direction in ("ingress", "egress"):

        @around(EC2Response, f"update_security_group_rule_descriptions_{direction}")
        def update(original: Any, self: Any, direction: str = direction) -> Any:
            descriptions = self._get_param("SecurityGroupRuleDescriptions", [])
            if not descriptions:
                original(self)
            for one in descriptions:
                group = self.ec2_backend.get_security_group_by_name_or_id(self._get_param("GroupId"))
                rules = {rule.id: rule for rule in getattr(group, f"{direction}_rules")}
                if one["SecurityGroupRuleId"] not in rules:
                    raise InvalidSecurityGroupRuleIdNotFoundError(one["SecurityGroupRuleId"])
                _describe(rules[one["SecurityGroupRuleId"]], one.get("Description"))
            return ActionResult({"Return": True})

    @around(EC2Backend, "_sg_update_description")
    def update_rule(_original: Any, _self: Any, wanted: Any, rule: Any) -> None:
        _describe(rule, wanted.description)


def tell_rules_apart_by_their_peers() -> None:
    """Two rules with one peer are the same rule, whatever their descriptions say; moto's then stand side by side.

    https://docs.aws.amazon.com/AWSEC2/latest/APIReference/API_AuthorizeSecurityGroupIngress.html
    (InvalidPermission.Duplicate)
    """
    from moto.ec2.models.security_groups import SecurityGroupRule

    @around(SecurityGroupRule, "__eq__")
    def equal(_original: Any, self: Any, other: Any) -> bool:
        return _identity(self) == _identity(other)


def _identity(rule: Any) -> tuple[Any, ...]:
    ports = () if rule.ip_protocol == "-1" else (rule.from_port, rule.to_port)
    group = rule.source_group.get("GroupId") or rule.source_group.get("GroupName")
    return rule.ip_protocol, ports, rule.cidr_ipv4, rule.cidr_ipv6, group, rule.prefix_list_id


def _peer(rule: Any) -> dict[str, Any]:
    return rule.ip_range or rule.source_group or rule.prefix_list  # type: ignore[no-any-return]


def _describe(rule: Any, text: str | None) -> None:
    peer = _peer(rule)
    if text:
        peer["Description"] = text
    else:
        peer.pop("Description", None)
