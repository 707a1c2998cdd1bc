"""Workloads: what stands in the subnets, gathered by security group, since a group is what a packet meets."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import dataclass

from compiler.diagram.network import UNKNOWN_ZONE, Network, Subnet
from compiler.diagram.paths import RULES, SECURITY_GROUP
from compiler.diagram.style import BLUE, ORANGE, PINK, PURPLE, SLATE, TEAL
from compiler.diagram.words import humanise, physical_name, plural, service_of
from compiler.resolve import NESTED, Resource, Tree

_SUBNET = "AWS::EC2::Subnet"
_BALANCER = "AWS::ElasticLoadBalancingV2::LoadBalancer"
_SERVICE = "AWS::ECS::Service"
_CLUSTER = "AWS::RDS::DBCluster"
_DB_INSTANCE = "AWS::RDS::DBInstance"
_REPLICATION = "AWS::DMS::ReplicationInstance"
_FUNCTION = "AWS::Lambda::Function"
_ENDPOINT = "AWS::EC2::VPCEndpoint"
# A resource that only lists subnets for others, who stand in them.
_SUBNET_GROUPS = ("AWS::RDS::DBSubnetGroup", "AWS::DMS::ReplicationSubnetGroup", "AWS::ElastiCache::SubnetGroup")


@dataclass(frozen=True, slots=True)
class Look:
    """How a kind of workload is drawn; `rank` orders the rows from the front door to the back."""

    rank: int
    title: str
    glyph: str
    colour: str
    chip: str


_LOOKS = {
    _BALANCER: Look(0, "Load balancer", "balancer", PURPLE, "node"),
    _SERVICE: Look(1, "ECS service", "container", ORANGE, "tasks"),
    _CLUSTER: Look(2, "Aurora cluster", "database", BLUE, ""),
    _REPLICATION: Look(3, "DMS replication instance", "replication", TEAL, ""),
    _FUNCTION: Look(4, "Lambda function", "function", PINK, "network interface"),
    _ENDPOINT: Look(7, "Interface endpoints", "plug", SLATE, "network interfaces"),
}
_OTHER = Look(5, "", "cube", SLATE, "network interface")
_EMPTY = Look(6, "Security group of nothing", "shield", SLATE, "")


@dataclass(frozen=True, slots=True)
class Row:
    """Members of one security group: drawn as a bar across the subnets they stand in.

    `key` is the group's address (a member's own, where it names no group). `chips` are texts by zone; `across` is one
    text for all of them, where AWS chooses the zone.
    """

    key: str
    look: Look
    title: str
    name: str
    group: str
    members: tuple[Resource, ...]
    facts: tuple[str, ...]
    subnets: tuple[Subnet, ...]
    chips: dict[str, str]
    across: str = ""

    @property
    def public(self) -> bool:
        """One public subnet is enough to be met from outside."""
        return any(subnet.public for subnet in self.subnets)


def read_rows(tree: Tree, network: Network) -> tuple[Row, ...]:
    """Every row, from the front door to the back."""
    by_address = {subnet.resource.address: subnet for subnet in network.subnets}
    members: dict[str, list[Resource]] = {group.address: [] for group in tree.of_type(SECURITY_GROUP)}
    for resource in tree.resources.values():
        if resource.type in (SECURITY_GROUP, *RULES.values(), *_SUBNET_GROUPS, NESTED):
            continue
        groups = [
            reference.target.resource.address
            for reference in tree.references(resource)
            if reference.target.resource.type == SECURITY_GROUP
        ]
        if resource.type in _LOOKS and not groups and _subnets(tree, resource, by_address):
            groups = [resource.address]
        for group in dict.fromkeys(groups):
            members.setdefault(group, []).append(resource)
    rows = [_row(tree, key, found, by_address) for key, found in members.items()]
    return tuple(sorted(rows, key=lambda row: (row.look.rank, row.key)))


def _subnets(tree: Tree, resource: Resource, by_address: dict[str, Subnet]) -> list[Subnet]:
    """The subnets that a resource names itself or through a subnet group."""
    found: list[Subnet] = []
    for reference in tree.references(resource):
        target = reference.target.resource
        if target.type == _SUBNET and target.address in by_address:
            found.append(by_address[target.address])
        elif target.type in _SUBNET_GROUPS:
            found += _subnets(tree, target, by_address)
    return list(dict.fromkeys(found))


def _row(tree: Tree, key: str, members: Sequence[Resource], by_address: dict[str, Subnet]) -> Row:
    ordered = sorted(members, key=lambda member: _LOOKS.get(member.type, _OTHER).rank)
    subnets = tuple(dict.fromkeys(s for member in ordered for s in _subnets(tree, member, by_address)))
    group = tree.resources[key] if key not in {member.address for member in members} else None
    group_name = "" if group is None else physical_name(tree, group) or humanise(group.logical_id)
    if not ordered:
        return Row(key, _EMPTY, _EMPTY.title, "", group_name, (), ("no resource uses it",), (), {})
    first = ordered[0]
    look = _LOOKS.get(first.type, _OTHER)
    chips = _instances(tree, first, by_address) if first.type == _CLUSTER else _chips(first, ordered, subnets, look)
    others = {humanise(member.type.rpartition("::")[2]) for member in ordered if member.type != first.type}
    return Row(
        key=key,
        look=look,
        title=_title(tree, first),
        name="" if first.type == _ENDPOINT else physical_name(tree, first) or humanise(first.logical_id),
        group=group_name,
        members=tuple(ordered),
        facts=(*_facts(tree, ordered), *(f"also: {other}" for other in sorted(others))),
        subnets=subnets,
        chips=chips,
        across=_across(first, subnets, chips),
    )


def _title(tree: Tree, resource: Resource) -> str:
    properties = resource.properties
    if resource.type == _BALANCER:
        return f"{str(properties.get('Type', 'application')).capitalize()} load balancer"
    if resource.type == _CLUSTER:
        engine = tree.text(resource.tier, properties.get("Engine"))
        return {"aurora-postgresql": "Aurora PostgreSQL", "aurora-mysql": "Aurora MySQL"}.get(
            engine, "Database cluster"
        )
    look = _LOOKS.get(resource.type, _OTHER)
    return look.title or humanise(resource.type.rpartition("::")[2])


# --- chips: what stands in which zone --------------------------------------------------------------------------------
def _chips(first: Resource, members: Sequence[Resource], subnets: Sequence[Subnet], look: Look) -> dict[str, str]:
    if first.type == _REPLICATION:
        return {}
    if first.type == _ENDPOINT and len(members) > 1:
        return {subnet.zone: f"{len(members)} {look.chip}" for subnet in subnets}
    return {subnet.zone: look.chip for subnet in subnets}


def _instances(tree: Tree, cluster: Resource, by_address: dict[str, Subnet]) -> dict[str, str]:
    """The writer and the readers by zone. The instance that waits for no other comes first, and becomes the writer."""
    instances = list(dict.fromkeys(r.source for r in tree.referrers(cluster) if r.source.type == _DB_INSTANCE))

    def order(instance: Resource) -> tuple[bool, int, str]:
        waits = any(reference.target.resource in instances for reference in tree.references(instance))
        return waits, int(instance.properties.get("PromotionTier", 1)), instance.logical_id

    chips: dict[str, str] = {}
    for index, instance in enumerate(sorted(instances, key=order)):
        written = instance.properties.get("AvailabilityZone")
        subnet = tree.target(instance.tier, written)
        where = by_address[subnet.address].zone if subnet else tree.text(instance.tier, written) or UNKNOWN_ZONE
        role = "writer" if index == 0 else f"reader {index}"
        text = f"{role} · {tree.text(instance.tier, instance.properties.get('DBInstanceClass'))}"
        chips[where] = f"{chips[where]}, {text}" if where in chips else text
    return chips


def _across(resource: Resource, subnets: Sequence[Subnet], chips: dict[str, str]) -> str:
    if resource.type != _REPLICATION:
        known = {subnet.zone for subnet in subnets}
        return "" if chips.keys() <= known else ", ".join(chips.values())
    if resource.properties.get("MultiAZ"):
        return "primary and standby, in two of these zones"
    return "one instance, in one of these zones"


# --- facts: what a reviewer asks of each kind ------------------------------------------------------------------------
def _balancer_facts(tree: Tree, members: Sequence[Resource]) -> list[str]:
    balancer = members[0]
    facts = [str(balancer.properties.get("Scheme", "internet-facing"))]
    referrers = [reference.source for reference in tree.referrers(balancer)]
    for protocol in ("HTTPS", "TLS", "HTTP", "TCP"):
        ports = sorted(
            int(listener.properties["Port"])
            for listener in referrers
            if listener.type == "AWS::ElasticLoadBalancingV2::Listener" and listener.properties["Protocol"] == protocol
        )
        if ports:
            facts.append(f"{protocol} {', '.join(map(str, ports))}")
    if any(source.type == "AWS::WAFv2::WebACLAssociation" for source in referrers):
        facts.append("WAF")
    return facts


def _service_facts(tree: Tree, members: Sequence[Resource]) -> list[str]:
    service = members[0]
    scaling = [r.source for r in tree.referrers(service) if "MinCapacity" in r.source.properties]
    facts = [str(service.properties.get("LaunchType", "")).capitalize()]
    if scaling:
        facts.append(f"{scaling[0].properties['MinCapacity']} to {scaling[0].properties['MaxCapacity']} tasks")
    else:
        facts.append(plural(int(service.properties.get("DesiredCount", 1)), "task"))
    strategy = str(service.properties.get("DeploymentConfiguration", {}).get("Strategy", "rolling"))
    return [*filter(None, facts), f"{strategy.lower().replace('_', '/')} deployment"]


def _cluster_facts(_tree: Tree, members: Sequence[Resource]) -> list[str]:
    cluster = members[0].properties
    facts = [f"version {cluster.get('EngineVersion', 'chosen by AWS')}"]
    facts.append("encrypted" if cluster.get("StorageEncrypted") else "not encrypted")
    return [*facts, f"backups {plural(int(cluster.get('BackupRetentionPeriod', 1)), 'day')}"]


def _replication_facts(tree: Tree, members: Sequence[Resource]) -> list[str]:
    instance = members[0]
    tasks = [
        f"{humanise(reference.source.logical_id).lower()} {reference.source.properties.get('MigrationType', '')}"
        for reference in tree.referrers(instance)
        if reference.source.type == "AWS::DMS::ReplicationTask"
    ]
    # The API's default. https://docs.aws.amazon.com/dms/latest/APIReference/API_CreateReplicationInstance.html
    exposed = ["publicly accessible"] if instance.properties.get("PubliclyAccessible", True) else []
    return [*exposed, str(instance.properties.get("ReplicationInstanceClass", "")), *tasks]


def _function_facts(_tree: Tree, members: Sequence[Resource]) -> list[str]:
    function = members[0].properties
    return [str(function.get("Runtime", "container image"))]


def _endpoint_facts(tree: Tree, members: Sequence[Resource]) -> list[str]:
    return sorted(service_of(tree, member) for member in members)


_FACTS: dict[str, Callable[[Tree, Sequence[Resource]], list[str]]] = {
    _BALANCER: _balancer_facts,
    _SERVICE: _service_facts,
    _CLUSTER: _cluster_facts,
    _REPLICATION: _replication_facts,
    _FUNCTION: _function_facts,
    _ENDPOINT: _endpoint_facts,
}


def _facts(tree: Tree, members: Sequence[Resource]) -> list[str]:
    kind = members[0].type
    return _FACTS[kind](tree, members) if kind in _FACTS else []
