"""DMS's subnet groups and replication instances.

https://docs.aws.amazon.com/dms/latest/APIReference/API_Operations.html
"""

from __future__ import annotations

import ipaddress
import time
from collections.abc import Callable
from typing import Any

from localaws.dms.store import (
    DmsError,
    Item,
    Json,
    Store,
    find,
    page,
    random_identifier,
    refuse_now,
    refuse_second,
    taken,
)

_ENGINE_VERSION = "3.6.1"
_STORAGE_GIB = 50
_ZONES = 2  # https://docs.aws.amazon.com/dms/latest/userguide/subnet-group.html
_INSTANCE = (
    "ReplicationInstanceIdentifier", "ReplicationInstanceClass", "AllocatedStorage", "AvailabilityZone",
    "PreferredMaintenanceWindow", "MultiAZ", "EngineVersion", "AutoMinorVersionUpgrade", "KmsKeyId",
    "PubliclyAccessible", "DnsNameServers", "NetworkType", "KerberosAuthenticationSettings",
)  # fmt: skip


class Instances:
    """The operations; `clients` are those of the account's other services, `arn` makes one of a kind and a name."""

    def __init__(self, store: Store, clients: Any, arn: Callable[[str, str], str]) -> None:
        self._store = store
        self._clients = clients
        self._arn = arn

    # --- subnet groups ------------------------------------------------------------------------------------------------
    def create_replication_subnet_group(self, request: Json) -> Json:
        """Subnets of one VPC, in two zones at least."""
        name = request["ReplicationSubnetGroupIdentifier"].lower()
        refuse_second(self._store.subnet_groups, "ReplicationSubnetGroupIdentifier", name)
        arn = self._arn("subgrp", name)
        document = {
            "ReplicationSubnetGroupIdentifier": name,
            "ReplicationSubnetGroupDescription": request["ReplicationSubnetGroupDescription"],
            **self._subnets(request["SubnetIds"]),
        }
        self._store.subnet_groups[arn] = Item(arn, document)
        self._store.tag(arn, request)
        return {"ReplicationSubnetGroup": document}

    def modify_replication_subnet_group(self, request: Json) -> Json:
        """Its subnets and, where given, its description."""
        document = self._group(request["ReplicationSubnetGroupIdentifier"]).document
        document.update(taken(request, ("ReplicationSubnetGroupDescription",)), **self._subnets(request["SubnetIds"]))
        return {"ReplicationSubnetGroup": document}

    def describe_replication_subnet_groups(self, request: Json) -> Json:
        """Filter replication-subnet-group-id."""
        groups = (item.document for item in self._store.subnet_groups.values())
        return page(groups, request, "ReplicationSubnetGroups")

    def delete_replication_subnet_group(self, request: Json) -> Json:
        """Refused while an instance is in it."""
        group = self._group(request["ReplicationSubnetGroupIdentifier"])
        for instance in self._store.instances.values():
            if instance.secret["group"] == group.arn:
                refuse_now(f"The subnet group is in use by replication instance {instance.arn}.")
        self._store.forget(self._store.subnet_groups, group.arn)
        return {}

    def _group(self, name: str) -> Item:
        return find(self._store.subnet_groups, self._arn("subgrp", name.lower()), "Replication subnet group")

    def _subnets(self, ids: list[str]) -> Json:
        from botocore.exceptions import ClientError

        try:
            subnets = self._clients("ec2").describe_subnets(SubnetIds=ids)["Subnets"]
        except ClientError as error:
            raise DmsError("InvalidSubnet", error.response["Error"]["Message"]) from error
        if len({subnet["AvailabilityZone"] for subnet in subnets}) < _ZONES:
            raise DmsError(
                "ReplicationSubnetGroupDoesNotCoverEnoughAZs",
                "The replication subnet group does not meet the AZ coverage requirement of at least 2 AZs.",
            )
        return {
            "VpcId": subnets[0]["VpcId"],
            "SubnetGroupStatus": "Complete",
            "SupportedNetworkTypes": ["IPV4"],
            "Subnets": [
                {
                    "SubnetIdentifier": subnet["SubnetId"],
                    "SubnetAvailabilityZone": {"Name": subnet["AvailabilityZone"]},
                    "SubnetStatus": "Active",
                }
                for subnet in subnets
            ],
        }

    # --- replication instances ----------------------------------------------------------------------------------------
    def create_replication_instance(self, request: Json) -> Json:
        """It is told as "creating", and available when it is described."""
        name = request["ReplicationInstanceIdentifier"].lower()
        refuse_second(self._store.instances, "ReplicationInstanceIdentifier", name)
        group = (
            self._group(request["ReplicationSubnetGroupIdentifier"])
            if "ReplicationSubnetGroupIdentifier" in request
            else None
        )
        arn = self._arn("rep", request.get("ResourceIdentifier") or random_identifier())
        addresses = [self._address(group)] if group else []
        document = {
            "AllocatedStorage": _STORAGE_GIB,
            "EngineVersion": _ENGINE_VERSION,
            "AutoMinorVersionUpgrade": True,
            "MultiAZ": False,
            "PubliclyAccessible": True,
            "NetworkType": "IPV4",
            **taken(request, _INSTANCE),
            "ReplicationInstanceIdentifier": name,
            "ReplicationInstanceArn": arn,
            "ReplicationInstanceStatus": "available",
            "InstanceCreateTime": time.time(),
            "VpcSecurityGroups": _memberships(request.get("VpcSecurityGroupIds", ())),
            "PendingModifiedValues": {},
            "ReplicationInstancePrivateIpAddresses": addresses,
            "ReplicationInstancePublicIpAddresses": [],
            "ReplicationInstanceIpv6Addresses": [],
        }
        if addresses:
            document["ReplicationInstancePrivateIpAddress"] = addresses[0]
        item = self._store.instances[arn] = Item(arn, document, {"group": group.arn if group else ""})
        self._store.tag(arn, request)
        return {"ReplicationInstance": {**self._instance(item), "ReplicationInstanceStatus": "creating"}}

    def modify_replication_instance(self, request: Json) -> Json:
        """At once, whether ApplyImmediately or not: no window ever comes here."""
        item = find(self._store.instances, request["ReplicationInstanceArn"], "Replication instance")
        changes = taken(request, _INSTANCE)
        if name := changes.get("ReplicationInstanceIdentifier"):
            refuse_second(self._store.instances, "ReplicationInstanceIdentifier", name, item.arn)
        _check_upgrade(item.document["EngineVersion"], changes, allowed=request.get("AllowMajorVersionUpgrade", False))
        if "VpcSecurityGroupIds" in request:
            changes["VpcSecurityGroups"] = _memberships(request["VpcSecurityGroupIds"])
        item.document.update(changes)
        return {"ReplicationInstance": self._instance(item)}

    def describe_replication_instances(self, request: Json) -> Json:
        """Filters replication-instance-arn, -id and -class, engine-version."""
        return page((self._instance(item) for item in self._store.instances.values()), request, "ReplicationInstances")

    def delete_replication_instance(self, request: Json) -> Json:
        """Refused while it has tasks."""
        item = find(self._store.instances, request["ReplicationInstanceArn"], "Replication instance")
        for task in self._store.tasks.values():
            if task.document["ReplicationInstanceArn"] == item.arn:
                refuse_now(f"Replication instance {item.arn} has task {task.arn}.")
        self._store.forget(self._store.instances, item.arn)
        for pair in [pair for pair in self._store.connections if pair[0] == item.arn]:
            del self._store.connections[pair]
        return {"ReplicationInstance": {**self._instance(item), "ReplicationInstanceStatus": "deleting"}}

    def _instance(self, item: Item) -> Json:
        group = self._store.subnet_groups.get(item.secret["group"])
        return {**item.document, **({"ReplicationSubnetGroup": group.document} if group else {})}

    def _address(self, group: Item) -> str:
        subnet = group.document["Subnets"][0]["SubnetIdentifier"]
        found = self._clients("ec2").describe_subnets(SubnetIds=[subnet])["Subnets"][0]
        used = len(self._store.instances)
        return str(ipaddress.ip_network(found["CidrBlock"])[100 + used])


def _memberships(groups: Any) -> list[Json]:
    return [{"VpcSecurityGroupId": group, "Status": "active"} for group in groups]


def _check_upgrade(before: str, changes: Json, *, allowed: bool) -> None:
    after = changes.get("EngineVersion", before)
    if before.split(".")[:2] != after.split(".")[:2] and not allowed:
        raise DmsError(
            "InvalidParameterCombinationException",
            "The AllowMajorVersionUpgrade flag must be present when upgrading to a new major version.",
        )
