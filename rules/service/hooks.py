"""E9185: a lifecycle hook that ECS refuses."""

from __future__ import annotations

from collections.abc import Iterator

from rules._base import HouseRule
from rules._template import Finding, Resource
from rules._values import at, equals, listed

_MOVING = ("TEST_TRAFFIC_SHIFT", "PRODUCTION_TRAFFIC_SHIFT")


class BadLifecycleHook(HouseRule):
    """A pause belongs before or after a shift; a function needs an ARN and a role, which the schema leaves optional."""

    id = "E9185"
    shortdesc = "ECS lifecycle hook that cannot run"
    description = "PAUSE is not allowed at a traffic shift; AWS_LAMBDA needs HookTargetArn and RoleArn"
    source_url = "https://docs.aws.amazon.com/AmazonECS/latest/developerguide/deployment-lifecycle-hooks.html"
    tags = ["house", "ecs"]
    fix = "pause at POST_TEST_TRAFFIC_SHIFT or PRE_PRODUCTION_TRAFFIC_SHIFT; give a function its ARN and role"
    types = ("AWS::ECS::Service",)

    def check(self, resource: Resource) -> Iterator[Finding]:
        for path, hook in resource.each("DeploymentConfiguration", "LifecycleHooks", "*"):
            kind = at(hook, "TargetType") or "AWS_LAMBDA"
            if equals(kind, "PAUSE") and any(equals(stage, *_MOVING) for stage in listed(at(hook, "LifecycleStages"))):
                yield resource.finding("PAUSE while traffic shifts", *path, "LifecycleStages")
            for key in ("HookTargetArn", "RoleArn"):
                if equals(kind, "AWS_LAMBDA") and not at(hook, key):
                    yield resource.finding(f"hook without {key}", *path, key)
