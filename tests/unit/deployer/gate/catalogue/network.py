"""The network."""

from __future__ import annotations

from tests.unit.deployer.gate.catalogue.edits import GONE, add, both, drop, put

# what is edited → the edit, and what the gate asks about, with "?" where it only may happen
CASES = {
    "dns record": (
        put("network.DatabaseAddress", "ResourceRecords", ["10.9.9.9"]),
        ["traffic network.DatabaseAddress"],
    ),
    "dns ttl": (put("network.DatabaseAddress", "TTL", "300"), []),
    "dns removed": (drop("network.DatabaseAddress"), ["traffic network.DatabaseAddress"]),
    "dns name": (
        put("network.DatabaseAddress", "Name", "x.db.prod.datacenter.example"),
        ["traffic network.DatabaseAddress"],
    ),
    "zone name": (
        both(put("network.DatabaseZone", "Name", "db2.example")),
        ["traffic network.DatabaseAddress", "replace network.DatabaseZone"],
    ),
    "nat subnet": (put("network.NatGateway1", "SubnetId", {"Ref": "PublicSubnet2"}), ["traffic network.NatGateway1"]),
    "nat eip": (
        put("network.NatGateway1", "AllocationId", {"Fn::GetAtt": ["NatGatewayAddress2", "AllocationId"]}),
        ["traffic network.NatGateway1"],
    ),
    "nat removed": (
        both(drop("network.NatGateway3"), put("network.PrivateDefaultRoute3", "NatGatewayId", {"Ref": "NatGateway1"})),
        ["traffic network.PrivateDefaultRoute3", "traffic network.NatGateway3"],
    ),
    "eip removed": (
        both(
            drop("network.NatGatewayAddress3", "network.NatGateway3"),
            put("network.PrivateDefaultRoute3", "NatGatewayId", {"Ref": "NatGateway1"}),
        ),
        ["traffic network.PrivateDefaultRoute3", "traffic network.NatGateway3", "delete network.NatGatewayAddress3"],
    ),
    "route to igw": (
        both(
            put("network.PrivateDefaultRoute1", "NatGatewayId", GONE),
            put("network.PrivateDefaultRoute1", "GatewayId", {"Ref": "InternetGateway"}),
        ),
        ["access network.PrivateDefaultRoute1", "traffic network.PrivateDefaultRoute1"],
    ),
    "route other nat": (
        put("network.PrivateDefaultRoute1", "NatGatewayId", {"Ref": "NatGateway2"}),
        ["traffic network.PrivateDefaultRoute1"],
    ),
    "route added igw": (
        add(
            "network.Leak",
            "AWS::EC2::Route",
            RouteTableId={"Ref": "PrivateRouteTable1"},
            DestinationCidrBlock="8.8.8.0/24",
            GatewayId={"Ref": "InternetGateway"},
        ),
        ["access network.Leak"],
    ),
    "route removed": (drop("network.PrivateDefaultRoute1"), ["traffic network.PrivateDefaultRoute1"]),
    "association other": (
        put("network.PrivateSubnet1RouteTableAssociation", "RouteTableId", {"Ref": "PublicRouteTable"}),
        ["access network.PrivateSubnet1RouteTableAssociation", "traffic network.PrivateSubnet1RouteTableAssociation"],
    ),
    "subnet public ip": (put("network.PrivateSubnet1", "MapPublicIpOnLaunch", True), ["access network.PrivateSubnet1"]),
    "subnet cidr": (
        put("network.PrivateSubnet1", "CidrBlock", "10.0.99.0/24"),
        ["traffic network.PrivateSubnet1", "traffic network.PrivateSubnet1RouteTableAssociation"],
    ),
    "vpc dns off": (put("network.Vpc", "EnableDnsSupport", False), ["traffic network.Vpc"]),
    "endpoint policy open": (
        put("network.SecretsManagerEndpoint", "PolicyDocument/Statement/0/Condition", GONE),
        ["access network.SecretsManagerEndpoint"],
    ),
    "endpoint policy gone": (
        put("network.SecretsManagerEndpoint", "PolicyDocument", GONE),
        ["access network.SecretsManagerEndpoint"],
    ),
    "endpoint policy narrower": (
        put("network.SecretsManagerEndpoint", "PolicyDocument/Statement/0/Action", ["secretsmanager:GetSecretValue"]),
        [],
    ),
    "endpoint removed": (drop("network.SecretsManagerEndpoint"), ["traffic network.SecretsManagerEndpoint"]),
    "endpoint dns off": (put("network.SecretsManagerEndpoint", "PrivateDnsEnabled", False), []),
    "endpoint groups": (
        put("network.SecretsManagerEndpoint", "SecurityGroupIds", ["sg-0123456789abcdef0"]),
        ["access network.SecretsManagerEndpoint"],
    ),
    "s3 endpoint routes": (put("network.S3Endpoint", "RouteTableIds", [{"Ref": "PrivateRouteTable1"}]), []),
    "flow log removed": (drop("network.FlowLog"), ["weaken network.FlowLog"]),
    "flow log reject": (put("network.FlowLog", "TrafficType", "REJECT"), ["weaken network.FlowLog"]),
    "flow log format": (put("network.FlowLog", "LogFormat", "${version}"), []),
    "vpn customer gw": (
        put("network.CustomerGateway", "IpAddress", "198.51.100.9"),
        ["replace network.CustomerGateway"],
    ),
    "vpn algorithm": (
        put(
            "network.VpnConnection",
            "VpnTunnelOptionsSpecifications/0/Phase1EncryptionAlgorithms",
            [{"Value": "AES128"}],
        ),
        ["weaken network.VpnConnection"],
    ),
    "vpn log off": (
        put(
            "network.VpnConnection",
            "VpnTunnelOptionsSpecifications/0/LogOptions/CloudwatchLogOptions/LogEnabled",
            False,
        ),
        ["weaken network.VpnConnection"],
    ),
    "vpn psk": (
        put("network.VpnConnection", "VpnTunnelOptionsSpecifications/0/PreSharedKey", "abcdefgh"),
        ["weaken network.VpnConnection"],
    ),
    "vpn ike1": (
        put("network.VpnConnection", "VpnTunnelOptionsSpecifications/0/IKEVersions/-", {"Value": "ikev1"}),
        ["weaken network.VpnConnection"],
    ),
    "vpn routes gone": (drop("network.VpnRoutes"), ["traffic network.VpnRoutes"]),
    "vpc peering": (
        add("network.Peer", "AWS::EC2::VPCPeeringConnection", VpcId={"Ref": "Vpc"}, PeerVpcId="vpc-1"),
        ["access network.Peer"],
    ),
    "new bucket": (add("validation.NewB", "AWS::S3::Bucket", BucketName="x"), []),
    "new nacl": (
        add(
            "network.N",
            "AWS::EC2::NetworkAclEntry",
            NetworkAclId="acl-1",
            Protocol=-1,
            RuleAction="allow",
            RuleNumber=1,
            CidrBlock="0.0.0.0/0",
        ),
        [],
    ),
}
