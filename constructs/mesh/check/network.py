"""Rules about address ranges."""

from collections.abc import Iterator
from dataclasses import fields
from ipaddress import IPv4Network
from itertools import combinations
from typing import Final

from mesh.addresses import PRIVATE, is_private
from mesh.azure.cluster import SURGE
from mesh.findings import Finding
from mesh.model.environment import Environment
from mesh.model.platform import NetworkPlan

TAKEN: Final = {
    "Docker's bridge": IPv4Network("172.17.0.0/16"),
    "Nomad's bridge": IPv4Network("172.26.64.0/20"),
    "AKS (172.30.0.0/16)": IPv4Network("172.30.0.0/16"),
    "AKS (172.31.0.0/16)": IPv4Network("172.31.0.0/16"),
    "AKS (192.0.2.0/24)": IPv4Network("192.0.2.0/24"),
    "link-local addresses": IPv4Network("169.254.0.0/16"),
}
"""Ranges that software on the machines or AKS itself uses; a subnet there would be unreachable from them."""

AZURE_KEEPS: Final = 5
"""Addresses of each subnet that Azure keeps: the first four and the last."""

AZURE_SMALLEST: Final = 29
BASTION_SMALLEST: Final = 26
LARGEST_SERVICES: Final = 13
SMALLEST_SERVICES: Final = 24
"""AKS wants a range of Services smaller than a /12; a small one runs out of Services."""
POD_BATCH: Final = 16
"""AKS takes pod addresses for a node in batches of 16."""


def check(environment: Environment) -> Iterator[Finding]:
    """Findings about the network plan."""
    plan = environment.platform.network
    ranges = {field.name: getattr(plan, field.name) for field in fields(NetworkPlan)}
    yield from _private(ranges)
    yield from _inside(ranges)
    yield from _disjoint(ranges)
    yield from _room(environment)


def surge_nodes(nodes: int) -> int:
    """Nodes while the cluster is upgraded: 33 % more, rounded up."""
    return nodes + -(-nodes * SURGE // 100)


def pod_addresses(nodes: int, max_pods: int) -> int:
    """Addresses that the pod subnet must hold, upgrades included."""
    return surge_nodes(nodes) * -(-max_pods // POD_BATCH) * POD_BATCH


def _private(ranges: dict[str, IPv4Network]) -> Iterator[Finding]:
    for name, network in ranges.items():
        if not is_private(network):
            yield Finding(
                _path(name),
                "network-public",
                f"{network} is not a private range",
                f"choose one inside {', '.join(map(str, PRIVATE))}",
            )


def _inside(ranges: dict[str, IPv4Network]) -> Iterator[Finding]:
    whole = ranges["virtual_network"]
    for name, network in ranges.items():
        if name not in {"virtual_network", "cluster_services"} and not network.subnet_of(whole):
            yield Finding(
                _path(name),
                "network-outside",
                f"{network} is not inside the virtual network {whole}",
                f"choose a subnet of {whole}",
            )


def _disjoint(ranges: dict[str, IPv4Network]) -> Iterator[Finding]:
    subnets = {name: network for name, network in ranges.items() if name != "virtual_network"}
    for (one, first), (other, second) in combinations(subnets.items(), 2):
        if first.overlaps(second):
            yield Finding(
                _path(other),
                "network-overlap",
                f"{second} overlaps {one} ({first})",
                "choose ranges that share no address",
            )
    services, whole = ranges["cluster_services"], ranges["virtual_network"]
    if services.overlaps(whole):
        yield Finding(
            _path("cluster_services"),
            "network-overlap",
            f"{services} overlaps the virtual network {whole}",
            "choose a range outside the virtual network",
        )
    for name, network in ranges.items():
        for owner, taken in TAKEN.items():
            if network.overlaps(taken):
                yield Finding(
                    _path(name),
                    "network-taken",
                    f"{network} overlaps {owner}, {taken}",
                    "choose another range",
                )


def _room(environment: Environment) -> Iterator[Finding]:
    platform = environment.platform
    plan, cluster = platform.network, platform.cluster
    needed = {
        "servers": platform.servers,
        "clients": platform.clients,
        "runner": 1,
        "cluster_nodes": surge_nodes(cluster.nodes) + len(environment.gateways) + 1,
        "cluster_pods": pod_addresses(cluster.nodes, cluster.max_pods),
    }
    for name, count in needed.items():
        network: IPv4Network = getattr(plan, name)
        room = network.num_addresses - AZURE_KEEPS
        if network.prefixlen > AZURE_SMALLEST or room < count:
            yield Finding(
                _path(name),
                "network-small",
                f"{network} has room for {max(room, 0)} addresses; {count} are needed",
                "choose a larger range",
            )
    services = plan.cluster_services
    if not LARGEST_SERVICES <= services.prefixlen <= SMALLEST_SERVICES:
        yield Finding(
            _path("cluster_services"),
            "network-size",
            f"{services} is not between a /{SMALLEST_SERVICES} and a /{LARGEST_SERVICES}",
            "choose another size",
        )
    if platform.azure and platform.azure.bastion and plan.bastion.prefixlen > BASTION_SMALLEST:
        yield Finding(
            _path("bastion"),
            "network-small",
            f"{plan.bastion} is smaller than the /{BASTION_SMALLEST} that Azure Bastion needs",
            f"choose at least a /{BASTION_SMALLEST}",
        )


def _path(name: str) -> str:
    return f"platform.network.{name}"
