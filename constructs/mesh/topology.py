"""Who calls whom, and in which cluster and partition everything lives.

The facts that entries, jobs, chart and firewall share. A cluster is ``None`` for the mesh's own, or the name of the
peered one.
"""

from collections.abc import Iterator
from dataclasses import dataclass
from typing import NamedTuple, TypeVar

from mesh import names
from mesh.model.environment import Environment
from mesh.model.gateway import Gateway
from mesh.model.platform import Flat, Partition, Peering, Platform
from mesh.model.service import Kubernetes, Nomad, Runtime, Service

DEFAULT = "default"
"""Partition of the VMs, and the one namespace in use."""

MESH_GATEWAY = "mesh-gateway"
"""Service name of the mesh gateways, on both sides."""


class Place(NamedTuple):
    """Where something lives in Consul, as one cluster names it.

    Attributes:
        partition: ``None`` in the Community Edition, which refuses to hear of partitions.
        namespace: ``None`` likewise.
        peer: The other cluster; ``None`` for what lives in the cluster itself.
    """

    partition: str | None
    namespace: str | None
    peer: str | None = None


def clusters(platform: Platform) -> tuple[str | None, ...]:
    """Every cluster of the mesh, its own first."""
    return (None, platform.topology.peer) if isinstance(platform.topology, Peering) else (None,)


def datacenter(platform: Platform, cluster: str | None) -> str:
    """The datacenter of a cluster, by which its peer knows it."""
    return cluster or platform.datacenter


def place(platform: Platform, runtime: Runtime, cluster: str | None = None) -> Place:
    """Where services of a runtime register, as ``cluster`` names it.

    A VM's services are in the partition of its Consul agent, which is ``default``.
    """
    there = runtime.peer if isinstance(runtime, Nomad) else None
    peer = None if there == cluster else datacenter(platform, there)
    if not platform.enterprise:
        return Place(None, None, peer)
    if isinstance(platform.topology, Partition) and isinstance(runtime, Kubernetes):
        return Place(platform.topology.name, DEFAULT, peer)
    return Place(DEFAULT, DEFAULT, peer)


def partitions(platform: Platform) -> tuple[str | None, ...]:
    """Every partition that hosts services, the VMs' first; ``(None,)`` in the Community Edition."""
    if not platform.enterprise:
        return (None,)
    if isinstance(platform.topology, Partition):
        return (DEFAULT, platform.topology.name)
    return (DEFAULT,)


def has_mesh_gateways(platform: Platform) -> bool:
    """Whether traffic between partitions or clusters goes through mesh gateways; a flat network has none."""
    return not isinstance(platform.topology, Flat)


@dataclass(frozen=True, slots=True)
class Caller:
    """A service or gateway that may call another service."""

    name: str
    place: Place


@dataclass(frozen=True, slots=True)
class Edge:
    """An allowed call: from it follow an intention and, across partitions or clusters, an export."""

    caller: Caller
    service: Service
    place: Place

    @property
    def crosses(self) -> bool:
        """Whether the call leaves its partition or cluster."""
        return self.caller.place != self.place


def edges(environment: Environment, cluster: str | None = None) -> Iterator[Edge]:
    """Every allowed call, with places as ``cluster`` names them: upstreams in declaration order, then listeners.

    Unknown names are skipped; the judge reports them.
    """
    platform = environment.platform
    services = environment.services_by_name()
    for service in environment.services:
        caller = Caller(service.name, place(platform, service.runs_on, cluster))
        for upstream in service.upstreams:
            if called := services.get(upstream.service):
                yield Edge(caller, called, place(platform, called.runs_on, cluster))
    for gateway in environment.gateways:
        caller = Caller(gateway.name, place(platform, gateway.runs_on, cluster))
        for name in dict.fromkeys(listener.to for listener in gateway.listeners):
            if called := services.get(name):
                yield Edge(caller, called, place(platform, called.runs_on, cluster))


_Kind = TypeVar("_Kind", bound=Gateway)


def gateways_on(environment: Environment, kind: type[_Kind]) -> tuple[_Kind, ...]:
    """Gateways of one kind, in declaration order."""
    return tuple(gateway for gateway in environment.gateways if isinstance(gateway, kind))


LOOPBACK = "127.0.0.1"

PEER_LOOPBACK = "127.0.0.2"
"""Leads to the agents of the peered cluster, by the same ports."""


def consul_host(environment: Environment, cluster: str | None = None) -> str:
    """What the chart and the providers dial: the one server's address, or the name of them all.

    Agents that are not on Azure are reached by the loopback.
    """
    if environment.platform.azure is None:
        return PEER_LOOPBACK if cluster else LOOPBACK
    addresses = environment.platform.server_addresses
    return str(addresses[0]) if len(addresses) == 1 else f"consul.{names.dns_zone(environment)}"


def nomad_host(environment: Environment, cluster: str | None = None) -> str:
    """What the Nomad provider dials; as :func:`consul_host`."""
    if environment.platform.azure is None:
        return PEER_LOOPBACK if cluster else LOOPBACK
    addresses = environment.platform.server_addresses
    return str(addresses[0]) if len(addresses) == 1 else f"nomad.{names.dns_zone(environment)}"


def upstream_url(service: Service, local_port: int) -> str:
    """How the application of a caller reaches an upstream through its sidecar."""
    scheme = {"http": "http", "http2": "http", "grpc": "grpc", "tcp": "tcp"}[service.protocol]
    return f"{scheme}://localhost:{local_port}"
