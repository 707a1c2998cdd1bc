"""Corrections to moto's networks."""

from __future__ import annotations

import re
from typing import Any

from localaws.shims.patch import added, around

# https://docs.aws.amazon.com/vpc/latest/userguide/working-with-aws-managed-prefix-lists.html
_PREFIX_LISTS = {
    "com.amazonaws.us-east-1.s3": "pl-63a5400a",
    "com.amazonaws.us-east-1.dynamodb": "pl-02cd2c6b",
}
_AWS_SERVICE = re.compile(r"com\.amazonaws\.[a-z]+-[a-z-]+-\d(\.[a-z0-9-]+)+")
_TUNNELS = 2
_OUTSIDE = "203.0.113."  # for documentation, RFC 5737


def know_the_prefix_lists_of_gateways() -> None:
    """AWS's prefix lists have the same ids in every account; moto makes some up.

    The route of a gateway endpoint shows the id.
    """
    from moto.ec2.models import EC2Backend

    @around(EC2Backend, "create_default_pls")
    def create_default_prefix_lists(original: Any, self: Any) -> None:
        original(self)
        for made in list(self.managed_prefix_lists.values()):
            if (known := _PREFIX_LISTS.get(made.prefix_list_name)) is not None:
                del self.managed_prefix_lists[made.id]
                made.id = known
                made.prefix_list_arn = made.arn(self.region_name, made.owner_id)
                self.managed_prefix_lists[known] = made


def change_endpoints() -> None:
    """ModifyVpcEndpoint removes the route tables it should add, touches no route, ignores DNS and ResetPolicy.

    https://docs.aws.amazon.com/AWSEC2/latest/APIReference/API_ModifyVpcEndpoint.html
    """
    import json

    from moto.core.responses import ActionResult
    from moto.ec2.models.vpcs import VPCEndPoint
    from moto.ec2.responses import EC2Response
    from moto.ec2.utils import random_private_ip

    @added(EC2Response)
    def modify_vpc_endpoint(self: Any) -> Any:
        backend = self.ec2_backend
        endpoint = backend.describe_vpc_endpoints(vpc_end_point_ids=[self._get_param("VpcEndpointId")])[0]
        names = ("SubnetIds", "RouteTableIds", "SecurityGroupIds")
        add = {name: self._get_param(f"Add{name}", []) for name in names}
        remove = {name: self._get_param(f"Remove{name}", []) for name in names}
        policy = self._get_param("PolicyDocument")
        if self._get_bool_param("ResetPolicy"):
            policy = json.dumps(VPCEndPoint.DEFAULT_POLICY)
        endpoint.modify(policy, *(side[name] for name in names for side in (add, remove)))
        if (private := self._get_bool_param("PrivateDnsEnabled")) is not None:
            endpoint.private_dns_enabled = private
        for table in remove["RouteTableIds"]:
            backend.delete_route(table, None, None, endpoint.destination_prefix_list_id)
        for table in add["RouteTableIds"]:
            prefix_list = endpoint.destination_prefix_list_id
            backend.create_route(table, None, gateway_id=endpoint.id, destination_prefix_list_id=prefix_list)
        for subnet in add["SubnetIds"]:
            endpoint.network_interface_ids.append(backend.create_network_interface(subnet, random_private_ip()).id)
        for interface in list(endpoint.network_interface_ids):
            if backend.enis[interface].subnet.id in remove["SubnetIds"]:
                endpoint.network_interface_ids.remove(interface)
                del backend.enis[interface]
        return ActionResult({"Return": True})


def name_interface_endpoints() -> None:
    """The name of an interface endpoint ends in its service, its region and vpce.amazonaws.com; moto's does not.

    https://docs.aws.amazon.com/vpc/latest/privatelink/privatelink-access-aws-services.html
    """
    from moto.ec2.models import vpcs

    @around(vpcs, "create_dns_entries")
    def create_dns_entries(original: Any, service_name: str, vpc_endpoint_id: str) -> Any:
        entry = original(service_name, vpc_endpoint_id)
        if not _AWS_SERVICE.fullmatch(service_name):
            return entry
        _, _, region, *service = service_name.split(".")
        name = f"{vpc_endpoint_id}-{vpc_endpoint_id[-8:]}.{'.'.join(reversed(service))}.{region}.vpce.amazonaws.com"
        return {**entry, "dns_name": name}


def take_interfaces_of_nat_gateways_along() -> None:
    """DeleteNatGateway leaves the gateway's network interface behind, in a subnet that is then never empty.

    https://docs.aws.amazon.com/vpc/latest/userguide/nat-gateway-basics.html
    """
    from moto.ec2.models import EC2Backend

    @around(EC2Backend, "delete_nat_gateway")
    def delete_nat_gateway(original: Any, self: Any, nat_gateway_id: str) -> Any:
        gateway = original(self, nat_gateway_id)
        self.enis.pop(gateway._eni.id, None)  # noqa: SLF001 - moto tells it in no other way
        return gateway


def propagate_routes_of_vpn_gateways() -> None:
    """EnableVgwRoutePropagation and DisableVgwRoutePropagation are missing.

    https://docs.aws.amazon.com/AWSEC2/latest/APIReference/API_EnableVgwRoutePropagation.html
    """
    from moto.core.responses import EmptyResult
    from moto.ec2.responses import EC2Response

    def change(response: Any, *, enabled: bool) -> Any:
        read = response._get_param  # noqa: SLF001 - moto's own way to read a request
        gateway = response.ec2_backend.get_vpn_gateway(read("GatewayId")).id
        table = response.ec2_backend.get_route_table(read("RouteTableId"))
        others = [one for one in getattr(table, "propagating_vgws", []) if one["GatewayId"] != gateway]
        table.propagating_vgws = [*others, {"GatewayId": gateway}] if enabled else others
        return EmptyResult()

    @added(EC2Response)
    def enable_vgw_route_propagation(self: Any) -> Any:
        return change(self, enabled=True)

    @added(EC2Response)
    def disable_vgw_route_propagation(self: Any) -> Any:
        return change(self, enabled=False)


def keep_the_names_of_customer_devices() -> None:
    """CreateCustomerGateway forgets DeviceName.

    https://docs.aws.amazon.com/AWSEC2/latest/APIReference/API_CreateCustomerGateway.html
    """
    from moto.ec2.responses import EC2Response

    @around(EC2Response, "create_customer_gateway")
    def create_customer_gateway(original: Any, self: Any) -> Any:
        answer = original(self)
        answer.result["CustomerGateway"].device_name = self._get_param("DeviceName")
        return answer


def keep_the_options_of_vpn_connections() -> None:
    """CreateVpnConnection forgets its options, ModifyVpnConnection and ModifyVpnTunnelOptions are missing.

    A connection has two tunnels, whatever it is given.
    https://docs.aws.amazon.com/AWSEC2/latest/APIReference/API_VpnConnectionOptions.html
    """
    from moto.core.responses import ActionResult
    from moto.ec2.responses import EC2Response

    @around(EC2Response, "create_vpn_connection")
    def create_vpn_connection(original: Any, self: Any) -> Any:
        answer = original(self)
        connection = answer.result["VpnConnection"]
        given = self._get_param("Options") or {}
        tunnels = [*given.get("TunnelOptions", []), {}, {}][:_TUNNELS]
        first = 1 + _TUNNELS * (len(self.ec2_backend.vpn_connections) - 1)
        connection.options = {
            "StaticRoutesOnly": False,
            "TunnelInsideIpVersion": "ipv4",
            **{name: value for name, value in given.items() if name != "TunnelOptions"},
            "TunnelOptions": [
                {"OutsideIpAddress": f"{_OUTSIDE}{(first + number) % 254 + 1}", **_told(tunnel)}
                for number, tunnel in enumerate(tunnels)
            ],
        }
        if self._get_param("PreSharedKeyStorage") == "SecretsManager":
            account = f"{self.region}:{self.current_account}"
            connection.pre_shared_key_arn = f"arn:aws:secretsmanager:{account}:secret:s2svpn!{connection.id}"
        return answer

    @added(EC2Response)
    def modify_vpn_connection(self: Any) -> Any:
        connection = _connection(self)
        for parameter, attribute in (("CustomerGatewayId", "customer_gateway_id"), ("VpnGatewayId", "vpn_gateway_id")):
            if value := self._get_param(parameter):
                setattr(connection, attribute, value)
        return ActionResult({"VpnConnection": connection})

    @added(EC2Response)
    def modify_vpn_tunnel_options(self: Any) -> Any:
        connection = _connection(self)
        address = self._get_param("VpnTunnelOutsideIpAddress")
        tunnel = next((one for one in connection.options["TunnelOptions"] if one["OutsideIpAddress"] == address), None)
        if tunnel is None:
            from moto.ec2.exceptions import InvalidParameterValueError

            raise InvalidParameterValueError(address)
        tunnel.update(_told(self._get_param("TunnelOptions")))
        return ActionResult({"VpnConnection": connection})


def _connection(response: Any) -> Any:
    name = response._get_param("VpnConnectionId")  # noqa: SLF001 - moto's own way to read a request
    return response.ec2_backend.describe_vpn_connections(vpn_connection_ids=[name])[0]


def _told(tunnel: dict[str, Any]) -> dict[str, Any]:
    """A tunnel as it is described: some names differ from those by which it is given."""
    return {name.replace("IKE", "Ike").replace("DPD", "Dpd"): value for name, value in tunnel.items()}
