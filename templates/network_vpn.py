"""The network tier's site-to-site VPN to the data centre: two tunnels, routes by BGP."""

from __future__ import annotations

from collections.abc import Sequence

from troposphere import Ref, ec2

from contract import names
from contract.policies import arn
from contract.stack import Stack
from settings.model import Vpn
from templates.log_groups import add_log_group

# What both sides may agree on, phase 1 and 2 alike. Left out, AWS accepts IKEv1, SHA-1 and the 1024-bit group 2 too.
# https://docs.aws.amazon.com/vpn/latest/s2svpn/tunnel-configure.html
_CIPHERS = ("AES256-GCM-16",)
_INTEGRITY = ("SHA2-384", "SHA2-512")
_ELLIPTIC_GROUPS = (19, 20, 21)


def add(stack: Stack, vpn: Vpn, vpc: Ref, route_tables: Sequence[Ref], logs_key: Ref) -> Ref:
    """Add both gateways, the connection and the propagation of its routes; returns the connection's id."""
    customer = stack.add(
        ec2.CustomerGateway(
            "CustomerGateway",
            Type="ipsec.1",
            IpAddress=vpn.customer_gateway_ip,
            BgpAsn=vpn.bgp_asn,
            DeviceName=f"data-center-{stack.settings.suffix}",
        ),
        name="customer-gateway",
    )
    gateway = stack.add(ec2.VPNGateway("VpnGateway", Type="ipsec.1"), name="vpn-gateway")
    attachment = stack.add(
        ec2.VPCGatewayAttachment("VpnGatewayAttachment", VpcId=vpc, VpnGatewayId=Ref(gateway)),
    )
    log_group = add_log_group(stack, "VpnLogGroup", stack.name(names.VENDED_LOG_GROUP, "vpn"), logs_key)
    connection = stack.add(
        ec2.VPNConnection(
            "VpnConnection",
            Type="ipsec.1",
            CustomerGatewayId=Ref(customer),
            VpnGatewayId=Ref(gateway),
            StaticRoutesOnly=False,
            # AWS makes the keys and keeps them in Secrets Manager: they stand in no template, and no describe call
            # shows them.
            PreSharedKeyStorage="SecretsManager",
            VpnTunnelOptionsSpecifications=[_tunnel(log_group.title) for _ in range(2)],
        ),
        name="vpn-connection",
        excepted={"I3037": "The tunnels of a connection are a pair for redundancy: both take the same options"},
    )
    stack.add(
        ec2.VPNGatewayRoutePropagation(
            "VpnRoutes",
            VpnGatewayId=Ref(gateway),
            RouteTableIds=list(route_tables),
            # Propagation fails until the gateway is attached, and nothing refers to the attachment.
            DependsOn=attachment.title,
        )
    )
    return Ref(connection)


def _tunnel(log_group: str) -> ec2.VpnTunnelOptionsSpecification:
    # Without the trailing ":*" that the attribute Arn of a log group has.
    group = arn("logs", f"log-group:${{{log_group}}}")
    return ec2.VpnTunnelOptionsSpecification(
        IKEVersions=[ec2.IKEVersionsRequestListValue(Value="ikev2")],
        Phase1EncryptionAlgorithms=[ec2.Phase1EncryptionAlgorithmsRequestListValue(Value=item) for item in _CIPHERS],
        Phase1IntegrityAlgorithms=[ec2.Phase1IntegrityAlgorithmsRequestListValue(Value=item) for item in _INTEGRITY],
        Phase1DHGroupNumbers=[ec2.Phase1DHGroupNumbersRequestListValue(Value=item) for item in _ELLIPTIC_GROUPS],
        Phase2EncryptionAlgorithms=[ec2.Phase2EncryptionAlgorithmsRequestListValue(Value=item) for item in _CIPHERS],
        Phase2IntegrityAlgorithms=[ec2.Phase2IntegrityAlgorithmsRequestListValue(Value=item) for item in _INTEGRITY],
        Phase2DHGroupNumbers=[ec2.Phase2DHGroupNumbersRequestListValue(Value=item) for item in _ELLIPTIC_GROUPS],
        # AWS calls first, and again when the data centre falls silent: the cutover waits for no one to send traffic.
        StartupAction="start",
        DPDTimeoutAction="restart",
        LogOptions=ec2.VpnTunnelLogOptionsSpecification(
            CloudwatchLogOptions=ec2.CloudwatchLogOptionsSpecification(
                LogEnabled=True,
                LogGroupArn=group,
                LogOutputFormat="json",
                BgpLogEnabled=True,
                BgpLogGroupArn=group,
                BgpLogOutputFormat="json",
            )
        ),
    )
