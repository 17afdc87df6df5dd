"""Every config entry of an environment, in the order in which it is written.

Each cluster has entries of its own; see :func:`mesh.topology.clusters`.
"""

from collections import defaultdict
from collections.abc import Iterable, Iterator, Mapping, Sequence

from mesh.config_entry import ConfigEntry
from mesh.consul.entries import (
    api_gateway,
    exported_services,
    http_route,
    ingress_gateway,
    mesh,
    proxy_defaults,
    service_defaults,
    service_intentions,
    service_resolver,
    service_router,
    service_splitter,
    tcp_route,
)
from mesh.consul.entries.common import MeshGateway
from mesh.consul.entries.exported_services import Consumer
from mesh.consul.ordering import in_order
from mesh.consul.parts import Edition
from mesh.consul.reading import Form, Reading, read
from mesh.model.environment import Environment
from mesh.model.gateway import Gateway, IngressGateway
from mesh.model.service import Service
from mesh.once import once
from mesh.topology import Caller, Edge, Place, clusters, edges, partitions, place

_ByCluster = Mapping[str | None, tuple[ConfigEntry, ...]]


def entries(environment: Environment, cluster: str | None = None) -> tuple[ConfigEntry, ...]:
    """All entries of a cluster.

    Those that follow from the services and gateways, and in the mesh's own cluster those written directly; each after
    what it reads.

    Raises:
        KeyError: the mesh has no such cluster.
    """
    return _entries(environment)[cluster]


@once
def _entries(environment: Environment) -> _ByCluster:
    written = [reading.entry for reading in extra_readings(environment) if reading.entry is not None]
    return {
        cluster: in_order([*derived, *(written if cluster is None else ())])
        for cluster, derived in _derived_entries(environment).items()
    }


@once
def extra_readings(environment: Environment) -> tuple[Reading, ...]:
    """The entries written directly, in the form in which Consul stores them, and what is wrong with them."""
    edition = Edition.ENTERPRISE if environment.platform.enterprise else Edition.COMMUNITY
    return tuple(read(entry, Form.PYTHON, edition) for entry in environment.extra_entries)


def derived_entries(environment: Environment, cluster: str | None = None) -> tuple[ConfigEntry, ...]:
    """The entries of a cluster that follow from the services and gateways, kind by kind, in declaration order.

    Raises:
        KeyError: the mesh has no such cluster.
    """
    return _derived_entries(environment)[cluster]


@once
def _derived_entries(environment: Environment) -> _ByCluster:
    return {
        cluster: tuple(entry for entry in _derive(environment, cluster) if entry is not None)
        for cluster in clusters(environment.platform)
    }


def _derive(environment: Environment, cluster: str | None) -> Iterator[ConfigEntry | None]:
    platform = environment.platform
    places = {service.name: place(platform, service.runs_on, cluster) for service in environment.services}
    services = [service for service in environment.services if places[service.name].peer is None]
    calls = [edge for edge in edges(environment, cluster) if edge.place.peer is None]
    callers: dict[str, list[Caller]] = defaultdict(list)
    for edge in calls:
        callers[edge.service.name].append(edge.caller)
    # What a peer's callers are told is said in the defaults of their own cluster.
    across_partitions = {edge.service.name for edge in calls if edge.crosses and not edge.caller.place.peer}

    for partition in partitions(platform):
        yield mesh.derive(platform, partition)
        yield proxy_defaults.derive(platform, partition)
    for service in services:
        where = places[service.name]
        through = MeshGateway(mode="local") if service.name in across_partitions else None
        yield service_defaults.derive(service, where, places, through)
        yield service_resolver.derive(service, where)
        yield service_splitter.derive(service, where)
        yield service_router.derive(service, where)
        yield service_intentions.derive(service, where, callers[service.name])
    for exporter, exports in _exports(services, places, calls).items():
        yield exported_services.derive(exporter, exports)
    for gateway in environment.gateways:
        where = place(platform, gateway.runs_on, cluster)
        if where.peer is None:
            yield from _gateway(gateway, where, places)


def _exports(
    services: Iterable[Service], places: Mapping[str, Place], calls: Iterable[Edge]
) -> Mapping[str | None, Sequence[tuple[str, Consumer]]]:
    """What leaves each partition, and to whom: everything that is called from elsewhere, and ``export_to``."""
    found: dict[str | None, list[tuple[str, Consumer]]] = defaultdict(list)
    for edge in calls:
        if edge.crosses:
            there = edge.caller.place
            consumer = Consumer(peer=there.peer) if there.peer else Consumer(partition=there.partition)
            found[edge.place.partition].append((edge.service.name, consumer))
    for service in services:
        if partition := places[service.name].partition:
            found[partition] += [(service.name, Consumer(partition=consumer)) for consumer in service.export_to]
    return found


def _gateway(gateway: Gateway, where: Place, places: dict[str, Place]) -> Iterator[ConfigEntry]:
    if isinstance(gateway, IngressGateway):
        yield ingress_gateway.derive(gateway, where, places)
        return
    yield api_gateway.derive(gateway, where)
    for listener in gateway.listeners:
        route = http_route if listener.protocol == "http" else tcp_route
        yield route.derive(gateway, listener, where, places)
