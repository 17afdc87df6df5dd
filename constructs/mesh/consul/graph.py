"""Judges entries together: protocols, subsets, circles, exports, gateways.

The discovery chain of a service is compiled as Consul compiles it on every write (``consul@1.22.7
agent/consul/discoverychain/compile.go``), but goes on after a problem, so that all are found. Consul checks a chain
when one of its entries is written or deleted; here, all chains that have entries of their own.
"""

from collections import defaultdict
from collections.abc import Iterable, Iterator, Mapping
from dataclasses import dataclass, field
from graphlib import CycleError
from typing import Final, NamedTuple, TypeVar

from mesh.config_entry import DEFAULT, ConfigEntry, EntryId, ServiceRef
from mesh.consul import graph_rules
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
from mesh.consul.entries.common import HttpHeaderModifiers
from mesh.consul.entries.service_resolver import Failover, Redirect
from mesh.consul.entries.service_router import Destination
from mesh.consul.entries.service_splitter import Split
from mesh.consul.ordering import in_order, jwt_providers
from mesh.rules import ROOT, At, Problem, Rule

HTTP_LIKE: Final = frozenset({"http", "http2", "grpc"})
"""Protocols that permit routing and splitting (``structs.IsProtocolHTTPLike``)."""

_EVERY: Final = "*"


class Located(NamedTuple):
    """A problem of an entry among others."""

    entry: EntryId
    problem: Problem


class Service(NamedTuple):
    """A service, with partition and namespace filled in; see :func:`service_key`."""

    name: str
    partition: str
    namespace: str

    def __str__(self) -> str:
        return self.name if self[1:] == (DEFAULT, DEFAULT) else f"{self.partition}/{self.namespace}/{self.name}"


def service_key(name: str, partition: str | None, namespace: str | None) -> Service:
    """A service as Consul finds its entries: without regard to capitals."""
    return Service(name.lower(), partition or DEFAULT, namespace or DEFAULT)


_Entry = TypeVar("_Entry", bound=ConfigEntry)


class Graph:
    """Entries by what they are about."""

    def __init__(self, entries: Iterable[ConfigEntry]) -> None:
        self.by_kind: dict[str, list[ConfigEntry]] = defaultdict(list)
        for entry in entries:
            self.by_kind[entry.KIND].append(entry)
        self.defaults = self._by_service(ServiceDefaults)
        self.routers = self._by_service(ServiceRouter)
        self.splitters = self._by_service(ServiceSplitter)
        self.resolvers = self._by_service(ServiceResolver)
        self._protocols = {entry.partition or DEFAULT: _protocol_in(entry.config) for entry in self.of(ProxyDefaults)}
        self._chains: dict[Service, Chain] = {}
        self.circles: set[frozenset[Service]] = set()

    def of(self, kind: type[_Entry]) -> list[_Entry]:
        """The entries of a kind."""
        return self.by_kind.get(kind.KIND, [])  # type: ignore[return-value]  # filed under their own kind

    def _by_service(self, kind: type[_Entry]) -> dict[Service, _Entry]:
        return {service_of(entry): entry for entry in self.of(kind)}

    def declared_protocol(self, service: Service) -> str | None:
        """The protocol that entries say a service has, if any does."""
        if entry := self.defaults.get(service):
            return (entry.protocol or "tcp").lower()
        return self._protocols.get(service.partition)

    def protocol(self, service: Service) -> str:
        """The effective protocol of a service, without its chain."""
        return self.declared_protocol(service) or "tcp"

    def chain(self, service: Service) -> "Chain":
        """The compiled discovery chain of a service."""
        if service not in self._chains:
            self._chains[service] = _Compiler(self, service).compile()
        return self._chains[service]


def service_of(entry: ConfigEntry) -> Service:
    """The service that an entry of a service kind is about."""
    return service_key(entry.name, entry.partition, entry.namespace)


def _protocol_in(config: Mapping[str, object]) -> str | None:
    """The protocol of proxy-defaults: the key is decoded without regard to case (``ComputeProtocol``)."""
    keys = sorted((key for key in config if key.lower() == "protocol"), key=lambda key: key != "protocol")
    value = config[keys[0]] if keys else None
    return str(value).lower() if value else None


@dataclass(frozen=True, slots=True)
class Chain:
    """What became of a discovery chain.

    Attributes:
        protocol: That of its first service.
        problems: What Consul would refuse.
        routed: Whether it has a router or splitter.
    """

    protocol: str
    problems: tuple[Located, ...]
    routed: bool


class _Target(NamedTuple):
    service: Service
    subset: str
    datacenter: str = ""
    peer: str = ""


class _Via(NamedTuple):
    """The reference through which something is reached."""

    entry: EntryId
    at: At


@dataclass(slots=True)
class _Compiler:
    graph: Graph
    top: Service
    protocol: str = ""
    problems: list[Located] = field(default_factory=list)
    resolved: set[_Target] = field(default_factory=set)
    splits: dict[Service, list[Service]] = field(default_factory=dict)
    mixed: bool = False

    def compile_resolver(self) -> tuple[Located, ...]:
        """Problems of the chain as it is before its router and splitter are written, and after they are deleted."""
        self._resolve(_Target(self.top, ""), None)
        return tuple(self.problems)

    def compile(self) -> Chain:
        router = self.graph.routers.get(self.top)
        if router:
            self._record_protocol(self.top, _Via(router.id, ROOT))
            for index, route in enumerate(router.routes):
                self._route(router, index, route.destination)
        self._split_or_resolve(self.top, None)
        routed = router is not None or bool(self.splits)
        self._find_circles()
        self._find_crashes()
        if routed and self.protocol and not self.mixed and self.protocol not in HTTP_LIKE:
            entry = router or self.graph.splitters[next(iter(self.splits))]
            message = f"the chain of {self.top} has the protocol {self.protocol}"
            self._found(entry.id, graph_rules.PROTOCOL_NOT_HTTP, ROOT, message)
        return Chain(self.protocol or "tcp", tuple(self.problems), routed)

    def _found(self, entry: EntryId, rule: Rule, at: At, message: str) -> None:
        self.problems.append(Located(entry, rule(at, message)))

    def _route(self, router: ServiceRouter, index: int, destination: Destination | None) -> None:
        at = (ROOT / "routes")[index] / "destination"
        if destination is None:
            self._split_or_resolve(self.top, _Via(router.id, at))
            return
        to = service_key(
            destination.service or self.top.name,
            destination.partition or self.top.partition,
            destination.namespace or self.top.namespace,
        )
        if destination.service_subset:
            self._resolve(_Target(to, destination.service_subset), _Via(router.id, at / "service_subset"))
        else:
            self._split_or_resolve(to, _Via(router.id, at / "service"))

    def _split_or_resolve(self, service: Service, via: _Via | None) -> None:
        if service in self.graph.splitters:
            self._split(service)
        else:
            self._resolve(_Target(service, ""), via)

    def _split(self, first: Service) -> None:
        todo = [first]
        while todo:
            service = todo.pop()
            if service in self.splits:
                continue
            splitter = self.graph.splitters[service]
            next_ones = self.splits[service] = []
            for index, split in enumerate(splitter.splits):
                to = _goes_to(split, service)
                if to != service and not split.service_subset and to in self.graph.splitters:
                    next_ones.append(to)
                    todo.append(to)
                else:
                    at = (ROOT / "splits")[index]
                    at = at / ("service_subset" if split.service_subset else "service")
                    self._resolve(_Target(to, split.service_subset or ""), _Via(splitter.id, at))

    def _resolve(self, target: _Target, via: _Via | None, *, for_failover: bool = False) -> None:
        """Goes to where a target leads, and judges that; what it fails over to does not fail over again."""
        end = self._follow(target, via)
        if end is None:
            return
        target, via = end
        resolver = self.graph.resolvers.get(target.service)
        own = via is not None and resolver is not None and via.entry == resolver.id
        subsets = resolver.subsets if resolver else {}
        default = resolver.default_subset if resolver else None
        # What a resolver says of its own subsets is judged with its values.
        if target.subset and target.subset not in subsets and target.subset != default and not own and via:
            message = f'{target.service} has no subset "{target.subset}"'
            self._found(via.entry, graph_rules.SUBSET_MISSING, via.at, message)
        if target in self.resolved:
            return
        if resolver:
            self._check_external(target.service, resolver)
        if not for_failover:
            self.resolved.add(target)
            if resolver:
                self._fail_over(resolver, target)

    def _follow(self, target: _Target, via: _Via | None) -> tuple[_Target, _Via | None] | None:
        """The target after all redirects and default subsets; none if they never end."""
        history: dict[_Target, None] = {}
        while True:
            if not target.peer:
                self._record_protocol(target.service, via)
            if target in self.resolved:
                return target, via
            resolver = self.graph.resolvers.get(target.service)
            if target in history:
                circle = [each.service for each in history]
                self._circle(self.graph.resolvers[circle[-1]], circle, graph_rules.REDIRECT_CIRCLE, "redirect")
                return None
            history[target] = None
            after = _next(resolver, target, via) if resolver else None
            if after is None:
                return target, via
            target, via = after

    def _fail_over(self, resolver: ServiceResolver, target: _Target) -> None:
        key = target.subset if target.subset in resolver.failover else _EVERY
        failover = resolver.failover.get(key)
        if failover is None:
            return
        for change, at in _failed_over(failover, (ROOT / "failover")[key]):
            rewritten = _rewritten(target, change)
            if rewritten != target:
                self._resolve(rewritten, _Via(resolver.id, at), for_failover=True)

    def _record_protocol(self, service: Service, via: _Via | None) -> None:
        protocol = self.graph.protocol(service)
        if not self.protocol:
            self.protocol = protocol
        elif protocol != self.protocol and via is not None:  # without a reference it is the service at the top
            self.mixed = True
            message = f"{service} has the protocol {protocol}, and the chain of {self.top} has {self.protocol}"
            self._found(via.entry, graph_rules.PROTOCOL_MIXED, via.at, message)

    def _check_external(self, service: Service, resolver: ServiceResolver) -> None:
        defaults = self.graph.defaults.get(service)
        if defaults is None or not defaults.external_sni:
            return
        for name, value in (
            ("redirect", resolver.redirect),
            ("subsets", resolver.subsets),
            ("failover", resolver.failover),
        ):
            if value:
                message = f"{service} has the ExternalSNI {defaults.external_sni}"
                self._found(resolver.id, graph_rules.EXTERNAL_SNI, ROOT / name, message)

    def _circle(self, entry: ConfigEntry, circle: list[Service], rule: Rule, name: str) -> None:
        """Reports a circle once, although every chain on it runs into it."""
        self.mixed = True  # the chain has no protocol that could be judged
        if frozenset(circle) not in self.graph.circles:
            self.graph.circles.add(frozenset(circle))
            self._found(entry.id, rule, ROOT / name, f"the circle is {' -> '.join(map(str, [*circle, circle[0]]))}")

    def _find_circles(self) -> None:
        """Depth first over the splitters, each once."""
        done: set[Service] = set()
        on_path: dict[Service, None] = {}
        for start in self.splits:
            todo: list[tuple[Service, bool]] = [(start, False)]
            while todo:
                service, leaving = todo.pop()
                if leaving:
                    del on_path[service]
                    done.add(service)
                    continue
                if service in done:
                    continue
                on_path[service] = None
                todo.append((service, True))
                for after in self.splits[service]:
                    if after in on_path:
                        path = list(on_path)
                        circle = path[path.index(after) :]
                        self._circle(self.graph.splitters[service], circle, graph_rules.SPLIT_CIRCLE, "splits")
                    elif after not in done:
                        todo.append((after, False))

    def _find_crashes(self) -> None:
        """Splits whose header changes Consul cannot merge with those of the splitter they lead to."""
        above: dict[Service, set[_Changes]] = defaultdict(set)
        todo = [self.top] if self.top in self.splits else []
        while todo:
            service = todo.pop()
            splitter = self.graph.splitters[service]
            for index, split in enumerate(splitter.splits):
                to = _goes_to(split, service)
                if split.service_subset or to not in self.splits[service]:
                    continue
                own = _changes(split)
                changes = {own, *(_merged(outer, own) for outer in above[service])}
                inner = {_changes(below) for below in self.graph.splitters[to].splits}
                if any(_crashes(outer, each) for outer in changes for each in inner):
                    message = f"its header changes cannot be merged with those of the splitter of {to}"
                    self._found(splitter.id, graph_rules.SPLIT_HEADERS_CRASH, (ROOT / "splits")[index], message)
                if not changes <= above[to]:
                    above[to] |= changes
                    todo.append(to)


def _goes_to(split: Split, service: Service) -> Service:
    """The service of a split of a service's splitter."""
    return service_key(
        split.service or service.name, split.partition or service.partition, split.namespace or service.namespace
    )


_Changes = tuple[tuple[bool, bool, bool], tuple[bool, bool, bool]]
"""Whether a split changes, adds and sets headers, of requests and of answers."""


def _changes(split: Split) -> _Changes:
    def of(headers: HttpHeaderModifiers | None) -> tuple[bool, bool, bool]:
        if headers is None:
            return False, False, False
        return bool(headers.add or headers.set or headers.remove), bool(headers.add), bool(headers.set)

    return of(split.request_headers), of(split.response_headers)


def _crashes(outer: _Changes, inner: _Changes) -> bool:
    """Whether ``MergeParent`` panics: of requests the inner changes are put into the outer, of answers the reverse."""
    return any(
        base[0] and ((other[1] and not base[1]) or (other[2] and not base[2]))
        for base, other in ((outer[0], inner[0]), (inner[1], outer[1]))
    )


def _merged(outer: _Changes, inner: _Changes) -> _Changes:
    request, answer = (tuple(map(max, one, other)) for one, other in zip(outer, inner, strict=True))
    return (bool(request[0]), bool(request[1]), bool(request[2])), (bool(answer[0]), bool(answer[1]), bool(answer[2]))


class _Change(NamedTuple):
    """What a redirect or failover changes of a target."""

    service: str | None = None
    subset: str | None = None
    partition: str | None = None
    namespace: str | None = None
    datacenter: str | None = None
    peer: str | None = None


def _rewritten(target: _Target, change: _Change) -> _Target:
    """A target after a redirect or failover (``rewriteTarget``): another service forgets the subset."""
    name = (change.service or target.service.name).lower()
    kept = target.subset if name == target.service.name else ""
    where = service_key(
        name, change.partition or target.service.partition, change.namespace or target.service.namespace
    )
    datacenter = "" if change.peer else change.datacenter or target.datacenter
    return _Target(where, change.subset or kept, datacenter, change.peer or "")


def _next(resolver: ServiceResolver, target: _Target, via: _Via | None) -> tuple[_Target, _Via | None] | None:
    """Where a resolver sends a target, and by what; none if it stays."""
    redirect = resolver.redirect
    if redirect and not redirect.sameness_group:
        redirected = _rewritten(target, _redirected(redirect))
        if redirected != target:
            at = ROOT / "redirect" / ("service_subset" if redirect.service_subset else "service")
            # A subset that stays is still the one that was asked for before.
            stays = via is not None and redirected.subset == target.subset != "" and not redirect.service_subset
            return redirected, via if stays else _Via(resolver.id, at)
    if not target.subset and resolver.default_subset:
        # A peer is forgotten here, because Consul forgets it.
        return _rewritten(target, _Change(subset=resolver.default_subset)), via
    return None


def _redirected(redirect: Redirect) -> _Change:
    return _Change(
        redirect.service,
        redirect.service_subset,
        redirect.partition,
        redirect.namespace,
        redirect.datacenter,
        redirect.peer,
    )


def _failed_over(failover: Failover, at: At) -> Iterator[tuple[_Change, At]]:
    """Where a failover goes, in its order, and where that is said."""
    own = _Change(failover.service, failover.service_subset, None, failover.namespace)
    if failover.datacenters:
        for index, datacenter in enumerate(failover.datacenters):
            yield own._replace(datacenter=datacenter), (at / "datacenters")[index]
    elif failover.targets:
        for index, each in enumerate(failover.targets):
            change = _Change(
                each.service, each.service_subset, each.partition, each.namespace, each.datacenter, each.peer
            )
            yield change, (at / "targets")[index]
    elif not failover.sameness_group:
        yield own, at


def judge_together(entries: Iterable[ConfigEntry]) -> Iterator[Located]:
    """Problems of entries that refer to each other, each once, in the order of the entries they are about."""
    graph = Graph(entries)
    seen: set[tuple[EntryId, str, str]] = set()
    for located in _all(graph):
        entry, problem = located
        key = (entry, problem.rule.id, problem.message)
        if key not in seen:
            seen.add(key)
            yield located


def _all(graph: Graph) -> Iterator[Located]:
    for service in dict.fromkeys((*graph.routers, *graph.splitters, *graph.resolvers)):
        yield from graph.chain(service).problems
        if service in graph.splitters and service in graph.resolvers:
            yield from _Compiler(graph, service).compile_resolver()
    yield from _write_circles(graph)
    yield from _ingress(graph)
    yield from _gateway_names(graph)
    yield from _intentions(graph)
    yield from _permissive(graph)
    yield from _exports(graph)
    yield from _routes(graph)


def _write_circles(graph: Graph) -> Iterator[Located]:
    resolvers = graph.of(ServiceResolver)
    try:
        in_order(resolvers)
    except CycleError as error:
        circle = error.args[1]
        if frozenset(service_key(id_.name, id_.partition, id_.namespace) for id_ in circle) in (graph.circles):
            return  # redirects in a circle, which is said already
        last = [resolver.id for resolver in resolvers if resolver.id in circle][-1]
        yield Located(last, graph_rules.WRITE_CIRCLE(ROOT, f"they need each other: {' -> '.join(map(str, circle))}"))


def _ingress(graph: Graph) -> Iterator[Located]:
    for gateway in graph.of(IngressGateway):
        for index, listener in enumerate(gateway.listeners):
            for position, service in enumerate(listener.services):
                if service.name == _EVERY:
                    continue
                to = service_key(
                    service.name,
                    service.partition or gateway.partition or DEFAULT,
                    service.namespace or gateway.namespace or DEFAULT,
                )
                protocol = graph.chain(to).protocol
                if protocol != (listener.protocol or "tcp"):
                    at = ((ROOT / "listeners")[index] / "services")[position]
                    message = f"{to} has the protocol {protocol}, and the listener {listener.protocol or 'tcp'}"
                    yield Located(gateway.id, graph_rules.INGRESS_PROTOCOL(at, message))


def _gateway_names(graph: Graph) -> Iterator[Located]:
    ingress = {service_of(entry) for entry in graph.of(IngressGateway)}
    for gateway in graph.of(TerminatingGateway):
        if service_of(gateway) in ingress:
            message = f'an ingress gateway is called "{gateway.name}", too'
            yield Located(gateway.id, graph_rules.GATEWAY_CLASH(ROOT / "name", message))


def _intentions(graph: Graph) -> Iterator[Located]:
    providers = {(entry.name, entry.partition or DEFAULT) for entry in graph.of(JwtProvider)}
    for intentions in graph.of(ServiceIntentions):
        if intentions.name != _EVERY:
            protocol = graph.chain(service_of(intentions)).protocol
            for index, source in enumerate(intentions.sources):
                if source.permissions and protocol not in HTTP_LIKE:
                    at = (ROOT / "sources")[index] / "permissions"
                    message = f"{intentions.name} has the protocol {protocol}"
                    yield Located(intentions.id, graph_rules.INTENTION_PROTOCOL(at, message))
        for name, at in jwt_providers(intentions):
            if (name, intentions.partition or DEFAULT) not in providers:
                message = f'there is no jwt-provider "{name}"'
                yield Located(intentions.id, graph_rules.JWT_PROVIDER_MISSING(at, message))


def _permissive(graph: Graph) -> Iterator[Located]:
    allowed = {mesh.partition or DEFAULT for mesh in graph.of(Mesh) if mesh.allow_enabling_permissive_mutual_tls}
    defaults: list[ProxyDefaults | ServiceDefaults] = [*graph.of(ProxyDefaults), *graph.of(ServiceDefaults)]
    for entry in defaults:
        if entry.mutual_tls_mode == "permissive" and (entry.partition or DEFAULT) not in allowed:
            at = ROOT / "mutual_tls_mode"
            yield Located(entry.id, graph_rules.PERMISSIVE_NOT_ALLOWED(at, "the mesh entry does not allow it"))


def _exports(graph: Graph) -> Iterator[Located]:
    for exports in graph.of(ExportedServices):
        partition = exports.partition or DEFAULT
        for index, exported in enumerate(exports.services):
            if not any(consumer.peer for consumer in exported.consumers):
                continue
            at = (ROOT / "services")[index]
            namespace = exported.namespace or DEFAULT
            if exported.name == _EVERY:
                with_entries = dict.fromkeys((*graph.routers, *graph.splitters, *graph.resolvers))
                names = [service for service in with_entries if service.partition == partition]
            else:
                names = [service_key(exported.name, partition, namespace)]
            for service in names:
                if why := _leaves(graph, service):
                    message = f"{service} is exported to a peer, and {why}"
                    yield Located(exports.id, graph_rules.EXPORT_UNSAFE(at, message))


def _leaves(graph: Graph, top: Service) -> str | None:
    """How the chain of an exported service leaves its place, if it does (``validateChainIsPeerExportSafe``)."""
    todo = [top]
    router = graph.routers.get(top)
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
        for entry in (graph.splitters.get(service), graph.resolvers.get(service)):
            if entry:
                if why := _leads_out(entry):
                    return f"{service} {why}"
                todo += map(_service, entry.reads())
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


def _routes(graph: Graph) -> Iterator[Located]:
    gateways = {service_of(entry): entry for entry in graph.of(ApiGateway)}
    routes: list[HttpRoute | TcpRoute] = [*graph.of(HttpRoute), *graph.of(TcpRoute)]
    for route in routes:
        protocol = "http" if isinstance(route, HttpRoute) else "tcp"
        for index, parent in enumerate(route.parents):
            gateway = gateways.get(
                service_key(
                    parent.name,
                    parent.partition or route.partition or DEFAULT,
                    parent.namespace or route.namespace or DEFAULT,
                )
            )
            if gateway is None:
                continue
            at = (ROOT / "parents")[index]
            listeners = {listener.name: listener.protocol for listener in gateway.listeners}
            if parent.section_name and parent.section_name not in listeners:
                message = f'{gateway.name} has no listener "{parent.section_name}", it has {", ".join(listeners)}'
                yield Located(route.id, graph_rules.ROUTE_LISTENER_MISSING(at / "section_name", message))
            elif protocol not in ([listeners[parent.section_name]] if parent.section_name else listeners.values()):
                message = f"{gateway.name} has no {protocol} listener of that name"
                yield Located(route.id, graph_rules.ROUTE_LISTENER_PROTOCOL(at, message))
        for at, to in _destinations(route):
            service = _service(to)
            declared = graph.declared_protocol(service)
            if declared and (protocol == "http") != (graph.chain(service).protocol in HTTP_LIKE):
                message = f"{service} has the protocol {graph.chain(service).protocol}"
                yield Located(route.id, graph_rules.ROUTE_SERVICE_PROTOCOL(at, message))


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
