"""Corrections to moto's ECS."""

from __future__ import annotations

from typing import Any

from localaws.shims.patch import around

# What a service is given, and moto does not keep.
_KEPT = (
    "availabilityZoneRebalancing",
    "capacityProviderStrategy",
    "deploymentConfiguration",
    "enableECSManagedTags",
    "enableExecuteCommand",
    "healthCheckGracePeriodSeconds",
    "placementConstraints",
    "placementStrategy",
)


def run_the_tasks_of_services() -> None:
    """A service runs what it wants to run; moto's stays at none, its deployment in progress for ever.

    https://docs.aws.amazon.com/AmazonECS/latest/APIReference/API_Service.html
    """
    from moto.ecs.models import EC2ContainerServiceBackend

    for operation in ("create_service", "update_service"):

        @around(EC2ContainerServiceBackend, operation)
        def steady(original: Any, self: Any, *args: Any, **kwargs: Any) -> Any:
            service = original(self, *args, **kwargs)
            wanted = service.running_count = service.desired_count
            service.pending_count = 0
            for deployment in service.deployments:  # one, or none where the service leaves them to somebody else
                deployment.update(
                    desiredCount=wanted,
                    runningCount=wanted,
                    pendingCount=0,
                    taskDefinition=service.task_definition,
                    rolloutState="COMPLETED",
                    rolloutStateReason=f"ECS deployment {deployment['id']} completed.",
                )
            return service


def keep_the_settings_of_services() -> None:
    """Create and UpdateService forget how deployments go, and what else is not about the tasks themselves."""
    from moto.core.utils import camelcase_to_underscores
    from moto.ecs.responses import EC2ContainerServiceResponse

    for operation in ("create_service", "update_service"):

        @around(EC2ContainerServiceResponse, operation)
        def keep(original: Any, self: Any) -> Any:
            answer = original(self)
            service = answer.result["service"]
            for name in _KEPT:
                value = self._get_param(name)
                if value is not None:
                    setattr(service, camelcase_to_underscores(name), value)
            return answer
