"""Movement 1: requests move to the application on AWS by weights, while the payments stay in the data centre."""

from __future__ import annotations

from rehearsal.rehearse.account import Account

# What stands in for the targets of blue and green, as ECS would register tasks; the address is of a private subnet.
_TASK = {"Id": "10.0.11.21", "Port": 8443}
GROUPS = {
    "data-center": "LoadBalancer.DataCenterTargetGroupArn",
    "blue": "LoadBalancer.BlueTargetGroupArn",
    "green": "LoadBalancer.GreenTargetGroupArn",
}


def register_targets(account: Account) -> None:
    """Give blue and green a target each, which the embedded ECS does not do."""
    for name in ("blue", "green"):
        account.client("elbv2").register_targets(TargetGroupArn=account[GROUPS[name]], Targets=[_TASK])


def weigh(account: Account, aws: int) -> None:
    """Let so many per cent of the requests go to blue, the rest to the data centre."""
    weights = {GROUPS["data-center"]: 100 - aws, GROUPS["blue"]: aws}
    groups = [{"TargetGroupArn": account[output], "Weight": weight} for output, weight in weights.items()]
    account.client("elbv2").modify_rule(
        RuleArn=account["LoadBalancer.MigrationRuleArn"],
        Actions=[{"Type": "forward", "ForwardConfig": {"TargetGroups": groups}}],
    )
