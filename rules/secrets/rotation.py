"""E9116: a secret that stays the same for ever."""

from __future__ import annotations

from collections.abc import Iterator

from rules._base import HouseRule
from rules._template import Finding, Resource
from rules._values import names


class SecretWithoutRotation(HouseRule):
    """Secrets that RDS manages itself are no resources of the template, and rotate every seven days."""

    id = "E9116"
    shortdesc = "Secret without rotation"
    description = "No rotation schedule of this template manages the secret (PCI DSS 8.3.9, 8.6.3)"
    source_url = "https://docs.aws.amazon.com/secretsmanager/latest/userguide/rotating-secrets.html"
    tags = ["house", "secrets"]
    fix = "add an AWS::SecretsManager::RotationSchedule for it, or except it and say who rotates it"
    types = ("AWS::SecretsManager::Secret",)

    def check(self, resource: Resource) -> Iterator[Finding]:
        schedules = resource.template.of("AWS::SecretsManager::RotationSchedule")
        if not any(names(schedule.properties.get("SecretId"), resource.logical_id) for schedule in schedules):
            yield resource.finding("nothing rotates the secret")
