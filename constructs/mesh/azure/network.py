"""The virtual network of an environment as plain values: subnets, the way out, the names of the servers."""

from dataclasses import dataclass
from ipaddress import IPv4Address, IPv4Network
from typing import Final, Literal

from mesh import names
from mesh.model import Environment
from mesh.topology import consul_host, nomad_host

Role = Literal["servers", "clients", "runner", "cluster-nodes", "cluster-pods", "bastion"]
"""What a subnet is for. Everything that speaks of a place in the network uses these words."""

KEY_VAULT: Final = "Microsoft.KeyVault"
"""Service endpoint: the subnet reaches Key Vaults under its own addresses, so that the vault can admit the subnet."""

MANAGED_CLUSTERS: Final = "Microsoft.ContainerService/managedClusters"
"""Azure service to which the pods' subnet is delegated. AKS does so itself; undeclared, every plan would undo it."""


@dataclass(frozen=True, slots=True)
class Subnet:
    """A subnet.

    Attributes:
        role: What it is for.
        name: Its name on Azure.
        range: Its addresses.
        security_group: Name of its security group. Azure Bastion has none: Azure guards it, and a group that lacks one
            of the rules it needs would cut it off (https://learn.microsoft.com/azure/bastion/bastion-nsg).
        service_endpoints: Azure services that it reaches directly.
        delegated_to: Azure service that puts its own things there.
        nat: Whether its way out is the NAT gateway.
        private: Whether Azure's implicit way out is closed. Left alone where Azure runs what is in the subnet
            (https://learn.microsoft.com/azure/virtual-network/ip-services/default-outbound-access).
    """

    role: Role
    name: str
    range: IPv4Network
    security_group: str | None
    service_endpoints: tuple[str, ...] = ()
    delegated_to: str | None = None
    nat: bool = True
    private: bool = True


@dataclass(frozen=True, slots=True)
class ServerNames:
    """Names under which all servers together are found.

    Names and not a load balancer: a machine behind an internal load balancer cannot reach itself through it, and the
    chart finds every server by itself and dials it directly.

    Attributes:
        zone: The private DNS zone.
        names: Names in it.
        addresses: What each of them means.
    """

    zone: str
    names: tuple[str, ...]
    addresses: tuple[IPv4Address, ...]


@dataclass(frozen=True, slots=True)
class VirtualNetwork:
    """The virtual network.

    Attributes:
        name: Its name on Azure.
        range: Holds every subnet.
        subnets: Its parts.
        nat_gateway: Name of the NAT gateway, the one way out: no machine has a public address.
        nat_address: Name of the gateway's public address.
        zones: Availability zones in use; none when empty.
        server_names: Names of the servers; none when their one address is enough.
    """

    name: str
    range: IPv4Network
    subnets: tuple[Subnet, ...]
    nat_gateway: str
    nat_address: str
    zones: tuple[str, ...]
    server_names: ServerNames | None


def virtual_network(environment: Environment) -> VirtualNetwork:
    """The virtual network of an environment."""
    return VirtualNetwork(
        name=names.virtual_network(environment),
        range=environment.platform.network.virtual_network,
        subnets=subnets(environment),
        nat_gateway=names.nat_gateway(environment),
        nat_address=names.public_ip(environment, "egress"),
        zones=tuple(environment.platform.cloud.zones),
        server_names=_server_names(environment),
    )


def subnets(environment: Environment) -> tuple[Subnet, ...]:
    """Every subnet; one for Azure Bastion only where people use it."""
    plan = environment.platform.network
    with_vault = (KEY_VAULT,)
    found = [
        _subnet(environment, "servers", plan.servers, service_endpoints=with_vault),
        _subnet(environment, "clients", plan.clients, service_endpoints=with_vault),
        _subnet(environment, "runner", plan.runner, service_endpoints=with_vault),
        _subnet(environment, "cluster-nodes", plan.cluster_nodes),
        _subnet(environment, "cluster-pods", plan.cluster_pods, delegated_to=MANAGED_CLUSTERS),
    ]
    if environment.platform.cloud.bastion:
        found.append(
            Subnet("bastion", names.subnet("bastion"), plan.bastion, security_group=None, nat=False, private=False)
        )
    return tuple(found)


def _subnet(
    environment: Environment,
    role: Role,
    addresses: IPv4Network,
    *,
    service_endpoints: tuple[str, ...] = (),
    delegated_to: str | None = None,
) -> Subnet:
    return Subnet(
        role,
        names.subnet(role),
        addresses,
        security_group=names.security_group(environment, role),
        service_endpoints=service_endpoints,
        delegated_to=delegated_to,
        private=delegated_to is None,
    )


def _server_names(environment: Environment) -> ServerNames | None:
    zone = names.dns_zone(environment)
    hosts = (consul_host(environment), nomad_host(environment))
    relative = tuple(host.removesuffix(f".{zone}") for host in hosts if host.endswith(f".{zone}"))
    return ServerNames(zone, relative, environment.platform.server_addresses) if relative else None
