"""Secrets Manager: secrets, and what ties one to a database."""

from __future__ import annotations

import json
from collections.abc import Mapping
from typing import Any

from botocore.exceptions import ClientError

from localaws.providers.base import Provider, ProviderError
from localaws.providers.shapes import call
from localaws.providers.table import Row
from localaws.providers.tags import Tags
from localaws.providers.work import NOTHING, Custom, Look, Properties, Removal, Setting, Work, custom, is_gone, same

_NOT_OF_THE_PASSWORD = ("GenerateStringKey", "SecretStringTemplate")


def _value(work: Work) -> str:
    """The secret's text: given, or a fresh password, alone or as a member of the template's object.

    https://docs.aws.amazon.com/AWSCloudFormation/latest/TemplateReference/aws-properties-secretsmanager-secret-generatesecretstring.html
    """
    if "SecretString" in work.after:
        return str(work.after["SecretString"])
    rule = work.after["GenerateSecretString"]
    wanted = {name: value for name, value in rule.items() if name not in _NOT_OF_THE_PASSWORD}
    password = str(work.call("GetRandomPassword", wanted)["RandomPassword"])
    if "GenerateStringKey" not in rule:
        return password
    members: dict[str, Any] = json.loads(rule["SecretStringTemplate"])
    return json.dumps(members | {rule["GenerateStringKey"]: password})


def _make(work: Work, values: dict[str, Any]) -> Mapping[str, Any]:
    if {"SecretString", "GenerateSecretString"} & set(work.after):
        values["SecretString"] = _value(work)
    return work.call("CreateSecret", values)


def _put_value(work: Work) -> None:
    """A changed rule makes a fresh password, as a changed text is a new value."""
    if {"SecretString", "GenerateSecretString"} & set(work.after):
        work.call("PutSecretValue", SecretId=work.physical_id, SecretString=_value(work))


# A name is free at once; with a time of grace, the same stack could not be made again for weeks.
# https://docs.aws.amazon.com/AWSCloudFormation/latest/TemplateReference/aws-resource-secretsmanager-secret.html
SECRET = Row(
    type="AWS::SecretsManager::Secret",
    service="secretsmanager",
    make=_make,
    sends=same("Description KmsKeyId Name"),
    named="Name",
    physical="ARN",
    complete=False,
    look=Look(operation="DescribeSecret", key="SecretId", path=""),
    attributes={"Id": ""},
    steps=(
        Setting(
            operation="UpdateSecret",
            key="SecretId",
            sends=same("Description KmsKeyId"),
            defaults={"Description": ""},
        ),
        custom("SecretString GenerateSecretString", "PutSecretValue", _put_value),
    ),
    remove=Removal(operation="DeleteSecret", key="SecretId", fixed={"ForceDeleteWithoutRecovery": True}),
    tags=Tags(tag="TagResource", untag="UntagResource", key="SecretId"),
)

# What an attachment writes into a secret, from the cluster or the instance.
_MEMBERS = ("engine", "host", "port", "dbname", "dbClusterIdentifier", "dbInstanceIdentifier")
_ENGINES = {"aurora-postgresql": "postgres", "aurora-mysql": "mysql"}


def _target(work: Work) -> dict[str, Any]:
    """The members that say where the database is.

    https://docs.aws.amazon.com/secretsmanager/latest/userguide/reference_secret_json_structure.html
    """
    kind, name = work.after["TargetType"], work.after["TargetId"]
    rds = work.clients("rds")
    if kind == "AWS::RDS::DBCluster":
        found = call(rds, "DescribeDBClusters", {"DBClusterIdentifier": name})["DBClusters"][0]
        members = {"host": found["Endpoint"], "port": found["Port"], "dbClusterIdentifier": name}
    elif kind == "AWS::RDS::DBInstance":
        found = call(rds, "DescribeDBInstances", {"DBInstanceIdentifier": name})["DBInstances"][0]
        endpoint = found["Endpoint"]
        members = {"host": endpoint["Address"], "port": endpoint["Port"], "dbInstanceIdentifier": name}
    else:
        raise ProviderError(f"no secret can be attached to a {kind} here", "InvalidRequest")
    members["engine"] = _ENGINES.get(found["Engine"], found["Engine"])
    database = found.get("DatabaseName") or found.get("DBName")
    return members | ({"dbname": database} if database else {})


def _read_secret(work: Work) -> dict[str, Any] | None:
    try:
        text = work.call("GetSecretValue", SecretId=work.after["SecretId"])["SecretString"]
    except ClientError as error:
        if is_gone(error):
            return None
        raise
    members: dict[str, Any] = json.loads(text)
    return members


def _write_secret(work: Work, members: Mapping[str, Any]) -> None:
    work.call("PutSecretValue", SecretId=work.after["SecretId"], SecretString=json.dumps(members))


def _attach(work: Work, _values: Properties = NOTHING) -> Mapping[str, Any]:
    members = _read_secret(work)
    if members is None:
        raise ProviderError(f"{work.after['SecretId']} does not exist", "ResourceNotFoundException")
    kept = {name: value for name, value in members.items() if name not in _MEMBERS}
    _write_secret(work, kept | _target(work))
    return {}


def _detach(work: Work) -> None:
    members = _read_secret(work)
    if members is not None:
        _write_secret(work, {name: value for name, value in members.items() if name not in _MEMBERS})


def _look_at_attachment(work: Work) -> Mapping[str, Any] | None:
    members = _read_secret(work) or {}
    target = members.get("dbClusterIdentifier", members.get("dbInstanceIdentifier"))
    if target is None:
        return None
    kind = "AWS::RDS::DBCluster" if "dbClusterIdentifier" in members else "AWS::RDS::DBInstance"
    return {"SecretId": work.after["SecretId"], "TargetId": target, "TargetType": kind}


ATTACHMENT = Row(
    type="AWS::SecretsManager::SecretTargetAttachment",
    service="secretsmanager",
    make=_attach,
    sends=same("SecretId TargetId TargetType"),
    physical=lambda work: str(work.after["SecretId"]),
    complete=False,
    look=_look_at_attachment,
    attributes={"Id": ""},
    steps=(
        Custom(
            properties=frozenset({"TargetId", "TargetType"}),
            calls={"PutSecretValue": ("SecretId", "SecretString")},
            function=_attach,
        ),
    ),
    remove=_detach,
)

PROVIDERS: Mapping[str, Provider] = {row.type: row for row in (SECRET, ATTACHMENT)}
