"""Every config entry of an environment, in the order in which it is written."""

from collections import defaultdict
from collections.abc import Iterator

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
from mesh.consul.ordering import in_order
from mesh.consul.parts import Edition
from mesh.consul.reading import Form, Reading, read
from mesh.model.environment import Environment
from mesh.model.gateway import Gateway, IngressGateway
from mesh.once import once
from mesh.topology import Caller, Place, edges, partitions, place


@once
def entries(environment: Environment) -> tuple[ConfigEntry, ...]:
    """All entries.

    Those that follow from the services and gateways, and those written directly; each after what it reads.
    """
    written = (reading.entry for reading in extra_readings(environment))
    return in_order([*derived_entries(environment), *(entry for entry in written if entry is not None)])


@once
def extra_readings(environment: Environment) -> tuple[Reading, ...]:
    """The entries written directly, in the form in which Consul stores them, and what is wrong with them."""
    edition = Edition.ENTERPRISE if environment.platform.enterprise else Edition.COMMUNITY
    return tuple(read(entry, Form.PYTHON, edition) for entry in environment.extra_entries)


@once
def derived_entries(environment: Environment) -> tuple[ConfigEntry, ...]:
    """The entries that follow from the services and gateways, kind by kind, in declaration order."""
    return tuple(entry for entry in _derive(environment) if entry is not None)


def _derive(environment: Environment) -> Iterator[ConfigEntry | None]:
    platform = environment.platform
    places = {service.name: place(platform, service.runs_on) for service in environment.services}
    callers: dict[str, list[Caller]] = defaultdict(list)
    called_across: set[str] = set()
    exports: dict[str, list[tuple[str, str]]] = defaultdict(list)
    for edge in edges(environment):
        callers[edge.service.name].append(edge.caller)
        if edge.crosses and edge.place.partition and edge.caller.place.partition:
            called_across.add(edge.service.name)
            exports[edge.place.partition].append((edge.service.name, edge.caller.place.partition))
    for service in environment.services:
        if partition := places[service.name].partition:
            exports[partition] += [(service.name, consumer) for consumer in service.export_to]

    for partition in partitions(platform):
        yield mesh.derive(platform, partition)
        yield proxy_defaults.derive(platform, partition)
    for service in environment.services:
        where = places[service.name]
        through = MeshGateway(mode="local") if service.name in called_across else None
        yield service_defaults.derive(service, where, places, through)
        yield service_resolver.derive(service, where)
        yield service_splitter.derive(service, where)
        yield service_router.derive(service, where)
        yield service_intentions.derive(service, where, callers[service.name])
    for exporter, pairs in exports.items():
        yield exported_services.derive(exporter, pairs)
    for gateway in environment.gateways:
        yield from _gateway(gateway, place(platform, gateway.runs_on), places)


def _gateway(gateway: Gateway, where: Place, places: dict[str, Place]) -> Iterator[ConfigEntry]:
    if isinstance(gateway, IngressGateway):
        yield ingress_gateway.derive(gateway, where, places)
        return
    yield api_gateway.derive(gateway, where)
    for listener in gateway.listeners:
        route = http_route if listener.protocol == "http" else tcp_route
        yield route.derive(gateway, listener, where, places)
