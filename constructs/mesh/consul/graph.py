"""Judges entries together: what they refer to, and whether they can be written at all.

Source: ``consul@1.22.7 agent/consul/state/config_entry.go``, ``validateProposedConfigEntryInGraph``.
"""

from collections.abc import Iterable, Iterator, Mapping
from typing import Final

from mesh.config_entry import DEFAULT, ConfigEntry, EntryId, ServiceRef
from mesh.consul import graph_rules
from mesh.consul.circles import circles
from mesh.consul.discovery_chain import HTTP_LIKE, judge_chains
from mesh.consul.entries import (
    ApiGateway,
    ExportedServices,
    HttpRoute,
    IngressGateway,
    JwtProvider,
    Mesh,
    ProxyDefaults,
    ServiceDefaults,
    ServiceIntentions,
    ServiceResolver,
    ServiceRouter,
    ServiceSplitter,
    TcpRoute,
    TerminatingGateway,
)
from mesh.consul.entries.http_route import Parent
from mesh.consul.entry_index import EntryIndex, Located, Service, local_services, service_key, service_of
from mesh.consul.ordering import dependencies, jwt_providers
from mesh.rules import ROOT, At, Style

_EVERY: Final = "*"


def judge_together(entries: Iterable[ConfigEntry]) -> Iterator[Located]:
    """Problems of entries that refer to each other: one for each rule and place."""
    seen: set[tuple[EntryId, str, str]] = set()
    for located in _all(EntryIndex(entries)):
        entry, problem = located
        key = (entry, problem.rule.id, problem.at.written(Style.GO))
        if key not in seen:
            seen.add(key)
            yield located


def _all(entries: EntryIndex) -> Iterator[Located]:
    yield from _spellings(entries)
    yield from judge_chains(entries)
    yield from _write_circles(entries)
    yield from _ingress(entries)
    yield from _gateway_names(entries)
    yield from _intentions(entries)
    yield from _permissive(entries)
    yield from _exports(entries)
    yield from _routes(entries)


_ABOUT_A_SERVICE: Final = (
    ServiceDefaults,
    ServiceResolver,
    ServiceSplitter,
    ServiceRouter,
    ServiceIntentions,
    ApiGateway,
    IngressGateway,
    TerminatingGateway,
)
"""Kinds whose entries have the name of a service: the first entry of the first of them says how it is spelt."""


def _spellings(entries: EntryIndex) -> Iterator[Located]:
    spelt: dict[Service, tuple[str, EntryId]] = {}
    for kind in _ABOUT_A_SERVICE:
        for entry in entries.of(kind):
            spelt.setdefault(service_of(entry), (entry.name, entry.id))
    for entry in (entry for of_kind in entries.by_kind.values() for entry in of_kind):
        others: dict[str, str] = {}
        for ref in _names(entry):
            name, said = spelt.setdefault(_service(ref), (ref.name, entry.id))
            if name != ref.name:
                others[ref.name] = f'it says "{ref.name}", and {said} "{name}"'
        if others:
            yield Located(entry.id, graph_rules.SERVICE_SPELT_TWICE(ROOT, "; ".join(others.values())))


def _names(entry: ConfigEntry) -> Iterator[ServiceRef]:
    """Every name of a service in an entry, its own first."""
    if isinstance(entry, _ABOUT_A_SERVICE):
        yield ServiceRef(entry.name, entry.partition, entry.namespace)
    yield from local_services(entry)


def _write_circles(entries: EntryIndex) -> Iterator[Located]:
    """Resolvers of which none can be written first. Those that redirect in a circle are refused for that."""
    for circle in circles(dependencies(entries.of(ServiceResolver))):
        services = [service_key(id_.name, id_.partition, id_.namespace) for id_ in circle]
        redirects = [entries.resolvers[service].redirect for service in services]
        if not all(redirects):
            shown = " -> ".join(map(str, [*circle, circle[0]]))
            yield Located(circle[0], graph_rules.WRITE_CIRCLE(ROOT, f"they need each other: {shown}"))


def _ingress(entries: EntryIndex) -> Iterator[Located]:
    for gateway in entries.of(IngressGateway):
        for index, listener in enumerate(gateway.listeners):
            for position, service in enumerate(listener.services):
                if service.name == _EVERY:
                    continue
                to = service_key(
                    service.name,
                    service.partition or gateway.partition or DEFAULT,
                    service.namespace or gateway.namespace or DEFAULT,
                )
                protocol = entries.chain_protocol(to)
                if protocol != (listener.protocol or "tcp"):
                    at = ((ROOT / "listeners")[index] / "services")[position]
                    message = f"{to} has the protocol {protocol}, and the listener {listener.protocol or 'tcp'}"
                    yield Located(gateway.id, graph_rules.INGRESS_PROTOCOL(at, message))


def _gateway_names(entries: EntryIndex) -> Iterator[Located]:
    ingress = {service_of(entry) for entry in entries.of(IngressGateway)}
    for gateway in entries.of(TerminatingGateway):
        if service_of(gateway) in ingress:
            message = f'an ingress gateway is called "{gateway.name}", too'
            yield Located(gateway.id, graph_rules.GATEWAY_CLASH(ROOT / "name", message))


def _intentions(entries: EntryIndex) -> Iterator[Located]:
    providers = {(entry.name, entry.partition or DEFAULT) for entry in entries.of(JwtProvider)}
    for intentions in entries.of(ServiceIntentions):
        if intentions.name != _EVERY:
            protocol = entries.chain_protocol(service_of(intentions))
            for index, source in enumerate(intentions.sources):
                if source.permissions and protocol not in HTTP_LIKE:
                    at = (ROOT / "sources")[index] / "permissions"
                    message = f"{intentions.name} has the protocol {protocol}"
                    yield Located(intentions.id, graph_rules.INTENTION_PROTOCOL(at, message))
        for name, at in jwt_providers(intentions):
            if (name, intentions.partition or DEFAULT) not in providers:  # Consul compares capitals here
                message = f'there is no jwt-provider "{name}"'
                yield Located(intentions.id, graph_rules.JWT_PROVIDER_MISSING(at, message))


def _permissive(entries: EntryIndex) -> Iterator[Located]:
    allowed = {mesh.partition or DEFAULT for mesh in entries.of(Mesh) if mesh.allow_enabling_permissive_mutual_tls}
    defaults: list[ProxyDefaults | ServiceDefaults] = [*entries.of(ProxyDefaults), *entries.of(ServiceDefaults)]
    for entry in defaults:
        if entry.mutual_tls_mode == "permissive" and (entry.partition or DEFAULT) not in allowed:
            at = ROOT / "mutual_tls_mode"
            yield Located(entry.id, graph_rules.PERMISSIVE_NOT_ALLOWED(at, "the mesh entry does not allow it"))


def _exports(entries: EntryIndex) -> Iterator[Located]:
    known: dict[Service, str | None] = {}
    for exports in entries.of(ExportedServices):
        partition = exports.partition or DEFAULT
        for index, exported in enumerate(exports.services):
            if not any(consumer.peer for consumer in exported.consumers):
                continue
            names = [service_key(exported.name, partition, exported.namespace)]
            if exported.name == _EVERY:
                where = (partition, exported.namespace or DEFAULT)
                names = [service for service in entries.with_chains() if service[1:] == where]
            for service in names:
                if why := _leaves(entries, service, known):
                    message = f"{service} is exported to a peer, and {why}"
                    yield Located(exports.id, graph_rules.EXPORT_UNSAFE((ROOT / "services")[index], message))


def _leaves(entries: EntryIndex, top: Service, known: dict[Service, str | None]) -> str | None:
    """How the chain of an exported service leaves its place, if it does (``validateChainIsPeerExportSafe``).

    Args:
        entries: All entries.
        top: The service.
        known: What was found out of services below a router; this adds to it.
    """
    todo = [top]
    router = entries.routers.get(top)
    if router:
        if any(route.destination and _elsewhere(route.destination.partition, router) for route in router.routes):
            return "its router goes to another partition"
        todo += map(_service, router.reads())
    seen: set[Service] = set()
    while todo:
        service = todo.pop()
        if service in seen:
            continue
        seen.add(service)
        why = known.get(service)
        if service not in known:
            below = [entry for entry in (entries.splitters.get(service), entries.resolvers.get(service)) if entry]
            why = next((f"{service} {how}" for entry in below if (how := _leads_out(entry))), None)
            todo += [_service(ref) for entry in below for ref in entry.reads()]
        if why:
            if router is None:
                known[top] = why
            return why
    known.update(dict.fromkeys(seen))
    return None


def _leads_out(entry: ServiceSplitter | ServiceResolver) -> str | None:
    """Where a splitter or resolver goes that the export of its service must not."""
    if isinstance(entry, ServiceSplitter):
        return "is split to another partition" if any(_elsewhere(to.partition, entry) for to in entry.splits) else None
    if redirect := entry.redirect:
        if redirect.datacenter or redirect.peer:
            return f"redirects to {redirect.datacenter or redirect.peer}"
        if _elsewhere(redirect.partition, entry):
            return f"redirects to the partition {redirect.partition}"
    for failover in entry.failover.values():
        if failover.datacenters or any(target.datacenter for target in failover.targets):
            return "fails over to another datacenter"
    return None


def _elsewhere(partition: str | None, entry: ConfigEntry) -> bool:
    return bool(partition) and partition != (entry.partition or DEFAULT)


def _service(ref: ServiceRef) -> Service:
    return service_key(ref.name, ref.partition, ref.namespace)


def _routes(entries: EntryIndex) -> Iterator[Located]:
    gateways = {
        service_of(gateway): {listener.name: listener.protocol for listener in gateway.listeners}
        for gateway in entries.of(ApiGateway)
    }
    routes: list[HttpRoute | TcpRoute] = [*entries.of(HttpRoute), *entries.of(TcpRoute)]
    for route in routes:
        protocol = "http" if isinstance(route, HttpRoute) else "tcp"
        for index, parent in enumerate(route.parents):
            where = (parent.partition or route.partition, parent.namespace or route.namespace)
            listeners = gateways.get(service_key(parent.name, *where))
            if listeners is not None:
                yield from _attached(route.id, parent, protocol, listeners, (ROOT / "parents")[index])
        for at, to in _destinations(route):
            service = _service(to)
            found = entries.chain_protocol(service)
            if entries.declared_protocol(service) and (protocol == "http") != (found in HTTP_LIKE):
                message = f"{service} has the protocol {found}"
                yield Located(route.id, graph_rules.ROUTE_SERVICE_PROTOCOL(at, message))


def _attached(route: EntryId, parent: Parent, protocol: str, listeners: Mapping[str, str], at: At) -> Iterator[Located]:
    """Problems of a route with the listeners of the gateway that it attaches to."""
    section = parent.section_name
    if section and section not in listeners:
        message = f'{parent.name} has no listener "{section}"'
        yield Located(route, graph_rules.ROUTE_LISTENER_MISSING(at / "section_name", message))
    elif section and listeners[section] != protocol:
        message = f"the listener {section} of {parent.name} has the protocol {listeners[section]}"
        yield Located(route, graph_rules.ROUTE_LISTENER_PROTOCOL(at, message))
    elif protocol not in listeners.values():
        yield Located(route, graph_rules.ROUTE_LISTENER_PROTOCOL(at, f"{parent.name} has no {protocol} listener"))


def _destinations(route: HttpRoute | TcpRoute) -> Iterator[tuple[At, ServiceRef]]:
    """The services behind a route, in the order of its ``reads``."""
    if isinstance(route, TcpRoute):
        places = [(ROOT / "services")[index] for index in range(len(route.services))]
    else:
        rules = ROOT / "rules"
        places = [
            (rules[index] / "services")[position]
            for index, rule in enumerate(route.rules)
            for position in range(len(rule.services))
        ]
    yield from zip(places, route.reads(), strict=True)
