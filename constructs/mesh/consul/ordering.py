"""Which entry must be written before which.

Terraform writes up to ten resources at once, and Consul recompiles every affected discovery chain on each write *and
each delete* (``consul@1.22.7 agent/consul/state/config_entry.go``). So every entry depends on its partition's proxy-
defaults and on the entries that its own compiled chain reads, never on a whole kind: the number of edges grows with
the references. Destroying in the reverse order is what Consul needs, too.
"""

from collections import defaultdict
from collections.abc import Collection, Iterable, Iterator, Mapping, Sequence
from graphlib import TopologicalSorter
from typing import Final

from mesh.config_entry import ConfigEntry, EntryId
from mesh.consul.entries import (
    KINDS,
    ApiGateway,
    ExportedServices,
    HttpRoute,
    JwtProvider,
    Mesh,
    ProxyDefaults,
    ServiceDefaults,
    ServiceIntentions,
    ServiceResolver,
    ServiceRouter,
    ServiceSplitter,
    TcpRoute,
)
from mesh.rules import ROOT, At

_RANK: Final = {kind: rank for rank, kind in enumerate(KINDS)}

_CHAIN: Final = (ServiceDefaults.KIND, ServiceResolver.KIND, ServiceSplitter.KIND, ServiceRouter.KIND)
"""The kinds that make up the discovery chain of a service."""

_EVERY: Final = "*"

Dependencies = Mapping[EntryId, Sequence[EntryId]]


def dependencies(entries: Iterable[ConfigEntry]) -> Dependencies:
    """For every entry, the entries that must be there first. What is not among ``entries`` is left out."""
    by_id = {entry.id.folded(): entry for entry in entries}
    asked = _asked_for(by_id.values())
    return {
        entry.id: tuple(by_id[before].id for before in dict.fromkeys(_before(entry, by_id, asked)))
        for entry in by_id.values()
    }


def in_order(entries: Iterable[ConfigEntry]) -> tuple[ConfigEntry, ...]:
    """``entries`` so that each comes after those it depends on; otherwise by kind, then as given.

    Raises:
        graphlib.CycleError: entries of one kind need each other, so that none can be written first.
    """
    by_id = {entry.id: entry for entry in sorted(entries, key=lambda entry: _RANK[entry.KIND])}
    return tuple(by_id[id_] for id_ in TopologicalSorter(dependencies(by_id.values())).static_order())


_Subsets = Mapping[EntryId, Collection[str]]
"""Subsets of a resolver that others redirect to."""


def _asked_for(entries: Iterable[ConfigEntry]) -> _Subsets:
    asked: dict[EntryId, set[str]] = defaultdict(set)
    for entry in entries:
        redirect = entry.redirect if isinstance(entry, ServiceResolver) else None
        if redirect and redirect.service and redirect.service_subset:
            to = _beside(entry, entry.KIND, redirect.service, redirect.partition, redirect.namespace)
            asked[to.folded()].add(redirect.service_subset)
    return asked


def _before(entry: ConfigEntry, by_id: Mapping[EntryId, ConfigEntry], asked: _Subsets) -> Iterator[EntryId]:
    own = entry.id.folded()
    for id_ in _read_by(entry, by_id, asked):
        folded = id_.folded()
        if folded in by_id and folded != own:
            yield folded
    if isinstance(entry, ExportedServices) and any(service.name == _EVERY for service in entry.services):
        # One entry of a partition that reads every chain in it.
        yield from (id_ for id_ in by_id if id_.kind in _CHAIN and id_.partition == own.partition)


def _read_by(entry: ConfigEntry, by_id: Mapping[EntryId, ConfigEntry], asked: _Subsets) -> Iterator[EntryId]:
    rank = _RANK[entry.KIND]
    if rank > _RANK[Mesh.KIND]:
        yield EntryId(Mesh.KIND, "mesh", entry.partition)
    if rank > _RANK[ProxyDefaults.KIND]:
        yield EntryId(ProxyDefaults.KIND, "global", entry.partition)
    for service in entry.reads():
        where = (service.name, service.partition, service.namespace)
        yield from (EntryId(kind, *where) for kind in _CHAIN if _RANK[kind] < rank)
        if isinstance(entry, ServiceSplitter) and service.subset is None:
            yield EntryId(entry.KIND, *where)  # a chain goes on from splitter to splitter
        resolver = by_id.get(EntryId(ServiceResolver.KIND, *where).folded()) if service.subset else None
        if isinstance(resolver, ServiceResolver) and service.subset and not isinstance(entry, ServiceResolver):
            yield from _needed_by_failover(resolver, service.subset)
    if isinstance(entry, ServiceResolver):
        yield from _resolvers_before(entry, asked.get(entry.id.folded(), ()))
    yield from _referred_to(entry)


def _referred_to(entry: ConfigEntry) -> Iterator[EntryId]:
    """What an entry refers to by kind and name."""
    if isinstance(entry, HttpRoute | TcpRoute):
        for parent in entry.parents:
            yield _beside(entry, ApiGateway.KIND, parent.name, parent.partition, parent.namespace)
    elif isinstance(entry, ApiGateway):
        for listener in entry.listeners:
            for each in listener.tls.certificates if listener.tls else ():
                yield _beside(entry, each.kind, each.name, each.partition, each.namespace)
    elif isinstance(entry, ServiceIntentions):
        for name, _ in jwt_providers(entry):
            yield _beside(entry, JwtProvider.KIND, name, None, None)


def _beside(entry: ConfigEntry, kind: str, name: str, partition: str | None, namespace: str | None) -> EntryId:
    """An entry in the given place, or else in that of the entry that refers to it."""
    return EntryId(kind, name, partition or entry.partition, namespace or entry.namespace)


def _resolvers_before(resolver: ServiceResolver, asked: Collection[str]) -> Iterator[EntryId]:
    """The resolvers that the chain of this one goes on to, or of which it needs a subset.

    A chain does not go on from where it fails over to, so two services may fail over to each other. And it only looks
    at the failover of a subset that is asked for: the default one, and those that others redirect to.
    """
    if (redirect := resolver.redirect) and redirect.service:
        yield _beside(resolver, resolver.KIND, redirect.service, redirect.partition, redirect.namespace)
    for subset in (resolver.default_subset or "", *asked):
        yield from _needed_by_failover(resolver, subset)


def _needed_by_failover(resolver: ServiceResolver, subset: str) -> Iterator[EntryId]:
    """Resolvers of which a subset has to be there when somebody asks for this subset."""
    failover = resolver.failover.get(subset) or resolver.failover.get(_EVERY)
    if failover is None:
        return
    if failover.service and failover.service_subset:
        yield _beside(resolver, resolver.KIND, failover.service, None, failover.namespace)
    for target in failover.targets:
        if target.service and target.service_subset:
            yield _beside(resolver, resolver.KIND, target.service, target.partition, target.namespace)


def jwt_providers(intentions: ServiceIntentions) -> Iterator[tuple[str, At]]:
    """The JWT providers that intentions refer to, and where."""
    places = [(intentions.jwt, ROOT / "jwt")]
    for index, source in enumerate(intentions.sources):
        at = (ROOT / "sources")[index] / "permissions"
        places += [(permission.jwt, at[position] / "jwt") for position, permission in enumerate(source.permissions)]
    for requirement, at in places:
        for index, provider in enumerate(requirement.providers if requirement else ()):
            yield provider.name, (at / "providers")[index] / "name"
