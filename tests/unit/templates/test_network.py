"""The network: every subnet, route, gateway and endpoint, in both NAT shapes, with and without the VPN."""

from __future__ import annotations

import re

import pytest

from templates import network

ZONES = (1, 2, 3)
PUBLIC = ["10.0.1.0/24", "10.0.2.0/24", "10.0.3.0/24"]
PRIVATE = ["10.0.11.0/24", "10.0.12.0/24", "10.0.13.0/24"]
VPN = {"customer_gateway_ip": "203.0.113.99", "bgp_asn": 65099}


def of_type(template, kind):
    return {name: body for name, body in template["Resources"].items() if body["Type"] == f"AWS::EC2::{kind}"}


def properties(template, name):
    return template["Resources"][name]["Properties"]


@pytest.fixture(params=["dev", "staging", "prod"])
def env(request):
    return request.param


@pytest.fixture
def template(env, settings, compile_tier):
    return compile_tier(network, settings(env))


@pytest.fixture
def one_nat(settings, compile_tier):
    return compile_tier(network, settings(network={"nat_gateways": 1}))


@pytest.fixture
def three_nats(settings, compile_tier):
    return compile_tier(network, settings(network={"nat_gateways": 3}))


@pytest.fixture
def with_vpn(settings, compile_tier):
    return compile_tier(network, settings("prod", network={"vpn": VPN}))


@pytest.fixture
def without_vpn(settings, compile_tier):
    return compile_tier(network, settings("prod", network={"vpn": None}))


class TestVpcAndSubnets:
    def test_the_vpc_resolves_names(self, template):
        (name,) = of_type(template, "VPC")
        vpc = properties(template, name)
        assert vpc["CidrBlock"] == "10.0.0.0/16"
        assert vpc["EnableDnsSupport"] is True
        assert vpc["EnableDnsHostnames"] is True

    def test_each_zone_has_a_public_and_a_private_subnet(self, template):
        zones = ["use1-az1", "use1-az2", "use1-az4"]
        found = {
            name: (body["Properties"]["CidrBlock"], body["Properties"]["AvailabilityZoneId"])
            for name, body in of_type(template, "Subnet").items()
        }
        assert found == {
            f"{access}Subnet{zone}": (cidrs[zone - 1], zones[zone - 1])
            for access, cidrs in (("Public", PUBLIC), ("Private", PRIVATE))
            for zone in ZONES
        }

    def test_no_subnet_gives_public_addresses(self, template):
        assert {body["Properties"]["MapPublicIpOnLaunch"] for body in of_type(template, "Subnet").values()} == {False}

    def test_names_say_where_a_resource_belongs(self, template, env):
        for name, body in template["Resources"].items():
            tags = {tag["Key"]: tag["Value"] for tag in body["Properties"].get("Tags", ())}
            if tags and body["Type"].startswith("AWS::EC2::"):
                assert tags["Name"].startswith(f"payments-{env}-"), name


class TestRoutes:
    def test_public_subnets_reach_the_internet_by_its_gateway_once_it_is_attached(self, template):
        assert properties(template, "InternetGatewayAttachment") == {
            "VpcId": {"Ref": "Vpc"},
            "InternetGatewayId": {"Ref": "InternetGateway"},
        }
        assert properties(template, "PublicDefaultRoute") == {
            "RouteTableId": {"Ref": "PublicRouteTable"},
            "DestinationCidrBlock": "0.0.0.0/0",
            "GatewayId": {"Ref": "InternetGateway"},
        }
        assert template["Resources"]["PublicDefaultRoute"]["DependsOn"] == "InternetGatewayAttachment"

    def test_every_subnet_has_its_route_table_and_no_other(self, template):
        found = {
            body["Properties"]["SubnetId"]["Ref"]: body["Properties"]["RouteTableId"]["Ref"]
            for body in of_type(template, "SubnetRouteTableAssociation").values()
        }
        assert found == {
            **{f"PublicSubnet{zone}": "PublicRouteTable" for zone in ZONES},
            **{f"PrivateSubnet{zone}": f"PrivateRouteTable{zone}" for zone in ZONES},
        }
        assert len(of_type(template, "RouteTable")) == 4

    def test_there_is_no_route_but_the_default_ones(self, template):
        assert set(of_type(template, "Route")) == {
            "PublicDefaultRoute",
            *(f"PrivateDefaultRoute{zone}" for zone in ZONES),
        }

    def test_with_three_nat_gateways_each_zone_uses_its_own(self, three_nats):
        assert len(of_type(three_nats, "NatGateway")) == len(of_type(three_nats, "EIP")) == 3
        for zone in ZONES:
            assert properties(three_nats, f"PrivateDefaultRoute{zone}") == {
                "RouteTableId": {"Ref": f"PrivateRouteTable{zone}"},
                "DestinationCidrBlock": "0.0.0.0/0",
                "NatGatewayId": {"Ref": f"NatGateway{zone}"},
            }
            assert three_nats["Outputs"][f"NatGateway{zone}Id"]["Value"] == {"Ref": f"NatGateway{zone}"}

    def test_with_one_nat_gateway_all_zones_share_it(self, one_nat):
        assert list(of_type(one_nat, "NatGateway")) == ["NatGateway1"]
        assert list(of_type(one_nat, "EIP")) == ["NatGatewayAddress1"]
        for zone in ZONES:
            assert properties(one_nat, f"PrivateDefaultRoute{zone}")["NatGatewayId"] == {"Ref": "NatGateway1"}
        assert [name for name in one_nat["Outputs"] if name.startswith("NatGateway")] == ["NatGateway1Id"]

    def test_nat_gateways_stand_in_public_subnets_with_an_address_once_the_internet_is_attached(self, three_nats):
        for zone in ZONES:
            gateway = properties(three_nats, f"NatGateway{zone}")
            assert gateway["SubnetId"] == {"Ref": f"PublicSubnet{zone}"}
            assert gateway["AllocationId"] == {"Fn::GetAtt": [f"NatGatewayAddress{zone}", "AllocationId"]}
            assert properties(three_nats, f"NatGatewayAddress{zone}")["Domain"] == "vpc"
            for name in (f"NatGateway{zone}", f"NatGatewayAddress{zone}"):
                assert three_nats["Resources"][name]["DependsOn"] == "InternetGatewayAttachment"


class TestFlowLogs:
    def test_all_traffic_of_the_vpc_is_logged_every_minute(self, template):
        (name,) = of_type(template, "FlowLog")
        log = properties(template, name)
        assert (log["ResourceType"], log["ResourceId"]) == ("VPC", {"Ref": "Vpc"})
        assert log["TrafficType"] == "ALL"
        assert log["MaxAggregationInterval"] == 60
        assert log["LogDestinationType"] == "cloud-watch-logs"
        assert log["LogGroupName"] == {"Ref": "FlowLogGroup"}
        assert log["DeliverLogsPermissionArn"] == {"Ref": "FlowLogsRoleArn"}

    def test_records_say_who_talked_to_whom_and_by_which_way(self, template):
        fields = properties(template, "FlowLog")["LogFormat"].split(" ")
        assert all(re.fullmatch(r"\$\{[a-z-]+\}", field) for field in fields)
        assert len(fields) == len(set(fields))
        for name in ("srcaddr", "pkt-srcaddr", "dstport", "action", "flow-direction", "traffic-path"):
            assert f"${{{name}}}" in fields

    def test_its_log_group_is_encrypted_and_kept_as_params_say(self, template, env, settings, is_kept):
        group = template["Resources"]["FlowLogGroup"]
        assert group["Properties"]["LogGroupName"] == f"/payments/{env}/flow-logs"
        assert group["Properties"]["KmsKeyId"] == {"Ref": "LogsKeyArn"}
        assert group["Properties"]["RetentionInDays"] == settings(env).log_retention_days >= 365
        assert is_kept(group) == (env == "prod")
        assert template["Outputs"]["FlowLogGroupName"]["Value"] == {"Ref": "FlowLogGroup"}


class TestEndpoints:
    SERVICES = (
        "secretsmanager", "ecr.api", "ecr.dkr", "logs", "monitoring", "ssm", "dms", "elasticloadbalancing", "states",
    )  # fmt: skip

    def endpoints(self, template):
        return {
            body["Properties"]["ServiceName"].removeprefix("com.amazonaws.us-east-1."): body["Properties"]
            for body in of_type(template, "VPCEndpoint").values()
        }

    def statements(self, template, service):
        return self.endpoints(template)[service]["PolicyDocument"]["Statement"]

    def test_there_is_one_for_each_service_that_the_private_subnets_call(self, template):
        assert set(self.endpoints(template)) == {"s3", *self.SERVICES}

    def test_s3_is_a_gateway_in_the_private_route_tables(self, template):
        s3 = self.endpoints(template)["s3"]
        assert s3["VpcEndpointType"] == "Gateway"
        assert s3["RouteTableIds"] == [{"Ref": f"PrivateRouteTable{zone}"} for zone in ZONES]

    @pytest.mark.parametrize("service", SERVICES)
    def test_the_others_answer_under_their_usual_names_in_every_private_subnet(self, template, service):
        endpoint = self.endpoints(template)[service]
        assert endpoint["VpcEndpointType"] == "Interface"
        assert endpoint["PrivateDnsEnabled"] is True
        assert endpoint["SubnetIds"] == [{"Ref": f"PrivateSubnet{zone}"} for zone in ZONES]
        assert endpoint["SecurityGroupIds"] == [{"Fn::GetAtt": ["EndpointSecurityGroup", "GroupId"]}]

    @pytest.mark.parametrize("service", SERVICES)
    def test_only_principals_of_this_account_pass_and_only_with_what_they_need(self, template, service):
        (statement,) = self.statements(template, service)
        assert statement["Condition"] == {"StringEquals": {"aws:PrincipalAccount": {"Ref": "AWS::AccountId"}}}
        assert not [action for action in statement["Action"] if "*" in action]

    @pytest.mark.parametrize(
        ("service", "patterns"),
        [
            ("secretsmanager", ["secret:payments/{env}/*"]),
            ("logs", ["log-group:/payments/{env}/*"]),
            ("ssm", ["parameter/payments/{env}/*"]),
            ("states", ["stateMachine:payments-{env}-*", "execution:payments-{env}-*"]),
        ],
    )
    def test_where_resources_have_names_only_those_of_this_environment_pass(self, template, env, service, patterns):
        (statement,) = self.statements(template, service)
        prefix = f"arn:${{AWS::Partition}}:{service}:${{AWS::Region}}:${{AWS::AccountId}}:"
        assert statement["Resource"] == [{"Fn::Sub": prefix + pattern.format(env=env)} for pattern in patterns]

    def test_s3_serves_image_layers_and_our_reports_and_nothing_else(self, template, env):
        layers, reports = self.statements(template, "s3")
        assert layers["Action"] == ["s3:GetObject"]
        assert layers["Resource"] == [{"Fn::Sub": "arn:${AWS::Partition}:s3:::prod-us-east-1-starport-layer-bucket/*"}]
        assert reports["Action"] == ["s3:DeleteObject", "s3:GetObject", "s3:ListBucket", "s3:PutObject"]
        assert reports["Resource"] == [
            {"Fn::Sub": f"arn:${{AWS::Partition}}:s3:::payments-{env}-reports-${{AWS::AccountId}}{objects}"}
            for objects in ("", "/*")
        ]
        assert reports["Condition"] == {"StringEquals": {"aws:PrincipalAccount": {"Ref": "AWS::AccountId"}}}

    def test_their_group_lets_the_private_subnets_in_and_no_one_out(self, template, env):
        (name,) = of_type(template, "SecurityGroup")
        group = properties(template, name)
        assert group["GroupName"] == f"payments-{env}-endpoints"
        assert [(rule["CidrIp"], rule["FromPort"], rule["ToPort"]) for rule in group["SecurityGroupIngress"]] == [
            (cidr, 443, 443) for cidr in PRIVATE
        ]
        assert [rule["CidrIp"] for rule in group["SecurityGroupEgress"]] == ["127.0.0.1/32"]
        texts = [rule["Description"] for key in ("Ingress", "Egress") for rule in group[f"SecurityGroup{key}"]]
        assert all(
            re.fullmatch(r"[a-zA-Z0-9 ._:/()#,@=+-]{10,255}", text) for text in [*texts, group["GroupDescription"]]
        )
        assert template["Outputs"]["EndpointSecurityGroupId"]["Value"] == {"Fn::GetAtt": [name, "GroupId"]}


class TestVpn:
    def test_there_is_none_where_params_have_none(self, without_vpn):
        assert not [body["Type"] for body in without_vpn["Resources"].values() if "VPN" in body["Type"]]
        assert not of_type(without_vpn, "CustomerGateway")
        assert "VpnConnectionId" not in without_vpn["Outputs"]

    def test_it_connects_the_vpc_with_the_device_of_params(self, with_vpn):
        customer = properties(with_vpn, "CustomerGateway")
        assert (customer["IpAddress"], customer["BgpAsn"]) == ("203.0.113.99", 65099)
        attachment = properties(with_vpn, "VpnGatewayAttachment")
        assert attachment == {"VpcId": {"Ref": "Vpc"}, "VpnGatewayId": {"Ref": "VpnGateway"}}
        connection = properties(with_vpn, "VpnConnection")
        assert connection["CustomerGatewayId"] == {"Ref": "CustomerGateway"}
        assert connection["VpnGatewayId"] == {"Ref": "VpnGateway"}
        assert with_vpn["Outputs"]["VpnConnectionId"]["Value"] == {"Ref": "VpnConnection"}

    def test_routes_come_by_bgp_into_every_route_table(self, with_vpn):
        assert properties(with_vpn, "VpnConnection")["StaticRoutesOnly"] is False
        # The public one too: the load balancer reaches the data centre's application from there.
        tables = ["PublicRouteTable", *(f"PrivateRouteTable{zone}" for zone in ZONES)]
        assert properties(with_vpn, "VpnRoutes")["RouteTableIds"] == [{"Ref": table} for table in tables]
        assert with_vpn["Resources"]["VpnRoutes"]["DependsOn"] == "VpnGatewayAttachment"

    def test_both_tunnels_refuse_what_is_outdated(self, with_vpn):
        tunnels = properties(with_vpn, "VpnConnection")["VpnTunnelOptionsSpecifications"]
        assert len(tunnels) == 2
        for tunnel in tunnels:
            assert tunnel["IKEVersions"] == [{"Value": "ikev2"}]
            for phase in (1, 2):
                ciphers = {item["Value"] for item in tunnel[f"Phase{phase}EncryptionAlgorithms"]}
                hashes = {item["Value"] for item in tunnel[f"Phase{phase}IntegrityAlgorithms"]}
                groups = {item["Value"] for item in tunnel[f"Phase{phase}DHGroupNumbers"]}
                assert ciphers == {"AES256-GCM-16"}
                assert hashes == {"SHA2-384", "SHA2-512"}
                assert groups == {19, 20, 21}
            assert (tunnel["StartupAction"], tunnel["DPDTimeoutAction"]) == ("start", "restart")

    def test_pre_shared_keys_stand_in_no_template(self, with_vpn):
        connection = properties(with_vpn, "VpnConnection")
        assert connection["PreSharedKeyStorage"] == "SecretsManager"
        assert not [key for tunnel in connection["VpnTunnelOptionsSpecifications"] for key in tunnel if "Shared" in key]

    def test_tunnels_and_bgp_are_logged_encrypted(self, with_vpn, is_kept):
        group = with_vpn["Resources"]["VpnLogGroup"]
        assert group["Properties"]["LogGroupName"] == "/aws/vendedlogs/payments/prod/vpn"
        assert group["Properties"]["KmsKeyId"] == {"Ref": "LogsKeyArn"}
        assert group["Properties"]["RetentionInDays"] >= 365
        assert is_kept(group)
        arn = {"Fn::Sub": "arn:${AWS::Partition}:logs:${AWS::Region}:${AWS::AccountId}:log-group:${VpnLogGroup}"}
        for tunnel in properties(with_vpn, "VpnConnection")["VpnTunnelOptionsSpecifications"]:
            options = tunnel["LogOptions"]["CloudwatchLogOptions"]
            assert options["LogEnabled"] is options["BgpLogEnabled"] is True
            assert options["LogGroupArn"] == options["BgpLogGroupArn"] == arn

    def test_equal_tunnels_are_a_deliberate_exception(self, with_vpn):
        metadata = with_vpn["Resources"]["VpnConnection"]["Metadata"]
        assert list(metadata["Exceptions"]) == ["I3037"]


class TestNames:
    @pytest.fixture
    def named(self, settings, compile_tier):
        place = {"database_host": "db.example", "database_address": "192.168.21.9"}
        return compile_tier(network, settings(data_center=place))

    def test_the_source_database_has_a_private_zone_of_its_very_name(self, named):
        zone = properties(named, "DatabaseZone")
        assert zone["Name"] == "db.example"
        assert zone["VPCs"] == [{"VPCId": {"Ref": "Vpc"}, "VPCRegion": {"Ref": "AWS::Region"}}]
        tags = {tag["Key"]: tag["Value"] for tag in zone["HostedZoneTags"]}
        assert (tags["Name"], tags["EnvironmentSuffix"]) == ("payments-dev-database-zone", "dev")
        assert named["Outputs"]["DatabaseZoneId"]["Value"] == {"Ref": "DatabaseZone"}

    def test_the_name_leads_to_the_address_of_params_and_soon_to_another(self, named):
        record = properties(named, "DatabaseAddress")
        assert (record["HostedZoneId"], record["Name"]) == ({"Ref": "DatabaseZone"}, "db.example")
        assert (record["Type"], record["ResourceRecords"]) == ("A", ["192.168.21.9"])
        assert 0 < int(record["TTL"]) <= 60

    def test_every_environment_resolves_its_own(self, template, env, settings):
        place = settings(env).data_center
        assert properties(template, "DatabaseZone")["Name"] == place.database_host
        assert properties(template, "DatabaseAddress")["ResourceRecords"] == [place.database_address]

    def test_an_address_needs_no_zone(self, settings, compile_tier):
        address = {"database_host": "192.168.21.9", "database_address": "192.168.21.9"}
        template = compile_tier(network, settings(data_center=address))
        assert not [body for body in template["Resources"].values() if "Route53" in body["Type"]]
        assert "DatabaseZoneId" not in template["Outputs"]


class TestOutputs:
    def test_give_what_the_other_tiers_stand_on(self, template):
        values = {name: output["Value"] for name, output in template["Outputs"].items()}
        assert values["VpcId"] == {"Ref": "Vpc"}
        assert values["InternetGatewayId"] == {"Ref": "InternetGateway"}
        assert values["PublicRouteTableId"] == {"Ref": "PublicRouteTable"}
        for zone in ZONES:
            assert values[f"PublicSubnet{zone}Id"] == {"Ref": f"PublicSubnet{zone}"}
            assert values[f"PrivateSubnet{zone}Id"] == {"Ref": f"PrivateSubnet{zone}"}
            assert values[f"AvailabilityZone{zone}"] == {"Fn::GetAtt": [f"PrivateSubnet{zone}", "AvailabilityZone"]}
            assert values[f"PrivateRouteTable{zone}Id"] == {"Ref": f"PrivateRouteTable{zone}"}

    def test_report_every_endpoint(self, template):
        ids = {output["Value"]["Ref"] for name, output in template["Outputs"].items() if name.endswith("EndpointId")}
        assert ids == set(of_type(template, "VPCEndpoint"))

    def test_the_region_of_params_is_the_only_one(self, settings, compile_tier):
        template = compile_tier(network, settings(region="eu-west-1"))
        assert "us-east-1" not in str(template)
