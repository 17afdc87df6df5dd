"""Which entry must be written before which.

Terraform writes up to ten resources at once, and Consul recompiles every affected discovery chain on each write *and
each delete* (``consul@1.22.7 agent/consul/state/config_entry.go``). So every entry depends on its partition's proxy-
defaults and on the entries that its own compiled chain reads, never on a whole kind: the number of edges grows with
the references. Destroying in the reverse order is what Consul needs, too.
"""

from collections.abc import Iterable, Iterator, Mapping, Sequence
from graphlib import TopologicalSorter
from typing import Final

from mesh.config_entry import ConfigEntry, EntryId, ServiceRef
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
    by_id = {entry.id: entry for entry in entries}
    return {id_: tuple(dict.fromkeys(_before(entry, by_id))) for id_, entry in by_id.items()}


def in_order(entries: Iterable[ConfigEntry]) -> tuple[ConfigEntry, ...]:
    """``entries`` so that each comes after those it depends on; otherwise by kind, then as given.

    Raises:
        graphlib.CycleError: entries of one kind need each other, so that none can be written first.
    """
    by_id = {entry.id: entry for entry in sorted(entries, key=lambda entry: _RANK[entry.KIND])}
    return tuple(by_id[id_] for id_ in TopologicalSorter(dependencies(by_id.values())).static_order())


def _before(entry: ConfigEntry, by_id: Mapping[EntryId, ConfigEntry]) -> Iterator[EntryId]:
    for id_ in _read_by(entry):
        if id_ in by_id and id_ != entry.id:
            yield id_
    if isinstance(entry, ExportedServices) and any(service.name == _EVERY for service in entry.services):
        # One entry of a partition that reads every chain in it.
        yield from (id_ for id_ in by_id if id_.kind in _CHAIN and id_.partition == entry.partition)


def _read_by(entry: ConfigEntry) -> Iterator[EntryId]:
    rank = _RANK[entry.KIND]
    if rank > _RANK[Mesh.KIND]:
        yield EntryId(Mesh.KIND, "mesh", entry.partition)
    if rank > _RANK[ProxyDefaults.KIND]:
        yield EntryId(ProxyDefaults.KIND, "global", entry.partition)
    for service in entry.reads():
        where = (service.name, service.partition, service.namespace)
        yield from (EntryId(kind, *where) for kind in _CHAIN if _RANK[kind] < rank)
        if _reads_same_kind(entry, service):
            yield EntryId(entry.KIND, *where)
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


def _reads_same_kind(entry: ConfigEntry, service: ServiceRef) -> bool:
    """Whether a chain goes on from this entry to the other service's entry of the same kind.

    Failover does not go on; only a subset that it names has to be there. Two services may so fail over to each other.
    """
    if isinstance(entry, ServiceSplitter):
        return service.subset is None
    if isinstance(entry, ServiceResolver):
        return service.subset is not None or (entry.redirect is not None and entry.redirect.service == service.name)
    return False


def jwt_providers(intentions: ServiceIntentions) -> Iterator[tuple[str, At]]:
    """The JWT providers that intentions refer to, and where."""
    places = [(intentions.jwt, ROOT / "jwt")]
    for index, source in enumerate(intentions.sources):
        at = (ROOT / "sources")[index] / "permissions"
        places += [(permission.jwt, at[position] / "jwt") for position, permission in enumerate(source.permissions)]
    for requirement, at in places:
        for index, provider in enumerate(requirement.providers if requirement else ()):
            yield provider.name, (at / "providers")[index] / "name"
