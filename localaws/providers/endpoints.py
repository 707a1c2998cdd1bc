"""EC2: endpoints of AWS services inside a network."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

from localaws.providers.base import Provider
from localaws.providers.network import ec2_tags
from localaws.providers.table import Row
from localaws.providers.work import Look, Removal, Setting, Work, custom, same

_LISTS = ("RouteTableIds", "SubnetIds", "SecurityGroupIds")
_FIND = Look(
    operation="DescribeVpcEndpoints",
    key="VpcEndpointIds[]",
    path="VpcEndpoints.0",
    dead=("State", frozenset({"deleted", "deleting"})),
)


def _look(work: Work) -> Mapping[str, Any] | None:
    found = _FIND(work)
    return found and {
        **found,
        "SecurityGroupIds": [group["GroupId"] for group in found.get("Groups", ())],
        # https://docs.aws.amazon.com/AWSCloudFormation/latest/TemplateReference/aws-resource-ec2-vpcendpoint.html
        "DnsEntryList": [f"{each['HostedZoneId']}:{each['DnsName']}" for each in found.get("DnsEntries", ())],
        "Created": str(found["CreationTimestamp"]),
    }


def _change_lists(work: Work) -> None:
    """What is new is added and what is gone removed; the lists are never sent as a whole."""
    values = {}
    for name in _LISTS:
        old, new = (side.get(name) or () for side in (work.before, work.after))
        values[f"Add{name}"] = [item for item in new if item not in old]
        values[f"Remove{name}"] = [item for item in old if item not in new]
    work.call("ModifyVpcEndpoint", {k: v for k, v in values.items() if v}, VpcEndpointId=work.physical_id)


def _change_policy(work: Work) -> None:
    """A policy that the template no longer gives becomes the service's own again."""
    policy = work.after.get("PolicyDocument")
    asked = {"ResetPolicy": True} if policy is None else {"PolicyDocument": policy}
    work.call("ModifyVpcEndpoint", asked, VpcEndpointId=work.physical_id)


ENDPOINT = Row(
    type="AWS::EC2::VPCEndpoint",
    service="ec2",
    create_operation="CreateVpcEndpoint",
    sends=same(f"VpcId ServiceName VpcEndpointType PolicyDocument PrivateDnsEnabled {' '.join(_LISTS)}"),
    physical="VpcEndpoint.VpcEndpointId",
    complete=False,
    look=_look,
    attributes={
        "Id": "",
        "NetworkInterfaceIds": "NetworkInterfaceIds",
        "DnsEntries": "DnsEntryList",
        "CreationTimestamp": "Created",
    },
    steps=(
        custom(" ".join(_LISTS), "ModifyVpcEndpoint", _change_lists),
        custom("PolicyDocument", "ModifyVpcEndpoint", _change_policy),
        Setting(operation="ModifyVpcEndpoint", key="VpcEndpointId", sends=same("PrivateDnsEnabled")),
    ),
    remove=Removal(operation="DeleteVpcEndpoints", key="VpcEndpointIds[]"),
    tags=ec2_tags("vpc-endpoint"),
)

PROVIDERS: Mapping[str, Provider] = {ENDPOINT.type: ENDPOINT}
