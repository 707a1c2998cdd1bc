"""RDS: parameter groups, subnet groups and subscriptions to events."""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from typing import Any

from localaws.providers.base import Provider
from localaws.providers.rds import rds_tags
from localaws.providers.table import Row
from localaws.providers.work import Custom, Look, Removal, Setting, Work, custom, same

# https://docs.aws.amazon.com/AmazonRDS/latest/APIReference/API_ModifyDBParameterGroup.html
_PER_CALL = 20


def _batches(items: list[Any]) -> Iterator[list[Any]]:
    for start in range(0, len(items), _PER_CALL):
        yield items[start : start + _PER_CALL]


def _parameter_group(kind: str, verbs: str, key: str) -> Row:
    """The type of a parameter group of clusters or of instances: `verbs` is how its operations go on."""

    def put(work: Work) -> None:
        old, new = (side.get("Parameters") or {} for side in (work.before, work.after))
        gone = [{"ParameterName": name, "ApplyMethod": "pending-reboot"} for name in old if name not in new]
        fresh = [
            {"ParameterName": name, "ParameterValue": value, "ApplyMethod": "pending-reboot"}
            for name, value in new.items()
            if old.get(name) != value
        ]
        for operation, parameters in ((f"Reset{verbs}", gone), (f"Modify{verbs}", fresh)):
            for batch in _batches(parameters):
                work.call(operation, {key: work.physical_id, "Parameters": batch})

    def parameters(work: Work) -> Mapping[str, Any]:
        describe = f"Describe{verbs.removesuffix('Group')}s"
        told = work.call(describe, {key: work.physical_id, "Source": "user"})["Parameters"]
        return {"Parameters": {each["ParameterName"]: each["ParameterValue"] for each in told}}

    return Row(
        type=f"AWS::RDS::{kind}",
        service="rds",
        create_operation=f"Create{verbs}",
        sends={key: key, "Family": "DBParameterGroupFamily", "Description": "Description"},
        named=key,
        name_lower=True,
        made=verbs,
        look=Look(operation=f"Describe{verbs}s", key=key, path=f"{verbs}s.0"),
        attributes={} if kind == "DBClusterParameterGroup" else {"DBParameterGroupArn": "DBParameterGroupArn"},
        steps=(
            Custom(
                properties=frozenset({"Parameters"}),
                calls={f"{verb}{verbs}": (key, "Parameters") for verb in ("Modify", "Reset")},
                function=put,
                creates=True,
            ),
        ),
        remove=Removal(operation=f"Delete{verbs}", key=key),
        tags=rds_tags(f"{verbs}Arn"),
        extend=parameters,
    )


CLUSTER_PARAMETERS = _parameter_group(
    "DBClusterParameterGroup", "DBClusterParameterGroup", "DBClusterParameterGroupName"
)
PARAMETERS = _parameter_group("DBParameterGroup", "DBParameterGroup", "DBParameterGroupName")

_FIND_SUBNETS = Look(operation="DescribeDBSubnetGroups", key="DBSubnetGroupName", path="DBSubnetGroups.0")


def _look_at_subnets(work: Work) -> Mapping[str, Any] | None:
    found = _FIND_SUBNETS(work)
    return found and {**found, "SubnetIds": [subnet["SubnetIdentifier"] for subnet in found["Subnets"]]}


SUBNETS = Row(
    type="AWS::RDS::DBSubnetGroup",
    service="rds",
    create_operation="CreateDBSubnetGroup",
    sends=same("DBSubnetGroupName DBSubnetGroupDescription SubnetIds"),
    named="DBSubnetGroupName",
    name_lower=True,
    made="DBSubnetGroup",
    look=_look_at_subnets,
    attributes={"DBSubnetGroupArn": "DBSubnetGroupArn"},
    steps=(
        # The operation demands the subnets, changed or not.
        Setting(
            operation="ModifyDBSubnetGroup",
            key="DBSubnetGroupName",
            sends=same("DBSubnetGroupDescription SubnetIds"),
            whole=True,
        ),
    ),
    remove=Removal(operation="DeleteDBSubnetGroup", key="DBSubnetGroupName"),
    tags=rds_tags("DBSubnetGroupArn"),
)


def _change_sources(work: Work) -> None:
    """Sources come and go one by one.

    https://docs.aws.amazon.com/AmazonRDS/latest/APIReference/API_ModifyEventSubscription.html
    """
    old, new = (side.get("SourceIds") or [] for side in (work.before, work.after))
    for operation, sources in (
        ("AddSourceIdentifierToSubscription", [source for source in new if source not in old]),
        ("RemoveSourceIdentifierFromSubscription", [source for source in old if source not in new]),
    ):
        for source in sources:
            work.call(operation, SubscriptionName=work.physical_id, SourceIdentifier=source)


SUBSCRIPTION = Row(
    type="AWS::RDS::EventSubscription",
    service="rds",
    create_operation="CreateEventSubscription",
    sends=same("SubscriptionName SnsTopicArn SourceType EventCategories SourceIds Enabled"),
    named="SubscriptionName",
    made="EventSubscription",
    look=Look(operation="DescribeEventSubscriptions", key="SubscriptionName", path="EventSubscriptionsList.0"),
    steps=(
        Setting(
            operation="ModifyEventSubscription",
            key="SubscriptionName",
            sends=same("SourceType EventCategories Enabled"),
            defaults={"Enabled": True},
        ),
        custom(
            "SourceIds", "AddSourceIdentifierToSubscription RemoveSourceIdentifierFromSubscription", _change_sources
        ),
    ),
    remove=Removal(operation="DeleteEventSubscription", key="SubscriptionName"),
    tags=rds_tags("EventSubscriptionArn"),
    reads={
        "SubscriptionName": "CustSubscriptionId",
        "EventCategories": "EventCategoriesList",
        "SourceIds": "SourceIdsList",
    },
)

PROVIDERS: Mapping[str, Provider] = {row.type: row for row in (CLUSTER_PARAMETERS, PARAMETERS, SUBNETS, SUBSCRIPTION)}
