"""A payment system in miniature, as templates; a reader of pictures; and the real trees."""

from __future__ import annotations

import copy
import re
import xml.etree.ElementTree as ET
from collections.abc import Callable, Iterator
from dataclasses import dataclass, field
from itertools import pairwise
from pathlib import Path
from typing import Any

import pytest

from compiler.bundle import Bundle, Connection
from compiler.linking import link
from settings.load import load
from templates.root import system

ROOT = Path(__file__).parents[4]
SVG = "{http://www.w3.org/2000/svg}"
Resources = dict[str, Any]
Change = Callable[[dict[str, Resources]], None]


def resource(kind: str, **properties: Any) -> dict[str, Any]:
    return {"Type": kind, "Properties": properties}


def _network(nats: int, *, vpn: bool) -> Resources:
    made: Resources = {
        "Vpc": resource("AWS::EC2::VPC", CidrBlock="10.0.0.0/16"),
        "InternetGateway": resource("AWS::EC2::InternetGateway"),
        "PublicRouteTable": resource("AWS::EC2::RouteTable"),
        "PublicDefaultRoute": resource(
            "AWS::EC2::Route",
            RouteTableId={"Ref": "PublicRouteTable"},
            DestinationCidrBlock="0.0.0.0/0",
            GatewayId={"Ref": "InternetGateway"},
        ),
        "FlowLog": resource("AWS::EC2::FlowLog", ResourceId={"Ref": "Vpc"}),
    }
    for zone in (1, 2, 3):
        for access, block in (("Public", zone), ("Private", zone + 10)):
            made[f"{access}Subnet{zone}"] = resource(
                "AWS::EC2::Subnet", CidrBlock=f"10.0.{block}.0/24", AvailabilityZoneId=f"use1-az{zone}"
            )
            table = "PublicRouteTable" if access == "Public" else f"PrivateRouteTable{zone}"
            made[f"{access}Association{zone}"] = resource(
                "AWS::EC2::SubnetRouteTableAssociation",
                SubnetId={"Ref": f"{access}Subnet{zone}"},
                RouteTableId={"Ref": table},
            )
        made[f"PrivateRouteTable{zone}"] = resource("AWS::EC2::RouteTable")
        made[f"PrivateDefaultRoute{zone}"] = resource(
            "AWS::EC2::Route",
            RouteTableId={"Ref": f"PrivateRouteTable{zone}"},
            DestinationCidrBlock="0.0.0.0/0",
            NatGatewayId={"Ref": f"NatGateway{zone if nats == 3 else 1}"},
        )
        if zone <= nats:
            made[f"NatGateway{zone}"] = resource("AWS::EC2::NatGateway", SubnetId={"Ref": f"PublicSubnet{zone}"})
    tables = [{"Ref": f"PrivateRouteTable{zone}"} for zone in (1, 2, 3)]
    made["S3Endpoint"] = resource(
        "AWS::EC2::VPCEndpoint", ServiceName="com.amazonaws.us-east-1.s3", RouteTableIds=tables
    )
    if vpn:
        made["CustomerGateway"] = resource("AWS::EC2::CustomerGateway", IpAddress="203.0.113.20", BgpAsn=65020)
        made["VpnGateway"] = resource("AWS::EC2::VPNGateway")
        made["VpnConnection"] = resource("AWS::EC2::VPNConnection", VpnGatewayId={"Ref": "VpnGateway"})
        made["VpnRoutes"] = resource(
            "AWS::EC2::VPNGatewayRoutePropagation",
            VpnGatewayId={"Ref": "VpnGateway"},
            RouteTableIds=[{"Ref": "PublicRouteTable"}, *tables],
        )
    return made


_RULES = (
    ("Ingress", "LoadBalancer", {"CidrIp": "0.0.0.0/0"}, 443, "clients pay"),
    ("Egress", "LoadBalancer", {"DestinationSecurityGroupId": "Service"}, 8443, "requests"),
    ("Ingress", "Service", {"SourceSecurityGroupId": "LoadBalancer"}, 8443, "requests"),
    ("Egress", "LoadBalancer", {"CidrIp": "192.168.20.10/32"}, 8443, "share of the data centre"),
    ("Egress", "Service", {"DestinationSecurityGroupId": "Database"}, 5432, "payments"),
    ("Ingress", "Database", {"SourceSecurityGroupId": "Service"}, 5432, "payments"),
    ("Egress", "Dms", {"DestinationSecurityGroupId": "Database"}, 5432, "replicates"),
    ("Ingress", "Database", {"SourceSecurityGroupId": "Dms"}, 5432, "replicates"),
    ("Egress", "Dms", {"CidrIp": "192.168.0.0/16"}, 5432, "replicates"),
    ("Egress", "Validator", {"DestinationSecurityGroupId": "Database"}, 5432, "compares"),
    ("Ingress", "Database", {"SourceSecurityGroupId": "Validator"}, 5432, "compares"),
    ("Egress", "Service", {"DestinationSecurityGroupId": "Endpoints"}, 443, "calls AWS"),
    ("Egress", "Dms", {"DestinationSecurityGroupId": "Endpoints"}, 443, "calls AWS"),
    ("Egress", "Service", {"DestinationPrefixListId": "pl-1234"}, 443, "image layers"),
)
GROUPS = ("LoadBalancer", "Service", "Database", "Dms", "Validator", "Endpoints")
_NOWHERE = [{"IpProtocol": "-1", "CidrIp": "127.0.0.1/32"}]


def _security() -> Resources:
    made: Resources = {}
    for name in GROUPS:
        made[name] = resource(
            "AWS::EC2::SecurityGroup", GroupName=f"payments-dev-{name.lower()}", SecurityGroupEgress=_NOWHERE
        )
    made["Endpoints"]["Properties"]["SecurityGroupIngress"] = [
        {"IpProtocol": "tcp", "FromPort": 443, "ToPort": 443, "CidrIp": f"10.0.{block}.0/24"} for block in (11, 12, 13)
    ]
    for direction, group, peer, port, reason in _RULES:
        ends = {key: {"Fn::GetAtt": [value, "GroupId"]} if value in GROUPS else value for key, value in peer.items()}
        (other,) = peer.values()
        name = f"{group}{direction}{other}{port}"
        made["".join(char for char in name if char.isalnum())] = resource(
            f"AWS::EC2::SecurityGroup{direction}",
            GroupId={"Fn::GetAtt": [group, "GroupId"]},
            IpProtocol="tcp",
            FromPort=port,
            ToPort=port,
            Description=reason,
            **ends,
        )
    return made


_PRIVATE = [{"Ref": f"PrivateSubnet{zone}Id"} for zone in (1, 2, 3)]
_PUBLIC = [{"Ref": f"PublicSubnet{zone}Id"} for zone in (1, 2, 3)]


def _application() -> Resources:
    made = {
        "Balancer": resource(
            "AWS::ElasticLoadBalancingV2::LoadBalancer",
            Name="payments-dev-alb",
            Subnets=_PUBLIC,
            SecurityGroups=[{"Ref": "LoadBalancerGroupId"}],
        ),
        "Listener": resource(
            "AWS::ElasticLoadBalancingV2::Listener", LoadBalancerArn={"Ref": "Balancer"}, Protocol="HTTPS", Port=443
        ),
        "DataCenterTargets": resource(
            "AWS::ElasticLoadBalancingV2::TargetGroup", Port=8443, Targets=[{"Id": "192.168.20.10", "Port": 8443}]
        ),
        "Service": resource(
            "AWS::ECS::Service",
            ServiceName="payments-dev-service",
            LaunchType="FARGATE",
            DesiredCount=3,
            NetworkConfiguration={
                "AwsvpcConfiguration": {"Subnets": _PRIVATE, "SecurityGroups": [{"Ref": "ServiceGroupId"}]}
            },
        ),
        "SubnetGroup": resource("AWS::RDS::DBSubnetGroup", SubnetIds=_PRIVATE),
        "Cluster": resource(
            "AWS::RDS::DBCluster",
            DBClusterIdentifier="payments-dev-database",
            Engine="aurora-postgresql",
            EngineVersion="17.7",
            StorageEncrypted=True,
            BackupRetentionPeriod=7,
            DBSubnetGroupName={"Ref": "SubnetGroup"},
            VpcSecurityGroupIds=[{"Ref": "DatabaseGroupId"}],
        ),
        "ReplicationSubnets": resource("AWS::DMS::ReplicationSubnetGroup", SubnetIds=_PRIVATE),
        "Replication": resource(
            "AWS::DMS::ReplicationInstance",
            ReplicationInstanceIdentifier="payments-dev-replication",
            ReplicationInstanceClass="dms.t3.medium",
            PubliclyAccessible=False,
            ReplicationSubnetGroupIdentifier={"Ref": "ReplicationSubnets"},
            VpcSecurityGroupIds=[{"Ref": "DmsGroupId"}],
        ),
        "Forward": resource(
            "AWS::DMS::ReplicationTask",
            MigrationType="full-load-and-cdc",
            ReplicationInstanceArn={"Ref": "Replication"},
        ),
        "Validator": resource(
            "AWS::Lambda::Function",
            FunctionName="payments-dev-validator",
            Runtime="python3.13",
            VpcConfig={"SubnetIds": _PRIVATE, "SecurityGroupIds": [{"Ref": "ValidatorGroupId"}]},
        ),
        "SourceSecret": resource(
            "AWS::SecretsManager::Secret",
            Name="payments/dev/source-dms",
            GenerateSecretString={
                "SecretStringTemplate": '{"engine":"postgres","host":"db.datacenter.example","port":5432}'
            },
        ),
        "Reports": resource("AWS::S3::Bucket", BucketName={"Fn::Sub": "payments-dev-reports-${AWS::AccountId}"}),
    }
    for zone, (name, waits) in enumerate((("Writer", []), ("Reader1", ["Writer"]), ("Reader2", ["Writer"])), start=1):
        made[name] = resource(
            "AWS::RDS::DBInstance",
            DBClusterIdentifier={"Ref": "Cluster"},
            DBInstanceClass="db.t4g.medium",
            AvailabilityZone={"Ref": f"Zone{zone}"},
        ) | {"DependsOn": waits}
    for service in ("secretsmanager", "logs"):
        made[f"{service.capitalize()}Endpoint"] = resource(
            "AWS::EC2::VPCEndpoint",
            VpcEndpointType="Interface",
            ServiceName={"Fn::Sub": f"com.amazonaws.${{AWS::Region}}.{service}"},
            SubnetIds=_PRIVATE,
            SecurityGroupIds=[{"Ref": "EndpointsGroupId"}],
        )
    return made


def miniature(change: Change | None = None, *, nats: int = 1, vpn: bool = False, suffix: str = "dev") -> Bundle:
    """network → security → application; `change` may rewrite the resources, by tier, before they are wired."""
    tiers = {"network": _network(nats, vpn=vpn), "security": _security(), "application": _application()}
    tiers = copy.deepcopy(tiers)
    if change:
        change(tiers)
    outputs: dict[str, dict[str, Any]] = {"network": {}, "security": {}, "application": {}}
    wires: list[Connection] = []

    def give(tier: str, name: str, value: Any, kind: str) -> None:
        outputs[tier][name] = {"Value": value}
        wires.append(Connection(tier, name, "application", name, kind))

    for zone in (1, 2, 3):
        for access in ("Public", "Private"):
            give("network", f"{access}Subnet{zone}Id", {"Ref": f"{access}Subnet{zone}"}, "SubnetId")
        give("network", f"Zone{zone}", {"Fn::GetAtt": [f"PrivateSubnet{zone}", "AvailabilityZone"]}, "AvailabilityZone")
    for group in GROUPS:
        give("security", f"{group}GroupId", {"Fn::GetAtt": [group, "GroupId"]}, "SecurityGroupId")
    outputs["network"]["VpcId"] = {"Value": {"Ref": "Vpc"}}
    wires.append(Connection("network", "VpcId", "security", "VpcId", "VpcId"))
    templates: dict[str, Any] = {
        tier: {"Resources": resources, "Outputs": outputs[tier]} for tier, resources in tiers.items()
    }
    templates["root"] = {
        "Resources": {
            tier.capitalize(): resource("AWS::CloudFormation::Stack", TemplateURL=f"{tier}.template.json")
            for tier in tiers
        },
        "Outputs": {"VPCId": {"Value": {"Fn::GetAtt": ["Network", "Outputs.VpcId"]}}},
    }
    templates["account"] = {"Resources": {"DmsVpcRole": resource("AWS::IAM::Role", RoleName="dms-vpc-role")}}
    return Bundle(suffix, templates, tuple(wires))


@pytest.fixture
def small() -> Callable[..., Bundle]:
    return miniature


@pytest.fixture(scope="session", params=["dev", "staging", "prod"])
def real(request: pytest.FixtureRequest) -> Bundle:
    """The tree of a real environment."""
    settings = load(ROOT / "params", request.param, None, {})
    return link(system(settings), settings)


# --- reading a picture -----------------------------------------------------------------------------------------------
Rectangle = tuple[float, float, float, float]


@dataclass(slots=True)
class Picture:
    """An SVG as its reader sees it: rectangles by class, texts with their extent, lines by group, data of groups."""

    size: tuple[float, float]
    rectangles: dict[str, list[Rectangle]] = field(default_factory=dict)
    texts: list[tuple[str, Rectangle]] = field(default_factory=list)
    lines: list[tuple[dict[str, str], list[tuple[float, float]]]] = field(default_factory=list)
    groups: dict[str, list[dict[str, str]]] = field(default_factory=dict)
    heads: int = 0
    title: str = ""
    description: str = ""
    root: ET.Element = field(default_factory=lambda: ET.Element("svg"))

    def words(self) -> str:
        return "\n".join(text for text, _ in self.texts)

    def paths(self) -> dict[tuple[str, str, str], str]:
        """The paths drawn: (source, target, ports) → state."""
        return {(g["source"], g["target"], g["ports"]): g["state"] for g in self.groups.get("path", [])}


def read_picture(svg: str) -> Picture:
    root = ET.fromstring(svg)
    picture = Picture((float(root.attrib["width"]), float(root.attrib["height"])), root=root)
    picture.title = root.findtext(f"{SVG}title") or ""
    picture.description = root.findtext(f"{SVG}desc") or ""
    for element, data in _walk(root, {}):
        tag = element.tag.removeprefix(SVG)
        name = element.get("class", "")
        if tag == "g":
            own = {key.removeprefix("data-"): value for key, value in element.attrib.items() if key.startswith("data-")}
            picture.groups.setdefault(name, []).append({**own, "title": element.findtext(f"{SVG}title") or ""})
        elif tag == "rect" and name:
            x, y, width, height = (float(element.attrib[key]) for key in ("x", "y", "width", "height"))
            picture.rectangles.setdefault(name, []).append((x, y, x + width, y + height))
        elif tag == "text":
            picture.texts.append((element.text or "", _extent(element)))
        elif tag == "path" and name == "line":
            picture.lines.append((data, _points(element.attrib["d"])))
        elif tag == "polygon":
            picture.heads += 1
    return picture


def _walk(element: ET.Element, data: dict[str, str]) -> Iterator[tuple[ET.Element, dict[str, str]]]:
    for child in element:
        inner = {**data, **child.attrib} if child.tag == f"{SVG}g" else data
        yield child, inner
        yield from _walk(child, inner)


def _extent(element: ET.Element) -> Rectangle:
    """What a text covers: from the height of its capitals to its base line."""
    x, y, size, length = (float(element.attrib[key]) for key in ("x", "y", "font-size", "textLength"))
    left = {"middle": x - length / 2, "end": x - length}.get(element.get("text-anchor", ""), x)
    box = (left, y - size * 0.72, left + length, y)
    if "transform" in element.attrib:
        return (x - (box[3] - y), y + (box[0] - x), x + (y - box[1]), y + (box[2] - x))
    return box


def _points(data: str) -> list[tuple[float, float]]:
    """The corners of a path: those of curves are their control points."""
    points = []
    for command, numbers in re.findall(r"([MLQ])([^MLQ]*)", data):
        values = [float(value) for value in numbers.split()]
        points.append((values[0], values[1]))
        if command == "Q":
            points.append((values[2], values[3]))
    return points


@pytest.fixture
def read() -> Callable[[str], Picture]:
    return read_picture


def overlap(a: Rectangle, b: Rectangle, margin: float = 0) -> bool:
    return a[0] + margin < b[2] and b[0] + margin < a[2] and a[1] + margin < b[3] and b[1] + margin < a[3]


def faults(picture: Picture, passable: tuple[str, ...] = ()) -> list[str]:
    """What would trouble the eye: boxes or labels over each other, text that runs into text or out of the picture.

    Boxes in a group named in `passable` may be crossed by lines.
    """
    boxes = _boxes(picture.root, "")
    found = []
    for index, (kind, box) in enumerate(boxes):
        found += [f"{kind} {box} over {other} {b}" for other, b in boxes[index + 1 :] if overlap(box, b, 0.5)]
    labels = picture.rectangles.get("label", [])
    for index, label in enumerate(labels):
        found += [f"label {label} over label {other}" for other in labels[index + 1 :] if overlap(label, other)]
        found += [f"label {label} over {kind} {box}" for kind, box in boxes if overlap(label, box)]
    for index, (text, extent) in enumerate(picture.texts):
        if extent[0] < 0 or extent[1] < 0 or extent[2] > picture.size[0] or extent[3] > picture.size[1]:
            found.append(f"{text!r} leaves the picture")
        found += [f"{text!r} runs into {other!r}" for other, e in picture.texts[index + 1 :] if overlap(extent, e)]
        found += [
            f"{text!r} crosses the edge of {b}" for _, b in boxes if overlap(extent, b) and not _inside(extent, b)
        ]
        found += [f"{text!r} runs under label {b}" for b in labels if overlap(extent, b) and not _inside(extent, b)]
    for chip in picture.rectangles.get("chip", []):
        found += [] if any(_inside(chip, box) for _, box in boxes) else [f"chip {chip} sticks out of its bar"]
    for data, points in picture.lines:
        for (x1, y1), (x2, y2) in pairwise(points):
            segment = (min(x1, x2), min(y1, y2), max(x1, x2), max(y1, y2))
            found += [
                f"upright line {data.get('data-source')} → {data.get('data-target')} crosses a label {label}"
                for label in labels
                if x1 == x2 and overlap(segment, label, -0.01) and abs(x1 - (label[0] + label[2]) / 2) > 1
            ]
            found += [
                f"line {data.get('data-source')} → {data.get('data-target')} crosses {kind} {box}"
                for kind, box in boxes
                if kind not in passable and overlap(segment, box, -0.01) and not _touches(segment, box)
            ]
    return found


def _boxes(element: ET.Element, group: str) -> list[tuple[str, Rectangle]]:
    found = []
    for child in element:
        if child.tag == f"{SVG}g":
            found += _boxes(child, child.get("class", ""))
        elif child.tag == f"{SVG}rect" and child.get("class") == "box":
            x, y, width, height = (float(child.attrib[key]) for key in ("x", "y", "width", "height"))
            found.append((group, (x, y, x + width, y + height)))
    return found


def _inside(inner: Rectangle, outer: Rectangle) -> bool:
    return outer[0] <= inner[0] and outer[1] <= inner[1] and inner[2] <= outer[2] and inner[3] <= outer[3]


def _touches(segment: Rectangle, box: Rectangle) -> bool:
    """Whether a segment only meets the edge of a box."""
    inner = (box[0] + 0.6, box[1] + 0.6, box[2] - 0.6, box[3] - 0.6)
    return not overlap(segment, inner, -0.01)


@pytest.fixture
def look_for_faults() -> Callable[..., list[str]]:
    return faults
