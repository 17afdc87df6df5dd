"""What an environment deploys, as far as config entries refer to it."""

from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass
from typing import Final

from mesh.config_entry import ConfigEntry
from mesh.consul import graph_rules
from mesh.consul.entries import (
    ApiGateway,
    HttpRoute,
    ProxyDefaults,
    ServiceDefaults,
    ServiceResolver,
    TcpRoute,
    TerminatingGateway,
)
from mesh.consul.entries.service_resolver import VERSION_META
from mesh.consul.entry_index import EntryIndex, Located, Service, local_services, service_key
from mesh.consul.filters import metadata_of
from mesh.model.environment import Environment
from mesh.model.gateway import Gateway
from mesh.model.service import Service as Declared
from mesh.rules import ROOT
from mesh.topology import MESH_GATEWAY, has_mesh_gateways, place


@dataclass(frozen=True, slots=True)
class Deployed:
    """What runs.

    Attributes:
        services: The metadata of each version of each service.
        gateways: Whatever else has a name in the mesh and calls services.
        mesh_gateways: Whether there are mesh gateways.
    """

    services: Mapping[Service, Sequence[Mapping[str, str]]]
    gateways: frozenset[Service]
    mesh_gateways: bool


def deployed(environment: Environment) -> Deployed:
    """What the mesh's own cluster has by the declaration."""
    platform = environment.platform

    def here(item: Declared | Gateway) -> Service | None:
        partition, namespace, peer = place(platform, item.runs_on)
        return None if peer else service_key(item.name, partition, namespace)

    services = {
        key: [{VERSION_META: version} for version in service.versions] or [{}]
        for service in environment.services
        if (key := here(service))
    }
    gateways = {key for gateway in environment.gateways if (key := here(gateway))}
    if has_mesh_gateways(platform):
        gateways |= {service_key(MESH_GATEWAY, service.partition, None) for service in services}
    return Deployed(services, frozenset(gateways), has_mesh_gateways(platform))


def judge_deployed(entries: Sequence[ConfigEntry], what: Deployed) -> Iterator[Located]:
    """Problems of entries that refer to something that the environment does not deploy."""
    graph = EntryIndex(entries)
    known = {
        *what.services,
        *what.gateways,
        *graph.defaults,
        *graph.resolvers,
        *(
            service_key(service.name, gateway.partition, service.namespace or gateway.namespace)
            for gateway in graph.of(TerminatingGateway)
            for service in gateway.services
        ),
    }
    for entry in entries:
        yield from _unknown_services(entry, known)
        yield from _unknown_parts(entry, graph)
        if isinstance(entry, ServiceResolver):
            yield from _empty_subsets(entry, what)
        if isinstance(entry, ProxyDefaults | ServiceDefaults) and not what.mesh_gateways:
            mode = entry.mesh_gateway.mode if entry.mesh_gateway else None
            if mode in {"local", "remote"}:
                message = f'the mode is "{mode}", and there are no mesh gateways'
                yield Located(entry.id, graph_rules.MESH_GATEWAY_MISSING(ROOT / "mesh_gateway" / "mode", message))


_EVERY: Final = "*"


def _unknown_services(entry: ConfigEntry, known: set[Service]) -> Iterator[Located]:
    refs = (service_key(ref.name, ref.partition, ref.namespace) for ref in local_services(entry))
    for service in dict.fromkeys(refs):
        if service.name != _EVERY and service not in known:
            message = f'there is no service "{service}" in this environment'
            yield Located(entry.id, graph_rules.SERVICE_UNKNOWN(ROOT, message))


def _unknown_parts(entry: ConfigEntry, graph: EntryIndex) -> Iterator[Located]:
    if isinstance(entry, HttpRoute | TcpRoute):
        gateways = {gateway.name for gateway in graph.of(ApiGateway)}
        for index, parent in enumerate(entry.parents):
            if parent.name not in gateways:
                message = f'there is no api-gateway "{parent.name}"'
                yield Located(entry.id, graph_rules.ROUTE_GATEWAY_MISSING((ROOT / "parents")[index], message))
    if isinstance(entry, ApiGateway):
        for index, listener in enumerate(entry.listeners):
            for position, certificate in enumerate(listener.tls.certificates if listener.tls else ()):
                there = {other.name for other in graph.by_kind.get(str(certificate.kind), ())}
                if certificate.name not in there:
                    at = ((ROOT / "listeners")[index] / "tls" / "certificates")[position]
                    message = f'there is no {certificate.kind} "{certificate.name}"'
                    yield Located(entry.id, graph_rules.CERTIFICATE_MISSING(at, message))


def _empty_subsets(resolver: ServiceResolver, what: Deployed) -> Iterator[Located]:
    service = service_key(resolver.name, resolver.partition, resolver.namespace)
    versions = what.services.get(service)
    if versions is None:
        return
    for name, subset in resolver.subsets.items():
        asked = metadata_of(subset.filter) if subset.filter else {}
        ours = {key: value for key, value in asked.items() if key == VERSION_META}
        if ours and not any(ours.items() <= version.items() for version in versions):
            message = f'{service} has no version "{ours[VERSION_META]}"'
            at = (ROOT / "subsets")[name] / "filter"
            yield Located(resolver.id, graph_rules.SUBSET_WITHOUT_INSTANCES(at, message))
