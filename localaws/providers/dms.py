"""DMS: replication instances, endpoints and tasks."""

from __future__ import annotations

import time
from collections.abc import Mapping
from typing import Any

from localaws.providers.base import Provider
from localaws.providers.table import Row
from localaws.providers.tags import Tags
from localaws.providers.work import Look, Removal, Setting, Work, custom, same

_POLL_SECONDS = 0.05


def _tags(of: str = "") -> Tags:
    return Tags(
        tag="AddTagsToResource",
        untag="RemoveTagsFromResource",
        key="ResourceArn",
        of=of,
        lists="ListTagsForResource",
        read="TagList",
    )


CERTIFICATE = Row(
    type="AWS::DMS::Certificate",
    service="dms",
    create_operation="ImportCertificate",
    sends=same("CertificateIdentifier CertificatePem CertificateWallet"),
    named="CertificateIdentifier",
    made="Certificate",
    physical="Certificate.CertificateArn",
    look=Look(operation="DescribeCertificates", filter="certificate-arn", path="Certificates.0"),
    remove=Removal(operation="DeleteCertificate", key="CertificateArn"),
)

_ENDPOINT = same(
    "CertificateArn DatabaseName EndpointIdentifier EndpointType EngineName ExtraConnectionAttributes Password Port"
    " ServerName SslMode Username",
    PostgreSqlSettings="PostgreSQLSettings",
)

ENDPOINT = Row(
    type="AWS::DMS::Endpoint",
    service="dms",
    create_operation="CreateEndpoint",
    sends=_ENDPOINT | same("KmsKeyId ResourceIdentifier"),
    named="EndpointIdentifier",
    made="Endpoint",
    physical="Endpoint.EndpointArn",
    look=Look(operation="DescribeEndpoints", filter="endpoint-arn", path="Endpoints.0"),
    attributes={"ExternalId": "ExternalId"},
    # ExactSettings: what the template no longer says shall not stay behind.
    # https://docs.aws.amazon.com/dms/latest/APIReference/API_ModifyEndpoint.html
    steps=(Setting(operation="ModifyEndpoint", key="EndpointArn", sends=_ENDPOINT, fixed={"ExactSettings": True}),),
    remove=Removal(operation="DeleteEndpoint", key="EndpointArn"),
    tags=_tags(),
    reads={"Password": None, "ResourceIdentifier": None},
)

_FIND_SUBNETS = Look(
    operation="DescribeReplicationSubnetGroups", filter="replication-subnet-group-id", path="ReplicationSubnetGroups.0"
)


def _look_at_subnets(work: Work) -> Mapping[str, Any] | None:
    """No answer of the service has the ARN by which its tags go.

    https://docs.aws.amazon.com/dms/latest/userguide/CHAP_Introduction.AWS.ARN.html
    """
    found = _FIND_SUBNETS(work)
    context = work.context
    return found and {
        **found,
        "SubnetIds": [subnet["SubnetIdentifier"] for subnet in found["Subnets"]],
        "Arn": f"arn:aws:dms:{context.region}:{context.account_id}:subgrp:{work.physical_id}",
    }


SUBNETS = Row(
    type="AWS::DMS::ReplicationSubnetGroup",
    service="dms",
    create_operation="CreateReplicationSubnetGroup",
    sends=same("ReplicationSubnetGroupIdentifier ReplicationSubnetGroupDescription SubnetIds"),
    named="ReplicationSubnetGroupIdentifier",
    name_lower=True,
    complete=False,
    look=_look_at_subnets,
    steps=(
        # The operation demands the subnets, changed or not.
        Setting(
            operation="ModifyReplicationSubnetGroup",
            key="ReplicationSubnetGroupIdentifier",
            sends=same("ReplicationSubnetGroupDescription SubnetIds"),
            whole=True,
        ),
    ),
    remove=Removal(operation="DeleteReplicationSubnetGroup", key="ReplicationSubnetGroupIdentifier"),
    tags=_tags("Arn"),
)

_INSTANCE = same(
    "AllocatedStorage AutoMinorVersionUpgrade EngineVersion MultiAZ NetworkType PreferredMaintenanceWindow"
    " ReplicationInstanceClass ReplicationInstanceIdentifier VpcSecurityGroupIds"
)
_FIND_INSTANCE = Look(
    operation="DescribeReplicationInstances", filter="replication-instance-arn", path="ReplicationInstances.0"
)


def _change_instance(work: Work) -> None:
    """AllowMajorVersionUpgrade is leave to change the version, nothing that the instance would keep."""
    values = {name: work.after[name] for name in _INSTANCE if name in work.after and work.changed(name)}
    if values:
        leave = work.after.get("AllowMajorVersionUpgrade", False)
        work.call(
            "ModifyReplicationInstance",
            values,
            ReplicationInstanceArn=work.physical_id,
            ApplyImmediately=True,
            AllowMajorVersionUpgrade=leave,
        )


def _look_at_instance(work: Work) -> Mapping[str, Any] | None:
    found = _FIND_INSTANCE(work)
    return found and {
        **found,
        "VpcSecurityGroupIds": [group["VpcSecurityGroupId"] for group in found["VpcSecurityGroups"]],
        "SubnetGroup": (found.get("ReplicationSubnetGroup") or {}).get("ReplicationSubnetGroupIdentifier"),
    }


INSTANCE = Row(
    type="AWS::DMS::ReplicationInstance",
    service="dms",
    create_operation="CreateReplicationInstance",
    sends=_INSTANCE
    | same("DnsNameServers KmsKeyId PubliclyAccessible ReplicationSubnetGroupIdentifier ResourceIdentifier"),
    named="ReplicationInstanceIdentifier",
    name_limit=63,
    name_lower=True,
    made="ReplicationInstance",
    physical="ReplicationInstance.ReplicationInstanceArn",
    look=_look_at_instance,
    attributes=same("ReplicationInstancePrivateIpAddresses ReplicationInstancePublicIpAddresses"),
    steps=(custom(f"AllowMajorVersionUpgrade {' '.join(_INSTANCE)}", "ModifyReplicationInstance", _change_instance),),
    remove=Removal(operation="DeleteReplicationInstance", key="ReplicationInstanceArn"),
    tags=_tags(),
    reads={
        "AllowMajorVersionUpgrade": None,
        "ReplicationSubnetGroupIdentifier": "SubnetGroup",
        "ResourceIdentifier": None,
    },
)

_REMOVE_TASK = Removal(operation="DeleteReplicationTask", key="ReplicationTaskArn")
_FIND_TASK = Look(operation="DescribeReplicationTasks", filter="replication-task-arn", path="ReplicationTasks.0")


def _remove_task(work: Work) -> None:
    """It is gone once it has left both databases: until then, its endpoints and its instance are in use."""
    _REMOVE_TASK(work)
    while _FIND_TASK(work) is not None:
        time.sleep(_POLL_SECONDS)


_TASK = same(
    "CdcStartPosition CdcStopPosition MigrationType ReplicationTaskIdentifier ReplicationTaskSettings TableMappings"
    " TaskData"
)

# A task that runs can be neither changed nor deleted; CloudFormation does not stop it, it fails.
# https://docs.aws.amazon.com/dms/latest/APIReference/API_ModifyReplicationTask.html
TASK = Row(
    type="AWS::DMS::ReplicationTask",
    service="dms",
    create_operation="CreateReplicationTask",
    sends=_TASK | same("ReplicationInstanceArn ResourceIdentifier SourceEndpointArn TargetEndpointArn"),
    named="ReplicationTaskIdentifier",
    made="ReplicationTask",
    physical="ReplicationTask.ReplicationTaskArn",
    look=_FIND_TASK,
    attributes={"ReplicationTaskArn": ""},
    steps=(Setting(operation="ModifyReplicationTask", key="ReplicationTaskArn", sends=_TASK),),
    remove=_remove_task,
    tags=_tags(),
    reads={"ResourceIdentifier": None},
)

PROVIDERS: Mapping[str, Provider] = {row.type: row for row in (CERTIFICATE, ENDPOINT, SUBNETS, INSTANCE, TASK)}
