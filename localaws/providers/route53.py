"""Route 53: zones that stand inside networks, and their records."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

from localaws.providers.base import Provider
from localaws.providers.table import Row
from localaws.providers.tags import Tags
from localaws.providers.work import Custom, Look, Removal, Work, same


def _networks(side: Mapping[str, Any]) -> list[dict[str, Any]]:
    """The networks of a zone, in the API's names."""
    return [{"VPCId": vpc["VPCId"], "VPCRegion": vpc["VPCRegion"]} for vpc in side.get("VPCs") or ()]


def _make(work: Work, values: dict[str, Any]) -> Mapping[str, Any]:
    """A zone is born with one network, which makes it private; the others are let in by the step below.

    https://docs.aws.amazon.com/Route53/latest/APIReference/API_CreateHostedZone.html
    """
    networks = _networks(work.after)
    asked = {"Name": values["Name"], "CallerReference": work.context.unique_name}
    config = dict(values.get("HostedZoneConfig") or {})
    if networks:
        asked["VPC"] = networks[0]
        config["PrivateZone"] = True
    if config:
        asked["HostedZoneConfig"] = config
    answer = work.call("CreateHostedZone", asked)
    return {"Id": answer["HostedZone"]["Id"].rpartition("/")[2]}


def _look(work: Work) -> Mapping[str, Any] | None:
    found = Look(operation="GetHostedZone", key="Id", path="")(work)
    return found and {
        "Name": found["HostedZone"]["Name"],
        "HostedZoneConfig": found["HostedZone"].get("Config", {}),
        "NameServers": found.get("DelegationSet", {}).get("NameServers"),
        "VPCs": found.get("VPCs", []),
    }


def _put_networks(work: Work) -> None:
    """New ones first: a private zone must never be without. It is born with the first."""
    new = _networks(work.after)
    old = _networks(work.before) or new[:1]
    for operation, networks in (
        ("AssociateVPCWithHostedZone", [network for network in new if network not in old]),
        ("DisassociateVPCFromHostedZone", [network for network in old if network not in new]),
    ):
        for network in networks:
            work.call(operation, HostedZoneId=work.physical_id, VPC=network)


def _put_comment(work: Work) -> None:
    config = work.after.get("HostedZoneConfig") or {}
    work.call("UpdateHostedZoneComment", Id=work.physical_id, Comment=config.get("Comment", ""))


def _zone_name(work: Work) -> Mapping[str, Any]:
    """The service writes the dot that stands for the root, a template need not."""
    given, told = str(work.after["Name"]), str(work.entity["Name"])
    return {"Name": given if given.rstrip(".") == told.rstrip(".") else told}


ZONE = Row(
    type="AWS::Route53::HostedZone",
    service="route53",
    make=_make,
    sends=same("HostedZoneConfig Name VPCs"),
    physical="Id",
    complete=False,
    look=_look,
    attributes={"Id": "", "NameServers": "NameServers"},
    steps=(
        Custom(
            properties=frozenset({"VPCs"}),
            calls={
                "AssociateVPCWithHostedZone": ("HostedZoneId", "VPC"),
                "DisassociateVPCFromHostedZone": ("HostedZoneId", "VPC"),
            },
            function=_put_networks,
            creates=True,
        ),
        Custom(
            properties=frozenset({"HostedZoneConfig"}),
            calls={"UpdateHostedZoneComment": ("Id", "Comment")},
            function=_put_comment,
        ),
    ),
    remove=Removal(operation="DeleteHostedZone", key="Id"),
    tags=Tags(
        property="HostedZoneTags",
        create=None,
        tag="ChangeTagsForResource",
        untag="ChangeTagsForResource",
        key="ResourceId",
        tags="AddTags",
        keys="RemoveTagKeys",
        fixed={"ResourceType": "hostedzone"},
        lists="ListTagsForResource",
        read="ResourceTagSet.Tags",
    ),
    extend=_zone_name,
)


def _record(side: Mapping[str, Any]) -> dict[str, Any]:
    """A record set of a template, in the API's form."""
    record = {name: side[name] for name in ("Name", "Type", "TTL", "AliasTarget") if name in side}
    if "ResourceRecords" in side:
        record["ResourceRecords"] = [{"Value": value} for value in side["ResourceRecords"]]
    return record


def _change(work: Work, action: str, side: Mapping[str, Any]) -> None:
    change = {"Action": action, "ResourceRecordSet": _record(side)}
    work.call("ChangeResourceRecordSets", HostedZoneId=side["HostedZoneId"], ChangeBatch={"Changes": [change]})


def _make_record(work: Work, _values: Mapping[str, Any]) -> Mapping[str, Any]:
    _change(work, "CREATE", work.after)
    return {}


def _update_record(work: Work) -> None:
    """A record with another name or kind is another record; the old one goes once the new one is there."""
    _change(work, "UPSERT", work.after)
    if work.changed("Name", "Type"):
        _change(work, "DELETE", work.before)


def _look_at_record(work: Work) -> Mapping[str, Any] | None:
    find = Look(operation="ListResourceRecordSets", key="HostedZoneId", path="")
    found = find(work.at(work.after["HostedZoneId"])) or {"ResourceRecordSets": []}
    name = str(work.after["Name"]).rstrip(".").lower()
    for record in found["ResourceRecordSets"]:
        if record["Name"].rstrip(".").lower() == name and record["Type"] == work.after["Type"]:
            values = [value["Value"] for value in record.get("ResourceRecords", ())]
            return {**record, "ResourceRecords": values, "Name": work.after["Name"]}
    return None


def _delete_record(work: Work) -> None:
    if _look_at_record(work) is not None:
        _change(work, "DELETE", work.after)


RECORD = Row(
    type="AWS::Route53::RecordSet",
    service="route53",
    make=_make_record,
    sends=same("AliasTarget HostedZoneId Name ResourceRecords TTL Type"),
    physical=lambda work: str(work.after["Name"]),
    complete=False,
    look=_look_at_record,
    steps=(
        Custom(
            properties=frozenset({"AliasTarget", "Name", "ResourceRecords", "TTL", "Type"}),
            calls={"ChangeResourceRecordSets": ("HostedZoneId", "ChangeBatch")},
            function=_update_record,
        ),
    ),
    remove=_delete_record,
    reads={"HostedZoneId": None},
)

PROVIDERS: Mapping[str, Provider] = {row.type: row for row in (ZONE, RECORD)}
