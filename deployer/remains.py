"""What a deleted stack leaves in the account: what AWS keeps for a while, and what a service wrote afterwards."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import dataclass
from typing import Any

from deployer.aws import Aws, error_code, in_parallel, translate
from deployer.recovery import StuckResource, remaining_resources
from deployer.stacks import StackState, iso


@dataclass(frozen=True, slots=True)
class Remain:
    """One thing that is still there. `until` is when AWS removes it by itself (ISO 8601), "" where it never does.

    `kept` is whether it is a resource that the stack left behind, as its template says.
    """

    address: str
    what: str
    until: str
    note: str
    kept: bool = False

    def __str__(self) -> str:
        when = f" until {self.until}" if self.until else ""
        return f"{self.address}: {self.what}{when}; {self.note}"


def find_remains(aws: Aws, stack: StackState, resources: Sequence[StuckResource]) -> tuple[Remain, ...]:
    """What is left of a stack that has just been deleted; `resources` are those that it had.

    A log group that its service has written anew, as services do that end after their log group, is deleted once more:
    it would keep its lines for ever.
    """
    kept = [
        Remain(
            found.address,
            f"{found.type} {found.physical_id} was kept ({found.status})",
            "",
            "delete it by hand",
            kept=True,
        )
        for found in remaining_resources(aws, stack)
    ]
    asked = [(resource, _FINDERS[resource.type]) for resource in resources if resource.type in _FINDERS]
    found = in_parallel(lambda pair: pair[1](aws, pair[0]), asked)
    return (*kept, *(remain for remains in found for remain in remains))


def _key(aws: Aws, resource: StuckResource) -> list[Remain]:
    """A key is not deleted at once, ever: https://docs.aws.amazon.com/kms/latest/developerguide/deleting-keys.html."""
    key = _ask(lambda: aws.client("kms").describe_key(KeyId=resource.physical_id)["KeyMetadata"], resource)
    if key is None:
        return []
    pending = key.get("KeyState") == "PendingDeletion"
    what = f"key {resource.physical_id} is {'pending deletion' if pending else key.get('KeyState')}"
    note = "it costs nothing and encrypts nothing any more" if pending else "schedule its deletion by hand"
    return [Remain(resource.address, what, iso(key.get("DeletionDate")), note)]


def _secret(aws: Aws, resource: StuckResource) -> list[Remain]:
    """A secret that waits for its deletion keeps its name."""
    secret = _ask(lambda: aws.client("secretsmanager").describe_secret(SecretId=resource.physical_id), resource)
    if secret is None:
        return []
    again = f"aws secretsmanager delete-secret --force-delete-without-recovery --secret-id {secret['Name']}"
    pending = "DeletedDate" in secret
    what = f"secret {secret['Name']} is {'pending deletion' if pending else 'still there'}"
    return [Remain(resource.address, what, iso(secret.get("DeletedDate")), f"to use its name before: {again}")]


def _log_group(aws: Aws, resource: StuckResource) -> list[Remain]:
    name, logs = resource.physical_id, aws.client("logs")
    _ask(lambda: logs.delete_log_group(logGroupName=name), resource)
    groups = _ask(lambda: logs.describe_log_groups(logGroupNamePrefix=name)["logGroups"], resource) or []
    if not any(group["logGroupName"] == name for group in groups):
        return []
    note = f"its service still writes: aws logs delete-log-group --log-group-name {name}"
    return [Remain(resource.address, f"log group {name} is there again", "", note)]


def _cluster(aws: Aws, resource: StuckResource) -> list[Remain]:
    """Snapshots that a person, or a final one that RDS, has made outlive the cluster."""
    snapshots = _ask(
        lambda: aws.rds.describe_db_cluster_snapshots(DBClusterIdentifier=resource.physical_id, SnapshotType="manual")[
            "DBClusterSnapshots"
        ],
        resource,
    )
    return [
        Remain(
            resource.address,
            f"snapshot {snapshot['DBClusterSnapshotIdentifier']} of {resource.physical_id}",
            "",
            "it holds the data and costs; delete it when nobody wants it",
        )
        for snapshot in snapshots or []
    ]


_FINDERS: dict[str, Callable[[Aws, StuckResource], list[Remain]]] = {
    "AWS::KMS::Key": _key,
    "AWS::Logs::LogGroup": _log_group,
    "AWS::RDS::DBCluster": _cluster,
    "AWS::SecretsManager::Secret": _secret,
}
_GONE = frozenset(("NotFoundException", "ResourceNotFoundException", "DBClusterNotFoundFault"))


def _ask(question: Callable[[], Any], resource: StuckResource) -> Any:
    """The answer, None where the service knows no such thing."""
    from botocore.exceptions import ClientError

    with translate("look for what is left of", f"{resource.address} ({resource.physical_id})"):
        try:
            return question()
        except ClientError as error:
            if error_code(error) in _GONE:
                return None
            raise
