"""Entries by what they are about: services, and what each of them says of a service."""

from collections import defaultdict
from collections.abc import Iterable, Iterator, Mapping
from typing import NamedTuple, TypeVar

from mesh.config_entry import DEFAULT, ConfigEntry, EntryId, ServiceRef
from mesh.consul.entries import (
    ProxyDefaults,
    ServiceDefaults,
    ServiceIntentions,
    ServiceResolver,
    ServiceRouter,
    ServiceSplitter,
)
from mesh.consul.entries.service_resolver import FailoverTarget, Redirect
from mesh.consul.entries.service_splitter import Split
from mesh.rules import Problem


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


class EntryIndex:
    """Entries by what they are about."""

    def __init__(self, entries: Iterable[ConfigEntry]) -> None:
        self.by_kind: dict[str, list[ConfigEntry]] = defaultdict(list)
        for entry in entries:
            self.by_kind[entry.KIND].append(entry)
        self.defaults = self._by_service(ServiceDefaults)
        self.routers = self._by_service(ServiceRouter)
        self.splitters = self._by_service(ServiceSplitter)
        self.resolvers = self._by_service(ServiceResolver)
        self.position = {service: number for number, service in enumerate(self.resolvers)}
        self._protocols = {entry.partition or DEFAULT: _protocol_in(entry.config) for entry in self.of(ProxyDefaults)}

    def of(self, kind: type[_Entry]) -> list[_Entry]:
        """The entries of a kind."""
        return self.by_kind.get(kind.KIND, [])  # type: ignore[return-value]  # filed under their own kind

    def _by_service(self, kind: type[_Entry]) -> dict[Service, _Entry]:
        return {service_of(entry): entry for entry in self.of(kind)}

    def with_chains(self) -> list[Service]:
        """Services that have more than the default chain."""
        return list(dict.fromkeys((*self.routers, *self.splitters, *self.resolvers)))

    def declared_protocol(self, service: Service) -> str | None:
        """The protocol that entries say a service has, if any does."""
        if entry := self.defaults.get(service):
            return (entry.protocol or "tcp").lower()
        return self._protocols.get(service.partition)

    def protocol(self, service: Service) -> str:
        """The effective protocol of a service, without its chain."""
        return self.declared_protocol(service) or "tcp"

    def chain_protocol(self, service: Service) -> str:
        """The protocol of a service's discovery chain: that of its router, or of the first target of its splits."""
        seen: set[Service] = set()
        while service in self.splitters and service not in self.routers and service not in seen:
            seen.add(service)
            splits = self.splitters[service].splits
            first = goes_to(splits[0], service) if splits else service
            if first == service or splits[0].service_subset:
                return self.protocol(first)
            service = first
        return self.protocol(service)


def service_of(entry: ConfigEntry) -> Service:
    """The service that an entry of a service kind is about."""
    return service_key(entry.name, entry.partition, entry.namespace)


def _protocol_in(config: Mapping[str, object]) -> str | None:
    """The protocol of proxy-defaults: the key is decoded without regard to case (``ComputeProtocol``)."""
    keys = sorted((key for key in config if key.lower() == "protocol"), key=lambda key: key != "protocol")
    value = config[keys[0]] if keys else None
    return str(value).lower() if value else None


def goes_to(split: Split, service: Service) -> Service:
    """The service of a split of a service's splitter."""
    return service_key(
        split.service or service.name, split.partition or service.partition, split.namespace or service.namespace
    )


def local_services(entry: ConfigEntry) -> Iterator[ServiceRef]:
    """Services that an entry refers to and that are not another datacenter's or peer's."""
    if isinstance(entry, ServiceIntentions):
        for source in entry.sources:
            if not source.peer:
                where = (source.partition or entry.partition, source.namespace or entry.namespace)
                yield ServiceRef(source.name, *where)
    away: set[str] = set()
    if isinstance(entry, ServiceResolver):
        targets: list[Redirect | FailoverTarget] = [to for each in entry.failover.values() for to in each.targets]
        if entry.redirect:
            targets.append(entry.redirect)
        away = {to.service for to in targets if to.service and (to.peer or to.datacenter)}
    yield from (ref for ref in entry.reads() if ref.name not in away)
