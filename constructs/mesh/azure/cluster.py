"""The AKS cluster as a plain value."""

from dataclasses import dataclass
from ipaddress import IPv4Address, IPv4Network
from typing import Final

from mesh import names
from mesh.model import Environment

SURGE: Final = 33
"""Percent of the nodes that are added while the cluster is upgraded."""

DNS_SERVICE: Final = 10
"""Position of the cluster's DNS server in the range of Services, as everywhere in Kubernetes."""


@dataclass(frozen=True, slots=True)
class ManagedCluster:
    """What distinguishes the cluster of one environment; what all have in common is in its construct.

    Attributes:
        name: Its name on Azure.
        dns_prefix: First part of the API server's name.
        version: Kubernetes minor version.
        tier: ``Standard`` has an agreed uptime of the API server, worth its price where machines spread over zones.
        nodes: Nodes of the one pool.
        size: VM size of a node.
        max_pods: Pods of one node.
        max_surge: Nodes that are added while the cluster is upgraded; the pods' subnet has room for theirs.
        zones: Availability zones of the nodes; none when empty.
        services: Virtual addresses of Services.
        dns_server: Address of the cluster's DNS server, among them.
        operator_networks: Ranges outside that alone reach the API server; everybody (who can sign in) when empty.
    """

    name: str
    dns_prefix: str
    version: str
    tier: str
    nodes: int
    size: str
    max_pods: int
    max_surge: str
    zones: tuple[str, ...]
    services: IPv4Network
    dns_server: IPv4Address
    operator_networks: tuple[IPv4Network, ...]


def managed_cluster(environment: Environment) -> ManagedCluster:
    """The cluster of an environment."""
    platform = environment.platform
    services = platform.network.cluster_services
    return ManagedCluster(
        name=names.cluster(environment),
        dns_prefix=names.base(environment),
        version=platform.cluster.version,
        tier="Standard" if platform.cloud.zones else "Free",
        nodes=platform.cluster.nodes,
        size=platform.cluster.size,
        max_pods=platform.cluster.max_pods,
        max_surge=f"{SURGE}%",
        zones=tuple(platform.cloud.zones),
        services=services,
        dns_server=services[DNS_SERVICE],
        operator_networks=tuple(platform.cloud.operator_networks),
    )
