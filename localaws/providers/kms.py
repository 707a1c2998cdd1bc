"""KMS: keys and their aliases."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

from localaws.providers.base import Provider
from localaws.providers.table import Row
from localaws.providers.tags import Tags
from localaws.providers.work import Custom, Look, Removal, Setting, Work, same


def _put_rotation(work: Work) -> None:
    if str(work.after.get("EnableKeyRotation", False)).lower() == "true":
        period = {key: work.after[key] for key in ("RotationPeriodInDays",) if key in work.after}
        work.call("EnableKeyRotation", period, KeyId=work.physical_id)
    elif work.before:
        work.call("DisableKeyRotation", KeyId=work.physical_id)


def _put_enabled(work: Work) -> None:
    enabled = str(work.after.get("Enabled", True)).lower() == "true"
    if not enabled or work.before:
        work.call("EnableKey" if enabled else "DisableKey", KeyId=work.physical_id)


def _schedule_deletion(work: Work) -> None:
    """A key is never deleted at once: it waits, and counts as gone.

    https://docs.aws.amazon.com/kms/latest/developerguide/deleting-keys.html
    """
    window = {"PendingWindowInDays": work.after.get("PendingWindowInDays", 30)}
    Removal(operation="ScheduleKeyDeletion", key="KeyId", fixed=window, asks=True)(work)


def _key_extras(work: Work) -> Mapping[str, Any]:
    told: dict[str, Any] = {}
    if "KeyPolicy" in work.after:
        told["KeyPolicy"] = work.call("GetKeyPolicy", KeyId=work.physical_id, PolicyName="default")["Policy"]
    if "EnableKeyRotation" in work.after:
        told["EnableKeyRotation"] = work.call("GetKeyRotationStatus", KeyId=work.physical_id)["KeyRotationEnabled"]
    return told


KEY = Row(
    type="AWS::KMS::Key",
    service="kms",
    create_operation="CreateKey",
    sends=same("Description KeySpec KeyUsage MultiRegion Origin", KeyPolicy="Policy"),
    made="KeyMetadata",
    physical="KeyMetadata.KeyId",
    look=Look(
        operation="DescribeKey",
        key="KeyId",
        path="KeyMetadata",
        dead=("KeyState", frozenset({"PendingDeletion", "PendingReplicaDeletion"})),
    ),
    attributes={"Arn": "Arn", "KeyId": ""},
    steps=(
        Setting(
            operation="UpdateKeyDescription",
            key="KeyId",
            sends=same("Description"),
            defaults={"Description": ""},
        ),
        Setting(operation="PutKeyPolicy", key="KeyId", sends={"KeyPolicy": "Policy"}, fixed={"PolicyName": "default"}),
        Custom(
            properties=frozenset({"EnableKeyRotation", "RotationPeriodInDays"}),
            calls={"EnableKeyRotation": ("KeyId", "RotationPeriodInDays"), "DisableKeyRotation": ("KeyId",)},
            function=_put_rotation,
            creates=True,
        ),
        Custom(
            properties=frozenset({"Enabled"}),
            calls={"EnableKey": ("KeyId",), "DisableKey": ("KeyId",)},
            function=_put_enabled,
            creates=True,
        ),
    ),
    remove=_schedule_deletion,
    tags=Tags(
        tag="TagResource",
        untag="UntagResource",
        key="KeyId",
        names=("TagKey", "TagValue"),
        lists="ListResourceTags",
    ),
    extend=_key_extras,
    unchangeable=frozenset({"KeySpec", "KeyUsage", "MultiRegion", "Origin"}),
    ignored={"PendingWindowInDays": "only the deletion takes it, and is given it"},
)


def _look_at_alias(work: Work) -> Mapping[str, Any] | None:
    for page in work.client.get_paginator("list_aliases").paginate():
        for alias in page["Aliases"]:
            if alias["AliasName"] == work.physical_id:
                return dict(alias)
    return None


ALIAS = Row(
    type="AWS::KMS::Alias",
    service="kms",
    create_operation="CreateAlias",
    sends=same("AliasName TargetKeyId"),
    named="AliasName",
    look=_look_at_alias,
    steps=(Setting(operation="UpdateAlias", key="AliasName", sends=same("TargetKeyId")),),
    remove=Removal(operation="DeleteAlias", key="AliasName"),
)

PROVIDERS: Mapping[str, Provider] = {row.type: row for row in (KEY, ALIAS)}
