"""The architecture picture: what it shows, that it follows the templates, and that it can be read."""

from __future__ import annotations

import os
import pickle
import subprocess
import sys

from compiler.diagram.architecture import draw_architecture


def test_real_trees_show_every_zone_subnet_and_block(real, read):
    picture = read(draw_architecture(real))
    subnets = {
        resource["Properties"]["CidrBlock"]: resource["Properties"]["AvailabilityZoneId"]
        for resource in real.templates["network"]["Resources"].values()
        if resource["Type"] == "AWS::EC2::Subnet"
    }
    assert len(subnets) == 6
    assert {group["cidr"]: group["zone"] for group in picture.groups["subnet"]} == subnets
    assert [group["zone"] for group in picture.groups["zone"]] == sorted(set(subnets.values()))
    assert set(subnets) <= {text for text, _ in picture.texts}
    assert "10.0.0.0/16" in picture.words()
    assert "AWS region us-east-1" in picture.words()
    assert picture.title == f"Architecture of environment {real.suffix}"


def test_real_trees_show_who_may_talk_to_whom(real, read):
    way_out = "no route" if real.suffix == "dev" else "open"
    groups = {
        name: f"security.{name}SecurityGroup"
        for name in ("LoadBalancer", "Service", "Database", "Dms", "Validator", "Cutover")
    }
    endpoints = "network.EndpointSecurityGroup"
    assert read(draw_architecture(real)).paths() == {
        ("internet", groups["LoadBalancer"], "80, 443"): "open",
        ("outside", groups["LoadBalancer"], "9443"): way_out,
        (groups["LoadBalancer"], groups["Service"], "8443"): "open",
        (groups["LoadBalancer"], "outside", "8443"): way_out,
        (groups["Service"], groups["Database"], "5432"): "open",
        (groups["Service"], "outside", "5432"): way_out,
        (groups["Service"], endpoints, "443"): "open",
        (groups["Service"], "gate", "443"): "open",
        (groups["Dms"], groups["Database"], "5432"): "open",
        (groups["Dms"], "outside", "5432"): way_out,
        (groups["Dms"], endpoints, "443"): "open",
        **{
            path: state
            for name in ("Validator", "Cutover")
            for path, state in {
                (groups[name], groups["Database"], "5432"): "open",
                (groups[name], "outside", "5432"): way_out,
                (groups[name], endpoints, "443"): "open",
                (groups[name], "gate", "443"): "open",
            }.items()
        },
    }


def test_real_trees_show_gateways_and_what_is_routed_to_them(real, read):
    picture = read(draw_architecture(real))
    nats = 1 if real.suffix == "dev" else 3
    assert [group["title"] for group in picture.groups["nat"]] == [f"network.NatGateway{n + 1}" for n in range(nats)]
    assert {group["source"]: group["target"] for group in picture.groups["route"]} == {
        f"network.PrivateSubnet{zone}": f"network.NatGateway{zone if nats == 3 else 1}" for zone in (1, 2, 3)
    }
    gates = {group["title"] for group in picture.groups["gate"]}
    vpn = set() if real.suffix == "dev" else {"network.VpnGateway"}
    assert gates == {"network.InternetGateway", "gate", *vpn}
    assert len(picture.groups.get("tunnel", [])) == len(vpn)
    assert ("Site-to-site VPN" in picture.words()) == bool(vpn)


def test_real_trees_show_what_stands_where(real, read):
    picture = read(draw_architecture(real))
    chips = {(group["zone"], group["text"].partition(" ·")[0]) for group in picture.groups["chip"]}
    assert {("use1-az1", "writer"), ("use1-az2", "reader 1"), ("use1-az4", "reader 2")} <= chips
    words = picture.words()
    for name in ("alb", "service", "database", "replication", "validator"):
        assert f"payments-{real.suffix}-{name}" in words
    block = {"dev": "192.168.16.0/20", "staging": "192.168.32.0/20", "prod": "192.168.48.0/20"}[real.suffix]
    host = f"db.{real.suffix}.datacenter.example"
    for text in ("Internet", "Data centre", block, "PostgreSQL database", host):
        assert text in words
    services = {group["service"] for group in picture.groups["service"]}
    assert {"Amazon S3", "AWS KMS", "Secrets Manager", "Amazon SNS", "Amazon CloudWatch"} <= services


def test_real_trees_can_be_read(real, read, look_for_faults):
    assert look_for_faults(read(draw_architecture(real)), passable=("gate",)) == []


def test_lanes_run_inside_the_vpc(real, read):
    picture = read(draw_architecture(real))
    _region, vpc, *_zones = picture.rectangles["frame"]
    lanes = [x for data, points in picture.lines if data["class"] == "path" for x, _ in points]
    assert vpc[0] + 8 < min(lanes)


def test_same_bundle_same_bytes(small):
    assert draw_architecture(small(vpn=True)) == draw_architecture(small(vpn=True))


def test_same_bytes_whatever_the_order_of_sets(small, tmp_path):
    (tmp_path / "bundle").write_bytes(pickle.dumps(small(vpn=True)))
    code = (
        "import hashlib, pickle, sys\n"
        "from compiler.diagram.architecture import draw_architecture\n"
        "from compiler.diagram.dependencies import draw_dependencies\n"
        "bundle = pickle.load(open(sys.argv[1], 'rb'))\n"
        "print(hashlib.sha256((draw_architecture(bundle) + draw_dependencies(bundle)).encode()).hexdigest())"
    )
    digests = {
        subprocess.run(
            [sys.executable, "-c", code, str(tmp_path / "bundle")],
            env={**os.environ, "PYTHONHASHSEED": seed},
            capture_output=True,
            check=True,
        ).stdout
        for seed in ("1", "2", "3")
    }
    assert len(digests) == 1


# --- the picture follows the templates -------------------------------------------------------------------------------
def test_a_rule_that_goes_takes_its_path_along(small, read):
    def both(tiers):
        del tiers["security"]["DmsEgressDatabase5432"]
        del tiers["security"]["DatabaseIngressDms5432"]

    before, after = (read(draw_architecture(bundle)).paths() for bundle in (small(), small(both)))
    assert before.keys() - after.keys() == {("security.Dms", "security.Database", "5432")}
    assert after.keys() <= before.keys()


def test_a_rule_that_comes_brings_a_path(small, read):
    def admit(tiers):
        rule = tiers["security"]["LoadBalancerIngress0000043"] = dict(tiers["security"]["LoadBalancerIngress00000443"])
        rule["Properties"] = {**rule["Properties"], "FromPort": 80, "ToPort": 80}

    paths = read(draw_architecture(small(admit))).paths()
    assert ("internet", "security.LoadBalancer", "80, 443") in paths


def test_a_path_with_one_rule_of_two_is_marked(small, read):
    def no_ingress(tiers):
        del tiers["security"]["DatabaseIngressDms5432"]

    def no_egress(tiers):
        del tiers["security"]["DmsEgressDatabase5432"]

    for change, state in ((no_ingress, "egress only"), (no_egress, "ingress only")):
        picture = read(draw_architecture(small(change)))
        assert picture.paths()["security.Dms", "security.Database", "5432"] == state
        assert f"5432 {state}" in picture.words()
        (group,) = picture.root.findall(f".//*[@data-state='{state}']")
        assert group.find("{*}path").get("stroke-dasharray")
    whole = read(draw_architecture(small()))
    (group,) = whole.root.findall(".//*[@data-source='security.Dms'][@data-target='security.Database']")
    assert group.find("{*}path").get("stroke-dasharray") is None


def test_a_path_without_a_route_is_marked(small, read):
    without, with_vpn = (read(draw_architecture(small(vpn=vpn))) for vpn in (False, True))
    assert without.paths()["security.Dms", "outside", "5432"] == "no route"
    assert with_vpn.paths()["security.Dms", "outside", "5432"] == "open"
    assert "5432 no route" in without.words()
    assert "no route" not in with_vpn.words().replace("allowed, but no route leads there", "")


def test_tooltips_hold_the_reasons(small, read):
    (path,) = [g for g in read(draw_architecture(small())).groups["path"] if g["source"] == "internet"]
    assert path["title"] == "internet may send to Application load balancer on 443\nclients pay (0.0.0.0/0)"


def test_the_description_says_all_of_it_in_words(small, read):
    picture = read(draw_architecture(small()))
    assert picture.description.startswith(
        "A VPC (10.0.0.0/16) with 6 subnets in 3 zones (use1-az1, use1-az2, use1-az3)."
    )
    assert "Aurora PostgreSQL payments-dev-database, security group payments-dev-database." in picture.description
    assert "DMS replication instance may send to Aurora PostgreSQL on 5432." in picture.description
    assert "Load balancer" not in picture.description
    assert "Application load balancer may send to data centre on 8443 (no route)." in picture.description


def test_nat_gateways_stand_in_their_zone_and_lead_there(small, read):
    one, three = (read(draw_architecture(small(nats=nats))) for nats in (1, 3))
    assert {g["target"] for g in one.groups["route"]} == {"network.NatGateway1"}
    assert [g["target"] for g in three.groups["route"]] == [f"network.NatGateway{n}" for n in (1, 2, 3)]
    lines = [points for data, points in three.lines if data.get("class") == "route"]
    assert all(len(points) == 2 and points[0][0] == points[1][0] for points in lines)
    bent = [points for data, points in one.lines if data.get("class") == "route"]
    assert sorted(len(points) for points in bent) == [2, 8, 8]


def test_paths_to_the_data_centre_end_at_the_host_that_listens_and_come_from_its_edge(small, read):
    def change(tiers):
        tiers["security"]["In"] = {
            "Type": "AWS::EC2::SecurityGroupIngress",
            "Properties": {
                "GroupId": {"Fn::GetAtt": ["LoadBalancer", "GroupId"]},
                "CidrIp": "192.168.0.0/16",
                "IpProtocol": "tcp",
                "FromPort": 9443,
                "ToPort": 9443,
            },
        }

    picture = read(draw_architecture(small(change, vpn=True)))
    hosts = {}
    for host in picture.root.iterfind(".//*[@class='host']"):
        rect = host.find("{*}rect")
        hosts[host.get("data-port")] = (float(rect.get("x")), float(rect.get("y")), float(rect.get("height")))
    lines = {
        (data["data-source"], data["data-target"], data["data-ports"]): points
        for data, points in picture.lines
        if "data-ports" in data
    }
    for key, port in (
        (("security.Dms", "outside", "5432"), "5432"),
        (("security.LoadBalancer", "outside", "8443"), "8443"),
    ):
        (x, y), (left, top, height) = lines[key][-1], hosts[port]
        assert x == left
        assert top < y < top + height
    incoming = lines["outside", "security.LoadBalancer", "9443"]
    outgoing = lines["security.LoadBalancer", "outside", "8443"]
    assert incoming[0][0] > incoming[-1][0] == outgoing[0][0]
    assert incoming[0][0] < outgoing[-1][0]


def test_a_subnet_is_public_by_its_routes_not_by_its_name(small, read):
    def swap(tiers):
        tiers["network"]["PrivateAssociation1"]["Properties"]["RouteTableId"] = {"Ref": "PublicRouteTable"}

    picture = read(draw_architecture(small(swap)))
    # Whatever stands in a subnet that the internet reaches stands in the public part.
    assert [g["source"] for g in picture.groups["route"]] == ["network.PrivateSubnet2", "network.PrivateSubnet3"]
    heights = {text: extent[1] for text, extent in picture.texts}
    assert heights["Private subnet 1"] == heights["Public subnet 2"] + 2 * 18
    assert heights["ECS service"] < heights["Private subnet 2"]


def test_a_new_resource_in_a_group_appears(small, read):
    def cache(tiers):
        tiers["application"]["Cache"] = {
            "Type": "AWS::ElastiCache::ReplicationGroup",
            "Properties": {"SecurityGroupIds": [{"Ref": "ServiceGroupId"}], "SubnetId": {"Ref": "PrivateSubnet1Id"}},
        }

    picture = read(draw_architecture(small(cache)))
    assert "also: Replication group" in picture.words()
    (bar,) = [g for g in picture.groups["workload"] if g["group"] == "security.Service"]
    assert "application.Cache" in bar["title"]
    assert bar["members"] == "2"


def test_rules_for_blocks_of_the_vpc_are_said_on_the_bar(small, read):
    words = read(draw_architecture(small())).words()
    assert "logs · secretsmanager · admits 10.0.11.0/24, 10.0.12.0/24, 10.0.13.0/24 on 443" in words


# --- unusual trees ---------------------------------------------------------------------------------------------------
def test_a_group_of_nothing_and_a_resource_without_group_are_shown(small, read, look_for_faults):
    def change(tiers):
        del tiers["application"]["Validator"]["Properties"]["VpcConfig"]["SecurityGroupIds"]

    picture = read(draw_architecture(small(change)))
    words = picture.words()
    assert "Security group of nothing" in words
    assert "no resource uses it" in words
    assert "no security group" in words
    assert look_for_faults(picture, passable=("gate",)) == []


def test_paths_within_a_group_and_from_private_groups_to_the_internet(small, read, look_for_faults):
    def change(tiers):
        rules = tiers["security"]
        for direction, peer in (("Ingress", "Source"), ("Egress", "Destination")):
            rules[f"Self{direction}"] = {
                "Type": f"AWS::EC2::SecurityGroup{direction}",
                "Properties": {
                    "GroupId": {"Fn::GetAtt": ["Service", "GroupId"]},
                    f"{peer}SecurityGroupId": {"Fn::GetAtt": ["Service", "GroupId"]},
                    "IpProtocol": "udp",
                    "FromPort": 7800,
                    "ToPort": 7810,
                },
            }
        for name in ("Validator", "Dms"):
            rules[f"{name}Out"] = {
                "Type": "AWS::EC2::SecurityGroupEgress",
                "Properties": {"GroupId": {"Fn::GetAtt": [name, "GroupId"]}, "CidrIp": "0.0.0.0/0", "IpProtocol": "-1"},
            }

    picture = read(draw_architecture(small(change)))
    assert "members talk to each other: udp 7800-7810" in picture.words()
    assert picture.paths()["security.Validator", "internet", "everything"] == "open"
    assert look_for_faults(picture, passable=("gate",)) == []


def test_many_paths_between_neighbours_stand_side_by_side(small, read, look_for_faults):
    def change(tiers):
        rules = tiers["security"]
        base = {"IpProtocol": "tcp", "FromPort": 9000, "ToPort": 9001}
        database, service = ({"Fn::GetAtt": [name, "GroupId"]} for name in ("Database", "Service"))
        rules["Back"] = {
            "Type": "AWS::EC2::SecurityGroupEgress",
            "Properties": {"GroupId": database, "DestinationSecurityGroupId": service, **base},
        }
        rules["Forth"] = {
            "Type": "AWS::EC2::SecurityGroupIngress",
            "Properties": {"GroupId": database, "SourceSecurityGroupId": service, **base},
        }

    picture = read(draw_architecture(small(change)))
    assert picture.paths()["security.Database", "security.Service", "9000-9001"] == "egress only"
    assert picture.paths()["security.Service", "security.Database", "9000-9001"] == "ingress only"
    assert look_for_faults(picture, passable=("gate",)) == []
    up = [points for data, points in picture.lines if data.get("data-source") == "security.Database"]
    assert up[0][0][1] > up[0][-1][1]


def test_a_network_alone(small, read):
    def change(tiers):
        tiers["security"].clear()
        tiers["application"].clear()
        network = tiers["network"]
        for name in ("S3Endpoint", "FlowLog"):
            del network[name]

    bundle = small(change)
    for template in ("security", "application"):
        bundle.templates[template]["Outputs"].clear()
    picture = read(draw_architecture(bundle))
    assert "path" not in picture.groups
    assert "data-center" not in picture.groups
    assert "flows not logged" in picture.words()
    assert "AWS region" in {text for text, _ in picture.texts}
    assert len(picture.groups["subnet"]) == 6


def test_no_network_at_all(small, read):
    def change(tiers):
        for tier in tiers.values():
            tier.clear()

    bundle = small(change)
    for template in ("network", "security", "application"):
        bundle.templates[template]["Outputs"].clear()
    picture = read(draw_architecture(bundle))
    assert "subnet" not in picture.groups
    assert [g["zone"] for g in picture.groups["zone"]] == ["no zone"]


def test_two_nat_gateways_in_one_subnet_and_two_subnets_in_one_zone(small, read, look_for_faults):
    def change(tiers):
        network = tiers["network"]
        network["NatGatewayB"] = {"Type": "AWS::EC2::NatGateway", "Properties": {"SubnetId": {"Ref": "PublicSubnet1"}}}
        network["NatGatewayC"] = {"Type": "AWS::EC2::NatGateway", "Properties": {"SubnetId": {"Ref": "PrivateSubnet1"}}}
        network["PrivateDefaultRoute3"]["Properties"]["NatGatewayId"] = {"Ref": "NatGatewayB"}
        network["PrivateDefaultRoute2"]["Properties"]["NatGatewayId"] = {"Ref": "NatGatewayC"}
        network["Spare"] = {
            "Type": "AWS::EC2::Subnet",
            "Properties": {"CidrBlock": "10.0.21.0/24", "AvailabilityZoneId": "use1-az1"},
        }

    picture = read(draw_architecture(small(change)))
    assert len(picture.groups["nat"]) == 3
    assert {g["target"] for g in picture.groups["route"]} == {"network.NatGateway1", "network.NatGatewayB"}
    assert "default → NAT gateway C" in picture.words()
    assert {g["cidr"] for g in picture.groups["subnet"]} >= {"10.0.11.0/24", "10.0.21.0/24"}
    assert look_for_faults(picture, passable=("gate",)) == []


def test_a_vpn_gateway_without_connection_has_no_tunnel_and_one_without_paths_a_place(small, read):
    def change(tiers):
        del tiers["network"]["VpnConnection"]
        for name in [name for name in tiers["security"] if "192168" in name]:
            del tiers["security"][name]

    picture = read(draw_architecture(small(change, vpn=True)))
    assert "tunnel" not in picture.groups
    assert "network.VpnGateway" in {g["title"] for g in picture.groups["gate"]}
    assert {g["port"] for g in picture.groups["host"]} == {"8443", "5432"}


def test_peers_known_by_text_only_are_named_on_the_line(small, read, look_for_faults):
    def change(tiers):
        tiers["security"]["DmsToPartner"] = {
            "Type": "AWS::EC2::SecurityGroupEgress",
            "Properties": {
                "GroupId": {"Fn::GetAtt": ["Dms", "GroupId"]},
                "DestinationSecurityGroupId": "sg-0123456789abcdef0",
                "IpProtocol": "tcp",
                "FromPort": 5000,
                "ToPort": 5000,
            },
        }

    picture = read(draw_architecture(small(change, vpn=True)))
    assert "5000 sg-0123456789abcdef0" in picture.words()
    assert "sg-0123456789abcdef0" in {text for text, _ in picture.texts}
    assert look_for_faults(picture, passable=("gate",)) == []
