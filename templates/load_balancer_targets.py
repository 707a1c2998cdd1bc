"""Target groups: blue and green, between which ECS swaps the service, and the application in the data centre."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any

from troposphere import AWSHelperFn
from troposphere import elasticloadbalancingv2 as elb

from contract import names
from contract.stack import Stack

# A target that leaves finishes its requests first; no payment takes a minute.
_DRAIN_SECONDS = 60
# A JVM is slow until its hot code is compiled: a task that autoscaling adds takes its full share only after this time.
_WARM_UP_SECONDS = 30
_OUTSIDE_THE_VPC = "all"


@dataclass(frozen=True, slots=True)
class TargetGroups:
    """The three places that a request may go to."""

    blue: elb.TargetGroup
    green: elb.TargetGroup
    data_center: elb.TargetGroup


def attributes(kind: type, values: dict[str, Any]) -> list[Any]:
    """Attributes in the form that load balancers, target groups and listeners share, in the order of their keys."""
    return [kind(Key=key, Value=value) for key, value in sorted(values.items())]


def add_target_groups(stack: Stack, vpc_id: AWSHelperFn) -> TargetGroups:
    """The target groups: two for ECS to register tasks with; the data centre's stays, so that going back is easy."""
    place, port = stack.settings.data_center, stack.settings.service.port
    targets = [
        elb.TargetDescription(Id=address, Port=place.application_port, AvailabilityZone=_OUTSIDE_THE_VPC)
        for address in place.application_ips
    ]
    return TargetGroups(
        blue=_target_group(stack, vpc_id, "blue", port, _WARM_UP_SECONDS),
        green=_target_group(stack, vpc_id, "green", port, _WARM_UP_SECONDS),
        # A slow start would hold back the side that must be able to take everything at once.
        data_center=_target_group(stack, vpc_id, "dc", place.application_port, 0, Targets=targets),
    )


def _target_group(
    stack: Stack, vpc_id: AWSHelperFn, part: str, port: int, warm_up_seconds: int, **more: Any
) -> elb.TargetGroup:
    """Targets are reached by HTTPS; a load balancer does not verify their certificates, so they may be self-signed.

    https://docs.aws.amazon.com/elasticloadbalancing/latest/application/load-balancer-target-groups.html
    """
    return stack.add(
        elb.TargetGroup(
            f"{part.capitalize()}TargetGroup",
            Name=stack.name(names.TARGET_GROUP, part),
            VpcId=vpc_id,
            TargetType="ip",
            IpAddressType="ipv4",
            Protocol="HTTPS",
            ProtocolVersion="HTTP1",
            Port=port,
            HealthCheckEnabled=True,
            HealthCheckProtocol="HTTPS",
            HealthCheckPort="traffic-port",
            HealthCheckPath=stack.settings.service.health_check_path,
            HealthCheckIntervalSeconds=10,
            HealthCheckTimeoutSeconds=5,
            HealthyThresholdCount=2,
            UnhealthyThresholdCount=3,
            Matcher=elb.Matcher(HttpCode="200"),
            TargetGroupAttributes=attributes(
                elb.TargetGroupAttribute,
                {
                    "deregistration_delay.timeout_seconds": str(_DRAIN_SECONDS),
                    "load_balancing.algorithm.type": "round_robin",
                    # Targets outside the VPC belong to no zone: every zone must be able to reach them.
                    "load_balancing.cross_zone.enabled": "true",
                    "slow_start.duration_seconds": str(warm_up_seconds),
                    # The application keeps no sessions; a sticky client would not follow the weights.
                    "stickiness.enabled": "false",
                },
            ),
            **more,
        )
    )
