"""The port matrix: who may reach what, derived from the declaration. What is not listed is denied.

Every row is the smallest that works, measured with real agents behind a packet filter. Two facts decide what is not
there. Sidecars on VMs speak to the agent of their own machine over its loopback, so Nomad's clients need no API of a
server. And a load balancer of AKS leaves the destination of a packet alone (floating IP, the default of
cloud-provider-azure), so a Service is reached on its own port, and neither node ports nor container ports are opened.
"""

from collections.abc import Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass
from ipaddress import IPv4Network, collapse_addresses
from typing import Final, Literal, NamedTuple
from zlib import crc32

from mesh import ports
from mesh.azure.network import Role, subnets
from mesh.model import ApiGateway, Environment, Gateway, IngressGateway, Partition
from mesh.topology import gateways_on

Protocol = Literal["Tcp", "Udp", "*"]
PortRange = tuple[int, int]
ServiceTag = Literal["AzureLoadBalancer", "VirtualNetwork"]

DENY_PRIORITY: Final = 4096
"""Last of the custom rules, and before Azure's ``AllowVnetInBound`` (65000), which lets everything inside through."""

GATEWAY_PRIORITIES: Final = range(1000, 4000)

AGENTS: Final[tuple[Role, ...]] = ("servers", "clients")
CLUSTER: Final[tuple[Role, ...]] = ("cluster-nodes", "cluster-pods")
"""Pods keep their address; what runs in a node's network has the node's."""


@dataclass(frozen=True, slots=True)
class Source:
    """Where packets come from.

    Attributes:
        name: A role, an address range or a service tag.
        range: Its addresses; ``None`` for a service tag, which Azure resolves.
    """

    name: str
    range: IPv4Network | None


@dataclass(frozen=True, slots=True)
class PortRule:
    """A row of the matrix: one inbound rule of the destination's security group.

    Attributes:
        destination: Role of the subnet that the rule protects.
        priority: Unique within the destination; the lowest match decides. Fixed for each row, whatever other rows there
            are: Azure refuses two rules of one priority, also for the moment in which a plan moves them.
        name: Unique within the destination.
        ports: Destination ports, from and to; every port when empty.
        sources: Who is meant.
        why: What needs it; shown in Azure, at most 140 characters.
        protocol: Transport protocol; ``*`` for all.
        access: Whether it lets through or not.
    """

    destination: Role
    priority: int
    name: str
    ports: tuple[PortRange, ...]
    sources: tuple[Source, ...]
    why: str
    protocol: Protocol
    access: Literal["Allow", "Deny"]

    @property
    def tag(self) -> str | None:
        """The service tag, if that is what the rule is about."""
        return next((source.name for source in self.sources if source.range is None), None)

    @property
    def source_ranges(self) -> tuple[IPv4Network, ...]:
        """Addresses of all sources, none of them twice: Azure refuses a rule whose ranges overlap."""
        return tuple(collapse_addresses(source.range for source in self.sources if source.range is not None))

    @property
    def port_texts(self) -> tuple[str, ...]:
        """Ports as Azure writes them."""
        return tuple(str(low) if low == high else f"{low}-{high}" for low, high in self.ports)

    def decides(self, source: IPv4Network, port: int, protocol: Protocol) -> bool:
        """Whether the rule is about packets from a range inside the virtual network."""
        return (
            self.protocol in {protocol, "*"}
            and (not self.ports or any(low <= port <= high for low, high in self.ports))
            and (self.tag == "VirtualNetwork" or any(source.subnet_of(known) for known in self.source_ranges))
        )


def rules(environment: Environment) -> tuple[PortRule, ...]:
    """The port matrix, by destination and priority."""
    ranges: dict[str, IPv4Network] = {subnet.role: subnet.range for subnet in subnets(environment)}
    return tuple(
        _rule(destination, row, ranges)
        for destination, rows in _matrix(environment).items()
        for row in sorted([*rows, _DENY], key=lambda row: row.priority)
    )


def allowed(environment: Environment, source: Role, destination: Role, port: int, protocol: Protocol = "Tcp") -> bool:
    """Whether a packet from one subnet may enter another.

    Azure Bastion's subnet has no rules of ours: Azure lets everything inside the virtual network in.
    """
    ranges = {subnet.role: subnet.range for subnet in subnets(environment)}
    for rule in rules(environment):
        if rule.destination == destination and rule.decides(ranges[source], port, protocol):
            return rule.access == "Allow"
    return True


class _Row(NamedTuple):
    """A rule before its destination and addresses are known."""

    priority: int
    name: str
    ports: Sequence[int | PortRange]
    sources: Sequence[Role | ServiceTag | IPv4Network]
    why: str
    protocol: Protocol = "Tcp"
    access: Literal["Allow", "Deny"] = "Allow"


_DENY: Final = _Row(
    DENY_PRIORITY,
    "deny-virtual-network",
    [],
    ["VirtualNetwork"],
    "Everything else inside; Azure would let it through",
    "*",
    "Deny",
)


def _matrix(environment: Environment) -> Mapping[Role, Iterable[_Row]]:
    people: tuple[Role, ...] = ("runner", "bastion") if environment.platform.cloud.bastion else ("runner",)
    ssh = [_Row(300, "ssh", [ports.SSH], ["bastion"], "People, through Azure Bastion")] if "bastion" in people else []
    inside: tuple[Role, ...] = ("clients", *CLUSTER, *people)
    return {
        "servers": [*_servers(environment, people), *ssh],
        "clients": [*_clients(environment), *_gateways(gateways_on(environment, ApiGateway), inside), *ssh],
        "runner": ssh,
        "cluster-nodes": [*_nodes(environment), *_gateways(gateways_on(environment, IngressGateway), inside)],
        "cluster-pods": _pods(environment),
    }


def _servers(environment: Environment, people: tuple[Role, ...]) -> Iterator[_Row]:
    platform = environment.platform
    api = ports.server_api(platform)
    # With ACLs, Consul's servers fetch the keys with which Nomad's sign the identities of workloads.
    nomad_api: tuple[Role, ...] = ("servers", *people) if platform.acl else people
    yield _Row(100, "consul-rpc", [ports.CONSUL_RPC], AGENTS, "Consul's agents call the servers")
    yield from _gossip()
    yield _Row(130, "consul-api", [api.http], (*CLUSTER, *people), "The chart's jobs and injector; Terraform, people")
    yield _Row(140, "consul-xds", [api.grpc], CLUSTER, "Sidecars of pods, which have no agent of their own")
    yield _Row(150, "nomad-api", [ports.NOMAD_HTTP], nomad_api, "Terraform, people; keys of the workloads' identities")
    yield _Row(160, "nomad-rpc", [ports.NOMAD_RPC], AGENTS, "Nomad's clients register and fetch their work")
    yield _Row(170, "nomad-gossip-tcp", [ports.NOMAD_GOSSIP], ["servers"], "Nomad's servers find each other")
    yield _Row(180, "nomad-gossip-udp", [ports.NOMAD_GOSSIP], ["servers"], "Nomad's servers probe each other", "Udp")


def _clients(environment: Environment) -> Iterator[_Row]:
    topology = environment.platform.topology
    crosses = isinstance(topology, Partition)
    callers: tuple[Role, ...] = ("clients",) if crosses else ("clients", *CLUSTER)
    yield from _gossip()
    yield _Row(200, "sidecars", [ports.NOMAD_DYNAMIC], callers, "Calls to services on Nomad arrive at their sidecars")
    if isinstance(topology, Partition):
        why = "The VMs' mesh gateway: calls between the partitions"
        yield _Row(210, "mesh-gateway", [topology.gateway_port], ("clients", *CLUSTER), why)


def _gossip() -> Iterator[_Row]:
    """Every agent of Consul with every other. Pods have no agents."""
    yield _Row(110, "consul-gossip-tcp", [ports.CONSUL_GOSSIP], AGENTS, "Consul's agents join and find each other")
    yield _Row(120, "consul-gossip-udp", [ports.CONSUL_GOSSIP], AGENTS, "Consul's agents probe each other", "Udp")


def _nodes(environment: Environment) -> Iterator[_Row]:
    yield _inside_cluster()
    yield _Row(110, "load-balancer-probes", [], ["AzureLoadBalancer"], "Health probes of AKS's load balancers", "*")
    if isinstance(environment.platform.topology, Partition):
        why = "The cluster's mesh gateway: calls between the partitions"
        yield _Row(210, "mesh-gateway", [ports.CLUSTER_MESH_GATEWAY], ["clients"], why)


def _pods(environment: Environment) -> Iterator[_Row]:
    yield _inside_cluster()
    if not isinstance(environment.platform.topology, Partition):
        why = "Calls to services on Kubernetes arrive at their sidecars"
        yield _Row(200, "sidecars", [ports.POD_SIDECAR], ["clients"], why)


def _inside_cluster() -> _Row:
    return _Row(100, "cluster", [], CLUSTER, "Nodes and pods among themselves, as AKS requires", "*")


def _gateways(gateways: Iterable[Gateway], inside: tuple[Role, ...]) -> Iterator[_Row]:
    """One row for each gateway.

    Its priority follows from its name, so that another gateway that comes or goes does not move it.
    """
    taken: set[int] = set()
    for gateway in sorted(gateways, key=lambda gateway: gateway.name):
        priority = _free(crc32(gateway.name.encode()), taken)
        taken.add(priority)
        yield _Row(
            priority,
            f"gateway-{gateway.name}",
            sorted({listener.port for listener in gateway.listeners}),
            (*inside, *gateway.open_to),
            "Listeners of a gateway into the mesh",
        )


def _free(start: int, taken: set[int]) -> int:
    count = len(GATEWAY_PRIORITIES)
    return next(
        priority for step in range(count) if (priority := GATEWAY_PRIORITIES[(start + step) % count]) not in taken
    )


def _rule(destination: Role, row: _Row, ranges: Mapping[str, IPv4Network]) -> PortRule:
    return PortRule(
        destination,
        row.priority,
        row.name,
        tuple((port, port) if isinstance(port, int) else port for port in row.ports),
        tuple(_source(source, ranges) for source in row.sources),
        row.why,
        row.protocol,
        row.access,
    )


def _source(source: str | IPv4Network, ranges: Mapping[str, IPv4Network]) -> Source:
    if isinstance(source, IPv4Network):
        return Source(str(source), source)
    return Source(source, ranges.get(source))  # a service tag is no subnet of ours
