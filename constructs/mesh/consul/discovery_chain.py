"""Discovery chains, compiled as Consul compiles them.

Source: ``consul@1.22.7 agent/consul/discoverychain/compile.go``. Consul compiles every chain that a write or delete
affects, and refuses it at the first problem. Here all chains are compiled that have entries of their own, and each goes
on after a problem, so that all are found, each where it is said.
"""

from collections import defaultdict
from collections.abc import Iterator
from dataclasses import dataclass, field
from typing import Final, NamedTuple

from mesh.config_entry import EntryId
from mesh.consul import graph_rules
from mesh.consul.circles import circles
from mesh.consul.entries import ServiceResolver, ServiceRouter
from mesh.consul.entries.common import HttpHeaderModifiers
from mesh.consul.entries.service_resolver import Failover, Redirect
from mesh.consul.entries.service_router import Destination
from mesh.consul.entries.service_splitter import Split
from mesh.consul.entry_index import EntryIndex, Located, Service, goes_to, service_key
from mesh.rules import ROOT, At, Rule

HTTP_LIKE: Final = frozenset({"http", "http2", "grpc"})
"""Protocols that permit routing and splitting (``structs.IsProtocolHTTPLike``)."""

_EVERY: Final = "*"


def judge_chains(index: EntryIndex) -> Iterator[Located]:
    """Problems of all chains.

    A chain that is part of another one is compiled as that part: what is wrong with it is found there.
    """
    led_to = {
        goes_to(split, service)
        for service, splitter in index.splitters.items()
        for split in splitter.splits
        if not split.service_subset and goes_to(split, service) != service
    }
    led_to |= {
        service_key(redirect.service, redirect.partition or service.partition, redirect.namespace or service.namespace)
        for service, resolver in index.resolvers.items()
        if (redirect := resolver.redirect) and redirect.service
    }
    tops = [service for service in index.with_chains() if service in index.routers or service not in led_to]
    passed: set[Service] = set()
    for service in dict.fromkeys((*tops, *index.with_chains())):
        if service in passed and service not in index.routers:
            continue
        compiler = _Compiler(index, service)
        compiler.compile()
        passed |= {service} | compiler.passed
        yield from compiler.problems
    for service in index.splitters:
        if service in index.resolvers:
            compiler = _Compiler(index, service)
            compiler.compile_resolver()
            yield from compiler.problems
    yield from _split_circles(index)


def _split_circles(index: EntryIndex) -> Iterator[Located]:
    edges = {
        service: [
            to for split in splitter.splits if (to := goes_to(split, service)) != service and not split.service_subset
        ]
        for service, splitter in index.splitters.items()
    }
    for circle in circles(edges):
        message = f"the circle is {' -> '.join(map(str, [*circle, circle[0]]))}"
        yield Located(index.splitters[circle[0]].id, graph_rules.SPLIT_CIRCLE(ROOT / "splits", message))


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
    """Compiles the chain of one service, and goes on after a problem.

    Attributes:
        index: The entries.
        top: The service.
        protocol: That of the first service of the chain.
        mixed: Whether not all have that protocol.
        problems: What Consul would refuse.
        resolved: Targets that were judged.
        splits: The splitters of the chain, and those that they lead to.
        passed: Services whose own chains are part of this one.
    """

    index: EntryIndex
    top: Service
    protocol: str = ""
    mixed: bool = False
    problems: list[Located] = field(default_factory=list)
    resolved: set[_Target] = field(default_factory=set)
    splits: dict[Service, list[Service]] = field(default_factory=dict)
    passed: set[Service] = field(default_factory=set)

    def compile_resolver(self) -> None:
        """The chain as it is before its router and splitter are written, and after they are deleted."""
        self._resolve(_Target(self.top, ""), None)

    def compile(self) -> None:
        """The whole chain."""
        router = self.index.routers.get(self.top)
        if router:
            self._record_protocol(self.top, _Via(router.id, ROOT))
            for index, route in enumerate(router.routes):
                self._route(router, index, route.destination)
        self._split_or_resolve(self.top, None)
        self._find_crashes()
        routed = router is not None or bool(self.splits)
        if routed and self.protocol and not self.mixed and self.protocol not in HTTP_LIKE:
            entry = router or self.index.splitters[next(iter(self.splits))]
            message = f"the chain of {self.top} has the protocol {self.protocol}"
            self._found(entry.id, graph_rules.PROTOCOL_NOT_HTTP, ROOT, message)

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
        if service in self.index.splitters:
            self._split(service)
        else:
            self._resolve(_Target(service, ""), via)

    def _split(self, first: Service) -> None:
        todo = [first]
        while todo:
            service = todo.pop()
            if service in self.splits:
                continue
            splitter = self.index.splitters[service]
            next_ones = self.splits[service] = []
            self.passed.add(service)
            for index, split in enumerate(splitter.splits):
                to = goes_to(split, service)
                if to != service and not split.service_subset and to in self.index.splitters:
                    next_ones.append(to)
                    todo.append(to)
                else:
                    at = (ROOT / "splits")[index]
                    at = at / ("service_subset" if split.service_subset else "service")
                    self._resolve(_Target(to, split.service_subset or ""), _Via(splitter.id, at))

    def _resolve(self, target: _Target, via: _Via | None, *, for_failover: bool = False) -> None:
        """Goes to where a target leads, and judges that; what it fails over to does not fail over again."""
        end = self._follow(target, via, for_failover=for_failover)
        if end is None:
            return
        target, via = end
        resolver = self.index.resolvers.get(target.service)
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

    def _follow(self, target: _Target, via: _Via | None, *, for_failover: bool) -> tuple[_Target, _Via | None] | None:
        """The target after all redirects and default subsets; none if they never end."""
        history: dict[_Target, None] = {}
        while True:
            if not target.peer:
                self._record_protocol(target.service, via)
            if target in self.resolved:
                return target, via
            resolver = self.index.resolvers.get(target.service)
            if target in history:
                way = list(history)
                self._redirect_circle([each.service for each in way[way.index(target) :]])
                return None
            history[target] = None
            whole = target == _Target(target.service, "") and target.service not in self.index.splitters
            if whole and not for_failover:
                self.passed.add(target.service)
            after = _next(resolver, target, via) if resolver else None
            if after is None:
                return target, via
            target, via = after

    def _redirect_circle(self, circle: list[Service]) -> None:
        """Resolvers that redirect to each other, said at the last of them, wherever the chain came from."""
        last = max(circle, key=self.index.position.__getitem__)
        start = circle.index(last) + 1
        shown = " -> ".join(map(str, [last, *circle[start:], *circle[:start]]))
        self._found(
            self.index.resolvers[last].id, graph_rules.REDIRECT_CIRCLE, ROOT / "redirect", f"the circle is {shown}"
        )

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
        protocol = self.index.protocol(service)
        if not self.protocol:
            self.protocol = protocol
        elif protocol != self.protocol and via is not None:  # without a reference it is the service at the top
            self.mixed = True
            message = f"{service} has the protocol {protocol}, and the chain of {self.top} has {self.protocol}"
            self._found(via.entry, graph_rules.PROTOCOL_MIXED, via.at, message)

    def _check_external(self, service: Service, resolver: ServiceResolver) -> None:
        defaults = self.index.defaults.get(service)
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

    def _find_crashes(self) -> None:
        """Splits whose header changes Consul cannot merge with those of the splitter they lead to."""
        above: dict[Service, set[_Changes]] = defaultdict(set)
        todo = [self.top] if self.top in self.splits else []
        while todo:
            service = todo.pop()
            splitter = self.index.splitters[service]
            for index, split in enumerate(splitter.splits):
                to = goes_to(split, service)
                if split.service_subset or to not in self.splits[service]:
                    continue
                own = _changes(split)
                changes = {own, *(_merged(outer, own) for outer in above[service])}
                inner = {_changes(below) for below in self.index.splitters[to].splits}
                if any(_crashes(outer, each) for outer in changes for each in inner):
                    message = f"its header changes cannot be merged with those of the splitter of {to}"
                    self._found(splitter.id, graph_rules.SPLIT_HEADERS_CRASH, (ROOT / "splits")[index], message)
                if not changes <= above[to]:
                    above[to] |= changes
                    todo.append(to)


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
