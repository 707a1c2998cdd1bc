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
_CHECK_SECONDS = 10
# ECS replaces a task that the load balancer finds unhealthy. An Aurora failover, of some 30 seconds, may make all of
# them unready at once: they are given a minute.
_TASK_FAILURES, _DATA_CENTER_FAILURES = 6, 3


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
    place, service = stack.settings.data_center, stack.settings.service
    tasks = {
        "Port": service.port,
        "HealthCheckPath": service.readiness_path,
        "UnhealthyThresholdCount": _TASK_FAILURES,
    }
    targets = [
        elb.TargetDescription(Id=address, Port=place.application_port, AvailabilityZone=_OUTSIDE_THE_VPC)
        for address in place.application_ips
    ]
    return TargetGroups(
        blue=_target_group(stack, vpc_id, "blue", _WARM_UP_SECONDS, **tasks),
        green=_target_group(stack, vpc_id, "green", _WARM_UP_SECONDS, **tasks),
        # A slow start would hold back the side that must be able to take everything at once.
        data_center=_target_group(
            stack,
            vpc_id,
            "dc",
            0,
            Port=place.application_port,
            HealthCheckPath=place.health_check_path,
            UnhealthyThresholdCount=_DATA_CENTER_FAILURES,
            Targets=targets,
        ),
    )


def _target_group(
    stack: Stack, vpc_id: AWSHelperFn, part: str, warm_up_seconds: int, **of_this_side: Any
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
            HealthCheckEnabled=True,
            HealthCheckProtocol="HTTPS",
            HealthCheckPort="traffic-port",
            HealthCheckIntervalSeconds=_CHECK_SECONDS,
            HealthCheckTimeoutSeconds=5,
            HealthyThresholdCount=2,
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
            **of_this_side,
        )
    )
