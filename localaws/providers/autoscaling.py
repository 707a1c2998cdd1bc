"""Application Auto Scaling: how many tasks a service may have, and what decides."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

from localaws.providers.base import Provider
from localaws.providers.table import Row
from localaws.providers.tags import Tags
from localaws.providers.work import Look, Removal, Work, custom, same

_LIMITS = ("MaxCapacity", "MinCapacity", "RoleARN", "SuspendedState")
_THREE = ("ResourceId", "ScalableDimension", "ServiceNamespace")


def _target(physical_id: str) -> dict[str, str]:
    """The three that name a target, from its Ref.

    https://docs.aws.amazon.com/AWSCloudFormation/latest/TemplateReference/aws-resource-applicationautoscaling-scalabletarget.html
    """
    return dict(zip(_THREE, physical_id.split("|"), strict=True))


def _look(work: Work) -> Mapping[str, Any] | None:
    three = _target(work.physical_id)
    return Look(
        operation="DescribeScalableTargets",
        key="ResourceIds[]",
        path="ScalableTargets.0",
        fixed={"ServiceNamespace": three["ServiceNamespace"], "ScalableDimension": three["ScalableDimension"]},
    )(work.at(three["ResourceId"]))


def _register(work: Work) -> None:
    values = {name: work.after[name] for name in _LIMITS if name in work.after}
    work.call("RegisterScalableTarget", values, **_target(work.physical_id))


def _deregister(work: Work) -> None:
    Removal(
        operation="DeregisterScalableTarget",
        key="ResourceId",
        of="ResourceId",
        fixed=_target(work.physical_id),
    )(work)


TARGET = Row(
    type="AWS::ApplicationAutoScaling::ScalableTarget",
    service="application-autoscaling",
    create_operation="RegisterScalableTarget",
    sends=same(f"{' '.join(_LIMITS)} {' '.join(_THREE)}"),
    physical=lambda work: "|".join(str(work.after[name]) for name in _THREE),
    exclusive=True,
    complete=False,
    look=_look,
    attributes={"Id": ""},
    steps=(custom(" ".join(_LIMITS), "RegisterScalableTarget", _register),),
    remove=_deregister,
    tags=Tags(
        tag="TagResource",
        untag="UntagResource",
        key="ResourceARN",
        of="ScalableTargetARN",
        names=None,
        lists="ListTagsForResource",
    ),
)

_CONFIGURATIONS = same(
    "PolicyType PredictiveScalingPolicyConfiguration StepScalingPolicyConfiguration"
    " TargetTrackingScalingPolicyConfiguration"
)


def _place(work: Work) -> dict[str, str]:
    """What a policy belongs to: named by its target's Ref, or by the three themselves."""
    given = work.after.get("ScalingTargetId")
    return _target(given) if given else {name: work.after[name] for name in _THREE}


def _put_policy(work: Work, values: Mapping[str, Any]) -> Mapping[str, Any]:
    named = {name: value for name, value in values.items() if name != "ScalingTargetId"}
    return work.call("PutScalingPolicy", {**named, **_place(work)})


def _change_policy(work: Work) -> None:
    values = {name: work.after[name] for name in _CONFIGURATIONS if name in work.after}
    work.call("PutScalingPolicy", values, PolicyName=work.after["PolicyName"], **_place(work))


def _look_at_policy(work: Work) -> Mapping[str, Any] | None:
    policies = work.call("DescribeScalingPolicies", _place(work), PolicyNames=[work.after["PolicyName"]])
    return next((policy for policy in policies["ScalingPolicies"] if policy["PolicyARN"] == work.physical_id), None)


def _delete_policy(work: Work) -> None:
    """With it go the alarms that it made."""
    Removal(operation="DeleteScalingPolicy", key="PolicyName", of="PolicyName", fixed=_place(work))(work)


POLICY = Row(
    type="AWS::ApplicationAutoScaling::ScalingPolicy",
    service="application-autoscaling",
    make=_put_policy,
    sends=_CONFIGURATIONS | same(f"PolicyName ScalingTargetId {' '.join(_THREE)}"),
    physical="PolicyARN",
    complete=False,
    look=_look_at_policy,
    attributes={"Arn": ""},
    steps=(custom(" ".join(_CONFIGURATIONS), "PutScalingPolicy", _change_policy),),
    remove=_delete_policy,
    reads={"ScalingTargetId": None},
)

PROVIDERS: Mapping[str, Provider] = {row.type: row for row in (TARGET, POLICY)}
